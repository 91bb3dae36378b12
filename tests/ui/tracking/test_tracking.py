"""Curves: TensorBoard's own reader reads what was written; the others are fakes with the libraries' signatures."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from console_story import Clock, Story

from eureka.config import RunConfig
from eureka.config.schema import TrackingConfig
from eureka.core.errors import ConfigError, EurekaError
from eureka.core.events import Compared, ComparedReward, of_training
from eureka.core.training import TrainingResult
from eureka.ui.tracking import require_trackers, tracking
from eureka.ui.tracking.tracker import Tracker

Make = Callable[..., TrainingResult]


COMPARISON = Compared(
    (
        ComparedReward("best", (1000, 1001), (2.0, 4.0), 3.0, 0.75, None),
        ComparedReward("human", (1000, 1001), (1.0, 3.0), 2.0, None, None),
        # The training of the bare metric was given up.
        ComparedReward("sparse", (), (), None, None, None),
    )
)


@pytest.fixture
def story(tmp_path: Path, make_result: Make) -> Story:
    def make(name: str, scores: tuple[float, ...], **changes: Any) -> TrainingResult:
        return replace(make_result(name, scores, **changes), checkpoint_steps=(500, 1000))

    return Story(tmp_path / "run", make)


class FakeSink:
    """Remembers; breaks where told to."""

    errors: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, name: str = "fake", breaks: bool = False) -> None:
        self.name = name
        self.breaks = breaks
        self.kept: list[tuple[str, str, int, float]] = []
        self.closed = False

    def points(self, group: str, steps: Sequence[int], values: Mapping[str, Sequence[float]]) -> None:
        if self.breaks:
            raise OSError("the disk\nis full")
        for name, curve in values.items():
            self.kept += [(group, name, step, value) for step, value in zip(steps, curve, strict=True)]

    def close(self) -> None:
        self.closed = True


def test_nothing_is_kept_of_a_metric_that_there_is_none_of(story: Story) -> None:
    sink = FakeSink()
    story.view().store.close()
    with Tracker([sink], lambda text: None, has_metric=False) as tracker:
        for _ in story.tell(tracker, Clock()):
            pass
    assert {name for group, name, *_ in sink.kept if group == "g01-c01/seed_0"} == {
        "episode_length",
        "reward/total",
        "reward/a",
    }


def test_what_is_kept_of_a_search(story: Story) -> None:
    sink, told = FakeSink(), []
    story.view().store.close()
    with Tracker([sink, FakeSink("broken", breaks=True)], told.append) as tracker:
        for _ in story.tell(tracker, Clock()):
            pass
    assert sink.closed
    first = [entry[1:] for entry in sink.kept if entry[0] == "g01-c01/seed_0"]
    assert first[:4] == [
        ("task_metric", 100, 0.5),
        ("task_metric", 350, 1.25),
        ("episode_length", 100, 9.0),
        ("episode_length", 350, 9.0),
    ]
    assert {name for name, *_ in first} == {
        "task_metric",
        "episode_length",
        "reward/total",
        "reward/a",
        "evaluation/task_metric",
    }
    assert [entry for entry in sink.kept if entry[0] == "search"] == [
        ("search", "trained_candidates", 1, 1.0),
        ("search", "best_of_generation", 1, 2.0),
        ("search", "best_so_far", 1, 2.0),
        ("search", "trained_candidates", 2, 1.0),
        ("search", "best_of_generation", 2, 3.0),
        ("search", "best_so_far", 2, 3.0),
    ]
    # The first failure is told, and the run and the other sink go on.
    assert told == ["warning: broken is told no more of this run: the disk is full"]


def track(story: Story, config: TrackingConfig, told: list[str], environment: Mapping[str, str] | None = None) -> None:
    store = story.view().store
    with (
        store,
        tracking(RunConfig(tracking=config), store, environment or {}, told.append) as tracker,
    ):
        for _ in story.tell(tracker, Clock()):
            pass
        tracker(COMPARISON)


def test_a_training_that_a_race_carries_on_is_kept_once(make_result: Make) -> None:
    first = replace(make_result("g01-c01", (1.0,), metric=(0.0, 1.0)), checkpoint_steps=(100, 200))
    whole = replace(
        make_result("g01-c01", (2.0,), metric=(0.0, 1.0, 2.0, 3.0)),
        checkpoint_steps=(100, 200, 400),
        checkpoint_scores=(0.5, 1.0, 2.0),
    )
    sink = FakeSink()
    with Tracker([sink], print) as tracker:
        tracker(of_training(first))
        tracker(of_training(whole))
    totals = [(step, value) for _, name, step, value in sink.kept if name == "reward/total"]
    assert totals == [(100, 0.0), (200, 1.0), (300, 2.0), (400, 3.0)]
    evaluated = [(step, value) for _, name, step, value in sink.kept if name == "evaluation/task_metric"]
    assert evaluated == [(100, 1.0), (200, 1.0), (400, 2.0)]


def test_nothing_is_tracked_that_is_not_asked_for(story: Story) -> None:
    track(story, TrackingConfig(), [])
    assert not (story.folder / "tensorboard").exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboards_own_reader_reads_the_event_files(story: Story) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    told: list[str] = []
    track(story, TrackingConfig(tensorboard=True), told)
    assert told == []

    def scalars(group: str, tag: str) -> list[tuple[int, float]]:
        events = EventAccumulator(str(story.folder / "tensorboard" / group))
        events.Reload()
        return [(event.step, event.value) for event in events.Scalars(tag)]

    assert scalars("g01-c01/seed_0", "task_metric") == [(100, 0.5), (350, 1.25)]
    assert scalars("search", "best_so_far") == [(1, 2.0), (2, 3.0)]
    assert scalars("comparison", "best/score") == [(1000, 2.0), (1001, 4.0)]
    assert scalars("comparison", "best/iqm") == [(1001, 3.0)]
    assert scalars("comparison", "best/probability_of_improvement") == [(1001, 0.75)]
    assert scalars("comparison", "human/score") == [(1000, 1.0), (1001, 3.0)]


# ---- fakes with the libraries' signatures ------------------------------------------------------------------------


def fake_wandb(calls: list[tuple[str, Any]], refuses: bool = False) -> ModuleType:
    module = ModuleType("wandb")

    class Error(Exception):
        pass

    class Run:
        def define_metric(self, name: str, *, step_metric: str) -> None:
            calls.append(("define_metric", (name, step_metric)))

        def log(self, data: dict[str, Any]) -> None:
            calls.append(("log", data))

        def finish(self) -> None:
            calls.append(("finish", None))

    def init(**given: Any) -> Run:
        if refuses:
            raise Error("nobody is\nlogged in")
        calls.append(("init", given))
        return Run()

    module.__dict__.update(Error=Error, init=init, Settings=lambda **given: given)
    return module


def test_wandb_has_a_run_for_each_training_in_one_group(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, Any]] = []
    monkeypatch.setitem(sys.modules, "wandb", fake_wandb(calls))
    told: list[str] = []
    track(story, TrackingConfig(wandb="rewards"), told)
    opened = {given["name"]: given for kind, given in calls if kind == "init"}
    assert told == []
    assert next(iter(opened)) == "search"
    assert "g01-c01/seed_0" in opened
    assert len({given["group"] for given in opened.values()}) == 1
    assert len({given["id"] for given in opened.values()}) == len(opened)
    assert all("/" not in given["id"] and given["project"] == "rewards" for given in opened.values())
    assert ("log", {"steps": 100, "task_metric": 0.5, "episode_length": 9.0}) in calls
    assert ("log", {"generation": 1, "trained_candidates": 1.0, "best_of_generation": 2.0, "best_so_far": 2.0}) in calls
    assert ("log", {"seed": 1001, "human/score": 3.0}) in calls
    assert sum(kind == "finish" for kind, _ in calls) == len(opened)


def test_a_refusal_is_said_before_anything_is_asked(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", fake_wandb([], refuses=True))
    with pytest.raises(EurekaError, match=r"tracking\.wandb: it cannot be logged to: nobody is logged in"):
        track(story, TrackingConfig(wandb="rewards"), [])


class FakeMlflow:
    """MlflowClient, as much of it as is used."""

    uris: list[str] = []
    runs: dict[str, dict[str, str]] = {}
    points: list[tuple[str, str, float, int]] = []

    def __init__(self, tracking_uri: str) -> None:
        self.uris.append(tracking_uri)

    def get_experiment_by_name(self, name: str) -> None:
        return None

    def create_experiment(self, name: str) -> str:
        return f"id of {name}"

    def search_runs(self, experiment_ids: list[str], filter_string: str) -> list[Any]:
        wanted = filter_string.removeprefix("tags.eureka = '").removesuffix("'")
        return [SimpleNamespace(info=SimpleNamespace(run_id=n)) for n, t in self.runs.items() if t["eureka"] == wanted]

    def create_run(self, experiment_id: str, tags: dict[str, str], run_name: str) -> Any:
        self.runs[f"run {len(self.runs)}"] = tags
        return SimpleNamespace(info=SimpleNamespace(run_id=f"run {len(self.runs) - 1}"))

    def log_batch(self, run_id: str, metrics: Sequence[Any]) -> None:
        self.points.extend((run_id, m.key, m.value, m.step) for m in metrics)

    def set_terminated(self, run_id: str) -> None: ...


def test_mlflow_has_runs_below_the_searchs_and_finds_them_again(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    module, exceptions = ModuleType("mlflow"), ModuleType("mlflow.exceptions")

    def metric(key: str, value: float, timestamp: int, step: int) -> Any:
        return SimpleNamespace(key=key, value=value, timestamp=timestamp, step=step)

    exceptions.__dict__.update(MlflowException=type("MlflowException", (Exception,), {}))
    module.__dict__.update(
        MlflowClient=FakeMlflow, entities=SimpleNamespace(Metric=metric), exceptions=exceptions, __path__=[]
    )
    monkeypatch.setitem(sys.modules, "mlflow", module)
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", exceptions)
    track(story, TrackingConfig(mlflow="rewards"), [])
    assert FakeMlflow.uris == [f"sqlite:///{story.folder / 'mlflow.db'}"]
    parents = [tags.get("mlflow.parentRunId") for tags in FakeMlflow.runs.values()]
    assert parents[0] is None
    assert set(parents[1:]) == {"run 0"}
    assert ("run 0", "best_so_far", 2.0, 1) in FakeMlflow.points
    assert any(key == "task_metric" and (value, step) == (0.5, 100) for _, key, value, step in FakeMlflow.points)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka.ui.tracking.opening.find_spec", lambda name: None)
    require_trackers(RunConfig())
    with pytest.raises(ConfigError, match=r"tracking\.wandb=rewards needs the package wandb: pip install"):
        require_trackers(RunConfig(tracking=TrackingConfig(wandb="rewards")))
    with pytest.raises(ConfigError, match=r"tracking\.tensorboard=true needs the package tensorboard"):
        require_trackers(RunConfig(tracking=TrackingConfig(tensorboard=True)))
