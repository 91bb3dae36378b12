"""A person's own reward as the starting point: read, judged before anything is trained, and first in the search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from loop_fakes import GOOD, IDS, FakeObserver, ScriptedTrainer, Stopped, build_run, prompt_of

from eureka.app.cli import main
from eureka.app.estimate import num_trainings
from eureka.config import HUMAN, RunConfig, SearchConfig
from eureka.core.errors import ConfigError
from eureka.core.ids import INIT_ID
from eureka.core.training import OwnReward, TrainingResult
from eureka.core.types import Candidate, Rejected, Reward, Stage, TaskSpec
from eureka.proposers.base import FakeProposer, ProposerCapabilities
from eureka.proposers.fallback import Fallback
from eureka.proposers.program_search.proposer import ProgramSearch
from eureka.reward.extract.extraction import extract
from eureka.search.loop import evolve
from eureka.search.outcomes import outcomes
from eureka.search.read_start import read_start, require_usable
from eureka.search.start import Start, given_answer, label, recorded_start
from eureka.store import RunFacts, RunStore
from eureka.tasks import Task, load_task
from eureka.trainers.population.baselines import trace_baselines
from eureka.trainers.population.recording import record

Make = Callable[..., TrainingResult]

OWN = '''"""My own idea."""
import math
import torch

SCALE = 0.1


def unused(x):
    return x


def compute_reward(pole_angle, cart_velocity):
    upright = torch.exp(-pole_angle.abs() / SCALE)
    calm = -0.01 * cart_velocity.square()
    return upright + calm, {"upright": upright, "calm": calm}
'''
SEARCH = ["task=cartpole", "search.generations=1", "search.samples=1", "search.finalists=1", "evaluation.seeds=0"]
SMALL = ["train.steps=2000", "train.checkpoints=1", "train.eval_episodes=2", "train.workers=1", "report.films=none"]


def no_human() -> str:
    raise AssertionError("nobody asked for it")


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task("cartpole")


@pytest.fixture
def spec(task: Task) -> TaskSpec:
    return task.spec


class Refuses:
    """A verifier's stand-in that refuses everything with the same words."""

    def __init__(self, feedback: str) -> None:
        self.feedback = feedback

    def verify(self, candidate: Candidate) -> Reward | Rejected:
        return Rejected(candidate.id, Stage.TRACE, "no", self.feedback)


# ---- the file ----------------------------------------------------------------------------------------------------


def refused(tmp_path: Path, spec: TaskSpec, text: str | bytes) -> str:
    path = tmp_path / "my.py"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        require_usable(read_start(str(path), spec, no_human), spec, Refuses("line 5: it is odd."))  # type: ignore[arg-type]
    return str(caught.value).replace(str(path), "my.py")


def test_a_file_that_cannot_be_started_from_is_one_sentence(tmp_path: Path, spec: TaskSpec) -> None:
    with pytest.raises(ConfigError, match=r"^search\.init=none\.py: cannot be read: No such file or directory; give a"):
        read_start("none.py", spec, no_human)
    assert refused(tmp_path, spec, b"\xff") == (
        "search.init=my.py: cannot be read: it is not text in UTF-8; give a Python file with compute_reward, or human"
    )
    assert refused(tmp_path, spec, "x = 1\ny = (") == "search.init=my.py: is not Python: line 2: '(' was never closed"
    assert refused(tmp_path, spec, "def reward(x): return x").startswith(
        "search.init=my.py: the search cannot start from it: The code defines reward but no function named "
        "compute_reward. (`eureka check FILE task=cartpole`"
    )
    wrong = refused(tmp_path, spec, OWN.replace("cart_velocity", "cart_speed"))
    assert "`cart_speed` (did you mean `cart_velocity`?) is not a State field." in wrong
    assert "Valid names: cart_position, cart_velocity, pole_angle" in wrong


def test_lines_are_those_of_the_persons_file(tmp_path: Path, spec: TaskSpec) -> None:
    # Without its docstring, `import math` and `unused`, line 5 of what is taken from the file is its line 12.
    extracted = OWN.splitlines()
    assert extracted[11] == "def compute_reward(pole_angle, cart_velocity):"
    path = tmp_path / "my.py"
    path.write_text(OWN)
    start = read_start(str(path), spec, no_human)
    with pytest.raises(ConfigError, match=r"cannot start from it: line 12: it is odd\."):
        require_usable(start, spec, Refuses("line 6: it is odd."))  # type: ignore[arg-type]


