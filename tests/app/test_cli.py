"""The command line: instant help, one line and an exit code for what is wrong, and a whole small run."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import SMALL, RunHere, exit_code, run_cli

import eureka.app.comparing
from eureka.evaluation import read_comparison
from eureka.store import RunStore

pytestmark = pytest.mark.process


# ---- help --------------------------------------------------------------------------------------------------------


def test_help_is_instant_and_imports_nothing_heavy() -> None:
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = run_cli("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    for command in ("run", "resume", "evaluate", "tasks", "doctor"):
        assert f"  {command} " in result.stdout
    assert min(times) < 0.4  # seconds of the processor, which other programs change less than those of the clock
    program = (
        "import sys, eureka.app.cli, eureka.config, eureka.core.types, eureka.core.errors\n"
        "try:\n    eureka.app.cli.main(['--help'])\n"
        "except SystemExit:\n    print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    for heavy in ("torch", "mujoco", "openai", "anthropic", "hydra", "scipy", "gymnasium"):
        assert f"'{heavy}'" not in loaded


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--version") == 0
    assert re.fullmatch(r"eureka \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_tasks_lists_and_shows_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("tasks") == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed[0].split()[:2] == ["task", "status"]
    # Tasks whose models have to be installed come after those that are there, below the line that installs them.
    here = [text.split()[0] for text in listed[1 : listed.index("") if "" in listed else None]]
    assert {"ant", "cartpole", "hopper", "humanoid", "swingup"} <= set(here)
    assert here == sorted(here)
    assert exit_code("tasks", "ant") == 0
    shown = capsys.readouterr().out
    assert "control step: 0.05 s, time limit 1000 steps" in shown
    assert re.search(r"forward_velocity +\(num_envs,\) +float32 +m/s +world +progress along \+x", shown)
    assert re.search(r"torso_position +\(num_envs, 3\) ", shown)


def test_doctor_names_keys_and_never_shows_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert exit_code("doctor") == 0
    shown = capsys.readouterr().out
    assert re.search(r"ANTHROPIC_API_KEY +set\n", shown)
    assert re.search(r"OPENAI_API_KEY +not set\n", shown)
    assert "sk-secret" not in shown
    for name in ("torch", "mujoco", "physics", "cpu", "gpu", "seccomp"):
        assert re.search(rf"^ *{name} +\S", shown, re.MULTILINE)


# ---- what is wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["run", "task=an"], 2, "error: task=an: there is no such choice (did you mean task=ant?)"),
        (["run"], 2, "error: no task given: add task=NAME, or env=ID"),
        (["run", "task=ant", "--task-dir", "/nowhere"], 1, "error: /nowhere: no such directory"),
        (["run", "task=ant", "output=/proc"], 1, "error: /proc: exists already; name another"),
        (["run", "task=ant", "llm=replay", "llm.run=/proc"], 1, "error: /proc: not a run folder"),
        (
            ["run", "task=ant", "llm=openai"],
            1,
            "error: llm=openai needs a key: set OPENAI_API_KEY in the environment, give llm.base_url of a server that",
        ),
        (
            ["run", "task=ant", "llm=openai", "llm.base_url=http://127.0.0.1:1/v1", "llm.model=m"],
            2,
            "error: the price of m at http://127.0.0.1:1/v1 is not known, so llm.max_usd cannot hold: give a cap",
        ),
        (["tasks", "an"], 1, "error: there is no task `an`"),
        (["resume", "/nowhere"], 1, "error: /nowhere: no run folder and none below it"),
        (["evaluate", "/nowhere"], 1, "error: /nowhere: not a run folder"),
        (["cook"], 2, "No such command 'cook'"),
    ],
)
def test_one_line_and_an_exit_code(
    arguments: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*arguments) == code
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert shown.out == ""
    if sentence.startswith("error"):
        assert len(shown.err.splitlines()) == 1


def test_the_users_own_task_that_raises(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "task.yaml").write_text(Path(eureka.__path__[0], "tasks/cartpole/task.yaml").read_text())
    (tmp_path / "broken" / "env.py").write_text("\n1 / 0\n")
    assert exit_code("run", "task=broken", "--task-dir", str(tmp_path), f"output={tmp_path / 'run'}") == 1
    shown = capsys.readouterr().err
    assert "env.py" in shown
    assert "ZeroDivisionError" in shown
    assert not (tmp_path / "run").exists()


def test_interrupted_evaluation_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(eureka.app.comparing, "evaluate_run", interrupt)
    RunStore.create(tmp_path / "run", "").close()
    assert exit_code("evaluate", str(tmp_path / "run")) == 130
    assert capsys.readouterr().err == f"interrupted: `eureka evaluate {tmp_path / 'run'}` goes on\n"


# ---- a whole small run -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was interrupted in its first training, and resumed."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    command = [sys.executable, "-m", "eureka", "run", *SMALL, f"output={folder}"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        for text in process.stdout:
            if "training" in text:
                process.send_signal(signal.SIGINT)
                break
        assert process.wait(60) == 130
        assert f"interrupted: `eureka resume {folder}` goes on" in process.stderr.read()
    resumed = run_cli("resume", str(folder))
    assert resumed.returncode == 0, resumed.stderr
    assert "generation 2 of 2 finished" in resumed.stdout
    return folder


def test_a_finished_run_is_all_there(finished: Path) -> None:
    with RunStore.open(finished, read_only=True) as store:
        assert store.is_finished
        assert list(store.finished_generations()) == [1, 2]
        assert len(store.completions()) == 4
        assert store.calls_in_flight() == []
        facts = store.facts()
        best_id = store.finished_generations()[2]
        sources = {candidate.id: candidate.source for candidate in store.candidates()}
    assert facts.had_metric_access
    assert facts.sandbox_layers["seccomp"] == "on"
    assert facts.task_dirs == ()
    assert best_id is not None
    assert (finished / "best" / "source.py.txt").read_text() == sources[best_id]
    assert (finished / "best" / "policy.pt").stat().st_size > 0


def test_the_module_runs_with_torch_alone(finished: Path) -> None:
    """In an interpreter without eureka on its path (`-I`, from the module's own folder)."""
    code = (
        "import sys, torch, runpy; sys.meta_path = [f for f in sys.meta_path if '__editable__' not in repr(f)]; "
        "reward = runpy.run_path('reward.py'); "
        "total, parts = reward['compute_reward'](**{name: torch.zeros(5, 1) if name == 'action' else torch.zeros(5) "
        "for name in reward['INPUTS']}); "
        "print(tuple(total.shape), set(parts) == set(reward['COMPONENTS']), 'eureka' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=finished / "best", capture_output=True, text=True, check=False
    )
    assert result.stdout.strip() == "(5,) True False", result.stderr


def test_export_prints_or_writes_a_module(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    best = (finished / "best" / "reward.py").read_text()
    assert exit_code("export", str(finished)) == 0
    assert capsys.readouterr().out.strip() == best.strip()
    assert exit_code("export", str(finished), "--to", str(tmp_path / "mine.py")) == 0
    assert (tmp_path / "mine.py").read_text() == best
    capsys.readouterr()
    assert exit_code("export", str(finished), "--to", str(tmp_path / "none" / "mine.py")) == 1
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
    assert exit_code("export", str(finished), "--candidate", "g09-c09") == 1
    assert "no trained reward g09-c09; there are g01-c01" in capsys.readouterr().err
    assert exit_code("export", str(finished), "--candidate", "g01-c02") == 0
    assert "Candidate: g01-c02" in capsys.readouterr().out


def test_export_writes_one_file_for_gymnasium(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code("export", str(finished), "--to", "gymnasium") == 0
    assert capsys.readouterr().out == "wrote cartpole_gymnasium.py\n"
    assert "class VectorRewardWrapper(" in (tmp_path / "cartpole_gymnasium.py").read_text()
    assert exit_code("export", str(finished), "--to", "gymnasium", "--output", "mine.py") == 0
    assert "from mine import RewardWrapper" in (tmp_path / "mine.py").read_text()
    assert exit_code("export", str(finished), "--to", "gymnasium", "--output", "my-reward.py") == 2
    assert "name it so that Python can import it" in capsys.readouterr().err
    assert exit_code("export", str(finished), "--to", "a.py", "--output", "b.py") == 2


def test_a_packages_folder_is_named_so_that_pip_asks_no_index_for_it(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    graph = json.loads((finished / "generation_01" / "candidate_01" / "graph.json").read_text())
    fields = dict.fromkeys(graph["inputs"], ("1", "world", "read by the reward"))
    Path("mine.py").write_text(f"FIELDS = {fields!r}\n\n\ndef state(env):\n    return {{}}\n")
    given = ("export", str(finished), "--candidate", "g01-c01", "--to", "mjlab", "--task", "X", "--state", "mine.py")
    assert exit_code(*given) == 0
    assert "pip install --no-deps ./eureka_x\n" in capsys.readouterr().out


def test_resuming_a_finished_run_says_so(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("resume", str(finished)) == 0
    assert "this run has finished; its best reward is" in capsys.readouterr().out


def test_replay_gives_the_same_scores_as_the_interrupted_run(finished: Path, tmp_path: Path) -> None:
    again = run_cli("run", *SMALL, "llm=replay", f"llm.run={finished}", "output=again", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "no model is asked" in again.stdout
    scores = []
    for folder in (finished, tmp_path / "again"):
        with RunStore.open(folder, read_only=True) as store:
            scores.append({result.candidate_id: result.final_scores for result in store.results()})
    assert scores[0] == scores[1]


def test_a_run_ends_with_the_comparison(finished: Path) -> None:
    comparison = read_comparison(finished)
    assert comparison is not None
    best, human, sparse = comparison.methods
    with RunStore.open(finished, read_only=True) as store:
        assert best.name == store.finished_generations()[2]
        scores = {(result.candidate_id, result.seed): result.score for result in store.evaluations()}
    assert (best.seeds, human.seeds, human.scores) == ((1000,), (1000,), (scores["human", 1000],))
    assert best.scores == (scores[best.name, 1000],)
    # Gymnasium's own reward of this body is the task metric.
    assert (sparse.same_as, sparse.scores) == ("human", human.scores)
    assert (comparison.steps, comparison.search_steps) == (4096, 4096)


def test_evaluate_adds_seeds(finished: Path, run_here: RunHere) -> None:
    before = read_comparison(finished)
    result = run_here("evaluate", str(finished), "--seeds", "2", cwd=finished.parent)
    assert result.returncode == 0, result.stderr
    assert re.search(
        r"^seed +1000 +1001\nbest \(g\d\d-c\d\d\) +[\d.]+ +[\d.]+\nhuman-written ", result.stdout, re.MULTILINE
    )
    assert re.search(r"^human-written +[\d.]+ +\[[\d.]+, [\d.]+\] +-", result.stdout, re.MULTILINE)
    assert "better with probability" in result.stdout
    after = read_comparison(finished)
    assert before is not None
    assert after is not None
    assert after.methods[0].scores[:1] == before.methods[0].scores
    longer = run_here("evaluate", str(finished), "--seeds", "1", "--steps", "512", cwd=finished.parent)
    assert "each trained with 1 fresh seed for 512 control steps (0.12 of a training in the search)" in longer.stdout


def test_an_unsafe_run_is_stamped(tmp_path: Path) -> None:
    small = [*SMALL, "search.generations=1", "search.samples=1", "train.steps=500"]
    result = run_cli("run", *small, "sandbox=unsafe", "tracking.tensorboard=true", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    stamp = "generated code ran without confinement (sandbox=unsafe)"
    before, _, after = result.stdout.rpartition("best/reward.py")
    assert f"UNSAFE: {stamp}" in before
    assert f"UNSAFE: {stamp}" in after
    (folder,) = (tmp_path / "outputs" / "cartpole").iterdir()
    with RunStore.open(folder, read_only=True) as store:
        assert store.facts().unsafe == stamp
    assert "sandbox: unsafe" in (folder / "config.yaml").read_text()
    assert f"UNSAFE: {stamp}" in (folder / "best" / "reward.py").read_text()
    assert stamp in (folder / "report.html").read_text()
    comparison = read_comparison(folder)
    assert comparison is not None
    assert comparison.unsafe == stamp
    assert (folder / "tensorboard" / "unsafe" / "search").is_dir()
    assert os.listdir(tmp_path) == ["outputs"]


def test_the_process_that_holds_keys_is_private() -> None:
    program = (
        "import resource, sys, eureka.app.cli\n"
        "from eureka.sandbox.libc import prctl\n"
        "def seen(environment): print(prctl(3), resource.getrlimit(resource.RLIMIT_CORE)[0]); return {}\n"
        "eureka.app.cli.take_keys = seen\n"
        "eureka.app.cli.main(['tasks'])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.stdout.startswith("0 0\n"), result.stderr
