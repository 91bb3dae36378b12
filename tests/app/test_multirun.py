"""`eureka run -m`: what is planned, that a failure stops nothing, and the table at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

import eureka.app.multirun
from eureka.api import FinishedRun
from eureka.app.cli import main
from eureka.app.multirun import RunOutcome, comparison_of_runs, plan
from eureka.app.runs import Invocation
from eureka.config import RunConfig
from eureka.core.errors import ConfigError, TrainingError
from eureka.evaluation import ComparedMethod, Comparison, Role
from eureka.evaluation.data import Estimate


def planned(*overrides: str, multirun: bool = True) -> list[tuple[str, str, int, str | None]]:
    jobs = plan(overrides, [], {}, "program_search", multirun=multirun)
    return [(job.label, job.config.task, job.config.seed, job.config.output) for job in jobs]


def test_every_combination_is_planned() -> None:
    assert planned("task=cartpole,ant", "seed=1,2", "output=here") == [
        ("task=cartpole seed=1", "cartpole", 1, "here/0"),
        ("task=cartpole seed=2", "cartpole", 2, "here/1"),
        ("task=ant seed=1", "ant", 1, "here/2"),
        ("task=ant seed=2", "ant", 2, "here/3"),
    ]
    assert planned("task=ant", "output=a,b") == [("output=a", "ant", 0, "a"), ("output=b", "ant", 0, "b")]
    assert planned("task=ant") == [("ant", "ant", 0, None)]


def test_without_it_a_comma_is_part_of_the_value() -> None:
    assert planned("task=ant", "output=a,b", multirun=False) == [("", "ant", 0, "a,b")]
    with pytest.raises(ConfigError, match="task=cartpole,ant: there is no such choice"):
        planned("task=cartpole,ant", multirun=False)


def test_a_wrong_job_is_found_before_the_first_starts() -> None:
    with pytest.raises(ConfigError, match="task=ent"):
        planned("task=cartpole,ent")


def method(role: Role, name: str, value: float, improvement: Estimate | None) -> ComparedMethod:
    iqm = Estimate(value, (value - 1, value + 1))
    return ComparedMethod(
        role=role,
        name=name,
        seeds=(1000,),
        scores=(value,),
        iqm=iqm,
        improvement=improvement,
        normalised=None,
        correlation=None,
    )


COMPARISON = Comparison(
    version=1,
    task="cartpole",
    metric="time upright",
    unit="s",
    steps=10,
    search_steps=10,
    eval_episodes=1,
    methods=(
        method(Role.BEST, "g01-c02", 9.0, Estimate(0.75, (0.5, 1.0))),
        method(Role.HUMAN, "human", 8.0, None),
    ),
    gap=None,
    transitions=10,
)


def test_one_table_of_all_runs() -> None:
    found = FinishedRun(Path("runs/a"), "cartpole", "g01-c02", COMPARISON)
    bare = FinishedRun(Path("runs/b"), "cartpole", "g02-c01", None)
    table = comparison_of_runs(
        [RunOutcome("seed=0", found), RunOutcome("seed=1", bare), RunOutcome("seed=2", None, "no")]
    )
    assert table.title == "2 of 3 runs finished"
    assert table.header == ("run", "best", "IQM", "95% interval", "human", "better than human", "normalised")
    assert table.rows == (
        ("seed=0", "g01-c02", "9 s", "[8, 10]", "8", "0.75 [0.50, 1.00]", "-"),
        ("seed=1", "g02-c01", "-", "-", "-", "-", "-"),
        ("seed=2", "failed", "-", "-", "-", "-", "-"),
    )
    assert table.notes == ("seed=0: runs/a", "seed=1: runs/b", "seed=2 failed: no")


def exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


class Searches:
    """Stands for `search_in`: the run with seed 1 breaks off, that with seed 3 is interrupted."""

    def __init__(self) -> None:
        self.seeds: list[int] = []

    def __call__(self, folder: Path, config: RunConfig, given: Invocation) -> FinishedRun:
        self.seeds.append(config.seed)
        if config.seed == 1:
            raise TrainingError("a worker\ncould not be started")
        if config.seed == 3:
            raise KeyboardInterrupt
        return FinishedRun(folder, config.task, "g01-c02", COMPARISON)


def test_a_failure_is_shown_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    searches = Searches()
    monkeypatch.setattr(eureka.app.multirun, "search_in", searches)
    assert exit_code("run", "-m", "task=cartpole", "llm=program_search", "seed=0,1,2", f"output={tmp_path}/runs") == 1
    assert searches.seeds == [0, 1, 2]
    shown = capsys.readouterr()
    assert "run 2 of 3: seed=1" in shown.out
    assert shown.err == "error: a worker could not be started\n"
    assert "2 of 3 runs finished" in shown.out
    assert "seed=1 failed: a worker could not be started" in shown.out
    assert f"seed=2: {tmp_path}/runs/2" in shown.out
    assert exit_code("run", "-m", "task=cartpole", "llm=program_search", "seed=0,2", f"output={tmp_path}/more") == 0


def test_an_interrupt_stops_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searches = Searches()
    monkeypatch.setattr(eureka.app.multirun, "search_in", searches)
    assert exit_code("run", "-m", "task=cartpole", "llm=program_search", "seed=3,0", f"output={tmp_path}/runs") == 130
    assert searches.seeds == [3]
