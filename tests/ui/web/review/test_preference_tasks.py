"""`fitness: preference`: a person's preferences in the place of a task metric."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from loop_fakes import ScriptedTrainer, build_run, prompt_of
from preference_task import write_task

from eureka.app.build import judged_by_preferences
from eureka.app.configs import compose_config
from eureka.app.estimate import num_trainings
from eureka.app.preparing import search_session
from eureka.app.session import SearchSession
from eureka.config import RunConfig, to_yaml
from eureka.core.errors import ConfigError, StoreError, TaskError
from eureka.core.events import GenerationFinished, TrainingProgress, of_training
from eureka.core.training import TrainingResult
from eureka.core.types import Feedback, Verdict
from eureka.search.loop import evolve
from eureka.search.outcomes import outcomes
from eureka.search.status import candidate_statuses
from eureka.store import Fitness, RunFacts, RunStore
from eureka.tasks import load_task
from eureka.tasks.describe import describe
from eureka.tasks.preference import NO_METRIC
from eureka.ui.console.board import Board
from eureka.ui.console.lines import ProgressLines
from eureka.ui.console.view import View
from eureka.ui.report import render_report
from eureka.ui.web.review.reviewer import PersonReviewer, leave_answers
from eureka.ui.web.review.state import review_state

Make = Callable[..., TrainingResult]


def choice(generation: int, best: str, worst: str | None = None) -> Feedback:
    return Feedback(generation=generation, verdict=Verdict.CHOICE, shown=(), best=best, worst=worst, text="")


def test_a_task_needs_no_metric_function(tmp_path: Path) -> None:
    task = load_task("balance", [write_task(tmp_path)])
    assert not task.info.has_metric
    assert task.metric is NO_METRIC
    state = task.State(*(torch.ones(3) for _ in task.fields))
    assert task.metric.value(state).tolist() == [0.0, 0.0, 0.0]
    assert "metric: none; a person's preferences as Bradley-Terry scores" in list(describe(task))
    assert "metric" not in task.shown_source


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"fitness": "metric"}, r"env\.py: class Cartpole lacks metric"),
        ({"fitness": "applause"}, "`fitness` must be 'metric' or 'preference', not 'applause'"),
        ({"keep_metric": True}, "Cartpole has a metric, and task.yaml says fitness: preference"),
    ],
)
def test_a_task_that_contradicts_itself_is_refused(tmp_path: Path, options: dict, sentence: str) -> None:
    with pytest.raises(TaskError, match=sentence):
        load_task("balance", [write_task(tmp_path, **options)])


def test_somebody_must_judge(tmp_path: Path) -> None:
    dirs = [write_task(tmp_path)]

    def require(config: RunConfig, task: str = "balance", has_answers: bool = False) -> None:
        session = SimpleNamespace(spec=load_task(task, dirs).spec, config=config)
        SearchSession.require_judge(session, has_answers=has_answers)  # type: ignore[arg-type]

    silent = compose_config(["task=balance"], dirs)
    with pytest.raises(ConfigError, match=r"task balance has no metric .*search\.feedback=ask, or --feedback FILE"):
        require(silent)
    require(silent, has_answers=True)
    require(silent, task="cartpole")
    require(compose_config(["task=balance", "search.feedback=ask"], dirs))


@pytest.fixture
def judged(tmp_path: Path, make_result: Make) -> Path:
    """Three generations of two: the person's favourites are g01-c01, g02-c01 and again g02-c01."""
    folder = tmp_path / "run"
    facts = RunFacts(
        fitness=Fitness.PREFERENCE,
        metric_unit=NO_METRIC.unit,
        metric=NO_METRIC.description,
        proposer="a fake",
        sentence="Balance.",
    )
    RunStore.create(folder, to_yaml(compose_config(["task=cartpole"])), facts).close()
    leave_answers(folder, [choice(1, "g01-c01"), choice(2, "g02-c01", "g02-c02"), choice(3, "g02-c01", "g03-c02")])
    reviewer = PersonReviewer(
        folder, asks=False, timeout_s=None, say=lambda text: None, film=lambda generation, names: None
    )
    trainer = ScriptedTrainer(make_result, dict.fromkeys([f"g0{g}-c0{s}" for g in (1, 2, 3) for s in (1, 2)], 0.0))
    trainer.spec = load_task("balance", [write_task(tmp_path)]).spec
    run = build_run(folder, make_result, reviewer=reviewer, trainer=trainer)
    with run.store:
        assert evolve(run).candidate.id == "g02-c01"
    return folder


