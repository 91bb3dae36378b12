"""The pages of docs/ hold: their files and commands, and nothing else, work in a folder outside the repository."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from loop_fakes import prompt_of

from eureka.store import RunStore
from eureka.tasks import load_task
from eureka.tasks.info import TaskInfo

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

SMALL = ["search.generations=1", "search.samples=2", "search.finalists=1", "train.steps=2000", "train.checkpoints=1"]
SMALL += ["train.eval_episodes=2", "train.workers=1", "evaluation.seeds=1", "evaluation.cache=false"]
SMALL += ["report.films=none"]
FILM = ["--size", "64x48", "--seconds", "0.5"]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def files(page: Path) -> dict[str, str]:
    """The files that a page shows in full: a bold path, then a fenced block."""
    found = re.findall(r"^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return dict(found)


def eureka(*arguments: str, cwd: Path) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "eureka", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder, and in it what the page on tasks says to write."""
    folder = tmp_path_factory.mktemp("elsewhere")
    shown = files(DOCS / "adding-a-task.md")
    assert sorted(shown) == [f"my_tasks/puck/{name}" for name in ("env.py", "model.xml", "task.yaml")]
    for path, text in shown.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.mark.process
def test_a_task_from_its_page_alone_to_a_finished_run(written: Path) -> None:
    commands = [line for block in blocks(DOCS / "adding-a-task.md", "sh") for line in block.splitlines()]
    names = []
    for command in commands:
        program, name, *arguments = shlex.split(command)
        assert program == "eureka"
        names.append(name)
        if name == "run" and "--dry-run" not in arguments:
            assert "--task-dir" in arguments
            output = eureka(name, *[a for a in arguments if not a.startswith("search.")], *SMALL, cwd=written)
            assert "best reward: g01-c0" in output
        elif name == "play":
            output = eureka(name, *arguments, *FILM, cwd=written)
            assert len(re.findall(r"^episode \d: 10 steps", output, re.MULTILINE)) == 3
        else:
            output = eureka(name, *arguments, cwd=written)
            assert "how fast the distance shrank" in output
    assert names == ["tasks", "run", "run", "play"]
    best = written / "puck_run" / "best"
    assert {"policy.pt", "reward.py", "rollout.jpg", "rollout.mp4"} <= {path.name for path in best.iterdir()}
    with RunStore.open(written / "puck_run", read_only=True) as store:
        assert store.is_finished
    assert 'TASK: str = "puck"' in (best / "reward.py").read_text()


def test_the_tasks_numbers_are_what_the_page_says_of_them(written: Path) -> None:
    import torch

    task = load_task("puck", [written / "my_tasks"])
    distances = torch.tensor([0.0, 0.05, 0.15])
    state = task.State(
        puck_position=torch.zeros(3, 2),
        puck_velocity=torch.zeros(3, 2),
        target_position=torch.stack([distances, torch.zeros(3)], dim=1),
        distance=distances,
        approach_velocity=torch.zeros(3),
        action=torch.ones(3, 2),
    )
    assert task.metric.value(state).tolist() == pytest.approx([0.05, 0.05, 0.0])
    assert task.human_reward(state)[0].tolist() == pytest.approx([-0.02, -0.07, -0.17])


def test_every_key_of_a_task_is_explained() -> None:
    page = (DOCS / "adding-a-task.md").read_text()
    keys = set(TaskInfo.__dataclass_fields__) - {"name"}
    explained = {key for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)}
    assert keys <= explained, keys - explained


@pytest.mark.wide
def test_a_persons_answers_are_used_as_the_page_says(tmp_path: Path) -> None:
    page = DOCS / "feedback.md"
    for path, text in files(page).items():
        (tmp_path / path).write_text(text)
    commands = [line for block in blocks(page, "sh") for line in block.splitlines()]
    (run,) = [command for command in commands if "--feedback" in command]
    small = [option for option in SMALL if not option.startswith("search.")]
    output = eureka(*shlex.split(run)[1:], *small, cwd=tmp_path)
    assert 'judged by a person: best g01-c02, worst g01-c01; "it drifts to the side' in output
    assert "generation 2 was judged by a person: none good" in output
    with RunStore.open(tmp_path / "judged", read_only=True) as store:
        second, third = (prompt_of(store, generation) for generation in (2, 3))
    assert second
    assert third
    assert second.facts.reflection is not None
    assert second.facts.reflection.candidate_id == "g01-c02"
    assert "still drifting" in third.messages[-1].content


@pytest.mark.process
def test_the_pages_on_dropping_in_run_as_written(tmp_path: Path) -> None:
    """All Python blocks in their order, as one program, in a folder with nothing but an exported module."""
    shutil.copy(ROOT / "examples" / "ant_reward.py", tmp_path / "reward.py")
    program = "\n".join(blocks(DOCS / "drop-in.md", "python"))
    (tmp_path / "program.py").write_text(f"{program}\nprint(total.tolist())\n")
    result = subprocess.run(
        [sys.executable, "-W", "error", "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "forward_velocity_reward" in result.stdout
    # 8.48 tanh(v / 5) + 0.133, without effort
    assert json.loads(result.stdout.splitlines()[-1]) == pytest.approx([1.80674, 3.35497], abs=1e-4)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)\)", prose):
        assert target.startswith("https://") or (page.parent / target).exists(), target
    for path in re.findall(r"`((?:examples|docs|tests|benchmarks)/[\w./-]+\.\w+)`", prose):
        assert (ROOT / path).exists(), path