def test_the_tasks_own_reward_is_a_function_of_state_fields(task: Task) -> None:
    recording = record(task)
    start = read_start(HUMAN, task.spec, lambda: trace_baselines(task, recording.state)[OwnReward.OWN])
    facts = RunFacts(init=start.origin, init_source=start.source)
    assert label(facts) == "human reward"
    assert recorded_start(facts) == start
    candidate = extract(given_answer(start.source), task.fields)
    assert isinstance(candidate, Candidate)
    assert candidate.inputs == ("pole_angle",)
    assert "compute_reward_from_state" not in start.source
    # Written from the task's own code, so that it may run here.
    namespace: dict[str, Any] = {}
    exec(candidate.source, namespace)
    total, components = namespace["compute_reward"](recording.state["pole_angle"])
    wanted, parts = task.human_reward(task.State(**recording.state))
    torch.testing.assert_close(total, wanted)
    assert components.keys() == parts.keys()


def test_the_example_of_the_docs_can_be_started_from() -> None:
    page = (Path(__file__).parents[2] / "docs" / "starting-from-your-reward.md").read_text()
    example = page.partition("```python\n")[2].partition("```")[0]
    assert isinstance(extract(given_answer(example), load_task("ant").fields), Candidate)


# ---- the search --------------------------------------------------------------------------------------------------


def test_it_is_trained_before_the_first_prompt_which_tells_how_that_went(tmp_path: Path, make_result: Make) -> None:
    trainer = ScriptedTrainer(make_result, {INIT_ID: 2.5, **{name: float(i) for i, name in enumerate(IDS)}})
    observe = FakeObserver()
    start = Start("my.py", OWN)
    run = build_run(tmp_path / "run", make_result, trainer=trainer, observe=observe, start=start.source)
    with run.store as store:
        assert evolve(run).candidate.id == "g03-c02"
        assert trainer.trained == [INIT_ID, *IDS]
        assert observe.seen[:3] == ["training 1", "trained", "start 1"]
        prompts = [prompt_of(store, generation) for generation in (1, 2, 3)]
        assert [p.facts.reflection.candidate_id for p in prompts if p and p.facts.reflection] == [
            INIT_ID,
            INIT_ID,
            "g02-c02",
        ]
        assert store.completions()[INIT_ID][0].model == "init"
        assert store.calls_in_flight() == []
        assert {o.candidate.id for o in outcomes(store) if o.candidate.id < "g02"} == {INIT_ID, "g01-c01", "g01-c02"}
    assert prompts[0]
    shown = prompts[0].messages[-1].content
    assert f"## The reward to improve, {INIT_ID}, which a person wrote" in shown
    assert "The search started from it." in shown
    assert "SCALE = 0.1" in shown
    assert "def unused" not in shown


def test_it_is_never_asked_about_again_and_never_screened(tmp_path: Path, make_result: Make) -> None:
    trainer = ScriptedTrainer(make_result, dict.fromkeys(IDS, 1.0), bad=[INIT_ID])
    run = build_run(
        tmp_path / "run",
        make_result,
        trainer=trainer,
        proposer=FakeProposer(dict.fromkeys(IDS, (GOOD,))),
        start=OWN,
        repairs=2,
        generations=1,
    )
    with run.store as store:
        evolve(run)
        assert [r.stage for r in store.rejections()] == [Stage.TRAIN]
        assert len(store.completions()[INIT_ID]) == 1
        prompt = prompt_of(store, 1)
    assert prompt
    assert prompt.facts.reflection is None