def test_preferences_choose_the_parents_and_the_best(judged: Path) -> None:
    with RunStore.open(judged, read_only=True) as store:
        assert store.finished_generations() == {1: "g01-c01", 2: "g02-c01", 3: "g02-c01"}
        assert [said.shown[0] for said in store.feedback()] == ["g01-c01", "g01-c01", "g02-c01"]
        scores = {outcome.candidate.id: outcome.score for outcome in outcomes(store)}
        assert sorted(scores, key=lambda name: -scores[name])[0] == "g02-c01"
        assert scores["g02-c01"] > scores["g01-c01"] > scores["g01-c02"]
        assert scores["g03-c01"] > scores["g03-c02"]
        assert {status.candidate_id: status.score for status in candidate_statuses(store)} == scores
        prompt = prompt_of(store, 3)
    assert prompt is not None
    reflection = prompt.facts.reflection
    assert reflection is not None
    assert (reflection.candidate_id, reflection.metric_points) == ("g02-c01", ())
    assert "preference score" in prompt.messages[1].content
    for message in prompt.messages:
        assert "metric" not in message.content.replace("there is no task metric", "")


def test_a_report_speaks_of_preference_scores(judged: Path) -> None:
    with RunStore.open(judged, read_only=True) as store:
        page = render_report(store)
    text = re.sub(r"<[^>]+>", "", page.partition("<main")[2].partition("<script")[0])
    assert "g02-c01 is the best of 6 trained rewards, as a person chose." in text
    assert "preference score" in text
    assert "best checkpoint 0" not in text
    numbers = review_state(judged)
    assert numbers.phase == "nothing"


def test_the_console_shows_no_score_of_a_training(
    judged: Path, make_result: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    with RunStore.open(judged, read_only=True) as store:
        view = View("balance", NO_METRIC.unit, store, generations=3, samples=2, has_metric=False)
        lines = ProgressLines(view)
        trained = of_training(make_result("g01-c01", (0.0,)))
        lines(trained)
        best = next(outcome for outcome in outcomes(store) if outcome.candidate.id == "g02-c01")
        lines(GenerationFinished(2, "g02-c01", best.score))
        board = Board(view)
        board(TrainingProgress("g01-c01", 0, 100, 0.0, 10.0))
        board(trained)
    printed = capsys.readouterr().out
    assert "g01-c01  seed 0: trained\n" in printed
    assert re.search(r"best so far g02-c01, \d\.\d+ preference score", printed)
    assert all(row.metric is None and row.score is None for row in board.rows.values())


@pytest.mark.process
def test_evaluate_and_preflight_are_refused_with_one_sentence(tmp_path: Path) -> None:
    from eureka.app.comparing import evaluate_run

    dirs = [write_task(tmp_path)]
    config = compose_config(["task=balance", "search.feedback=ask"], dirs)
    message = "task balance has no metric, so rewards cannot be compared by it"
    created = RunStore.create(tmp_path / "run", to_yaml(config))
    with created as store, pytest.raises(StoreError, match=message):
        evaluate_run(store, None, None, dirs, {})
    for override, key in (("search.preflight=true", "preflight=true"), ("train.target=3", "train.target")):
        asked = compose_config(["task=balance", override], dirs)
        with (
            pytest.raises(ConfigError, match=f"{key} needs a task metric, and balance has none"),
            search_session(asked, dirs, {}),
        ):
            pass


def test_nothing_is_measured_once_more_without_a_metric() -> None:
    given = compose_config(["task=cartpole", "search.finalists=3", "search.confirmation_seeds=2", "evaluation.seeds=3"])
    config = judged_by_preferences(given)
    assert (config.search.finalists, config.evaluation.seeds) == (1, 0)
    assert num_trainings(config) == config.search.generations * config.search.samples


@pytest.mark.process
def test_a_whole_run_from_the_command_line(tmp_path: Path) -> None:
    dirs = write_task(tmp_path)
    (tmp_path / "feedback.yaml").write_text("1: {best: g01-c02}\n2: {best: g02-c01, text: steadier}\n")
    keys = [
        "search.generations=2",
        "search.samples=2",
        "train.steps=1500",
        "train.eval_episodes=1",
        "report.films=none",
    ]
    command = [sys.executable, "-m", "eureka", "run", "task=balance", "--task-dir", str(dirs), *keys]
    done = subprocess.run(
        [*command, "llm=program_search", "--feedback", "feedback.yaml", "output=run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")},
    )
    assert done.returncode == 0, done.stderr
    out = done.stdout
    assert "metric access: no, there is none" in out
    assert "the task has no metric, so there is no comparison: a person's preferences chose the best" in out
    assert re.search(r"best reward: g02-c01, \d\.\d+ preference score", out)
    assert (
        "preference score (a person's preferences as Bradley-Terry scores)"
        in (tmp_path / "run/best/reward.py").read_text()
    )
    assert "as a person chose" in (tmp_path / "run" / "report.html").read_text()