def test_a_run_that_is_stopped_anywhere_goes_on_alike(tmp_path: Path, make_result: Make) -> None:
    trained: list[str] = []
    stops = 0
    while True:
        trainer = ScriptedTrainer(make_result, {INIT_ID: 9.0, **dict.fromkeys(IDS, 1.0)}, trained=trained)
        run = build_run(
            tmp_path / "run",
            make_result,
            trainer=trainer,
            observe=FakeObserver(stop_after=stops % 3 + 1),
            start=OWN,
        )
        with run.store:
            try:
                best = evolve(run)
                break
            except Stopped:
                stops += 1
    assert stops > 5
    assert best.candidate.id == INIT_ID
    assert trained == [INIT_ID, *IDS]


def test_a_proposer_that_cannot_read_it_goes_on_from_what_it_can(tmp_path: Path, make_result: Make) -> None:
    class ReadsItsOwn(FakeProposer):
        capabilities = ProposerCapabilities(reads=lambda source: "SCALE" not in source)

        def __init__(self, answers: Mapping[str, str]) -> None:
            kept = self.capabilities
            super().__init__(answers)
            self.capabilities = kept

    proposer = ReadsItsOwn(dict.fromkeys(IDS, GOOD))
    trainer = ScriptedTrainer(make_result, {INIT_ID: 99.0, **{name: float(i) for i, name in enumerate(IDS)}})
    run = build_run(tmp_path / "run", make_result, proposer=proposer, trainer=trainer, start=OWN)
    with run.store:
        assert evolve(run).candidate.id == INIT_ID
    parents = [prompt.facts.reflection.candidate_id for prompt in proposer.prompts if prompt.facts.reflection]
    assert parents == [*[INIT_ID] * 2, *["g01-c02"] * 2, *["g02-c02"] * 2]


def test_program_search_reads_its_own_code_alone() -> None:
    search = ProgramSearch(0, use_probe=False)
    assert not search.capabilities.reads(OWN)
    assert not Fallback(search, search, print).capabilities.reads(OWN)
    assert FakeProposer({}).capabilities.reads(OWN)


# ---- as a user ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run from a file that is gone afterwards."""
    folder = tmp_path_factory.mktemp("started")
    own = folder / "my_reward.py"
    own.write_text(OWN)
    with pytest.raises(SystemExit) as caught:
        main(["run", *SEARCH, *SMALL, f"search.init={own}", f"output={folder / 'run'}"])
    assert caught.value.code == 0
    own.unlink()
    return folder / "run"


@pytest.mark.process
def test_a_run_and_its_report(started: Path) -> None:
    with RunStore.open(started, read_only=True) as store:
        assert store.facts().init_source == OWN
        assert {result.candidate_id for result in store.results()} == {INIT_ID, "g01-c01"}
        assert store.is_finished
    assert (started / "generation_01" / "candidate_00" / "source.py").read_text().startswith("import torch\n\nSCALE")
    page = (started / "report.html").read_text()
    assert "The reward of your own that the search started from." in page
    assert "My own idea" not in page
    assert not (started / "checkpoints" / "trained").exists()


@pytest.mark.process
def test_a_replay_is_told_what_to_start_from(started: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["run", *SEARCH, *SMALL, "llm=replay", f"llm.run={started}", f"output={tmp_path / 'again'}"])
    assert caught.value.code == 2
    source = started / "generation_01" / "candidate_00" / "source.py"
    assert f"started from a reward of its own: add search.init={source}" in capsys.readouterr().err


@pytest.mark.wide
def test_a_replay_starts_from_the_same(started: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = started / "generation_01" / "candidate_00" / "source.py"
    replay = ["llm=replay", f"llm.run={started}", f"search.init={source}", f"output={tmp_path / 'again'}"]
    with pytest.raises(SystemExit) as caught:
        main(["run", *SEARCH, *SMALL, *replay])
    assert caught.value.code == 0
    with RunStore.open(started, read_only=True) as first, RunStore.open(tmp_path / "again", read_only=True) as second:
        assert second.rewards() == first.rewards()
        assert [r.final_scores for r in second.results()] == [r.final_scores for r in first.results()]
    assert "training 1 policy (your reward)" in capsys.readouterr().out


def test_an_estimate_has_its_training_too() -> None:
    config = RunConfig(search=SearchConfig(generations=2, samples=3, finalists=1, retrain=0))
    assert num_trainings(config) == 6
    assert num_trainings(replace(config, search=replace(config.search, init="my.py"))) == 7
