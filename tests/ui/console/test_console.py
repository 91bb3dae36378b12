"""What a run prints: plain lines, tables, quiet mode and JSON-lines."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from console_story import Clock, Story, answered, trainings

from eureka.core import events
from eureka.core.errors import ConfigError
from eureka.core.events import BestReward
from eureka.core.text import table
from eureka.core.training import TrainingResult
from eureka.store import RunStore
from eureka.ui.console import (
    View,
    best_reward_found,
    choose_mode,
    error_line,
    interrupted,
    line,
    print_table,
    say,
    watching,
)
from eureka.ui.console.lines import ProgressLines
from eureka.ui.console.output import visible

RESULT = TrainingResult(
    "g02-c01", 0, final_scores=(1.5,), steps=(1,), metric=(1.0,), checkpoint_scores=(1.75,), diverged_worlds=3
)
COMPARED = events.Compared((events.ComparedReward("best", (1000,), (2.5,), 2.5, 0.75, None),))
EVENTS_PAGE = Path(__file__).parents[3] / "docs" / "events.md"


@pytest.fixture(autouse=True)
def usual_mode() -> Iterator[None]:
    yield
    choose_mode()


@pytest.fixture
def view(tmp_path: Path) -> View:
    return View(
        "ant", "m/s", RunStore.create(tmp_path / "run", ""), proposer="program_search", generations=3, samples=3
    )


def test_a_generation_line_by_line(
    view: View, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("eureka.ui.console.lines.time.monotonic", lambda: now[0])
    lines = ProgressLines(view)
    names = ("g02-c01", "g02-c02", "g02-c03")
    lines(events.GenerationStarted(2, "g01-c02", names, (("g01-c02",),) * 3))
    lines(events.CandidateRejected("g02-c02", "trace", "it loops"))
    lines(trainings("g02-c01", "g02-c03", steps=500))
    lines(events.TrainingProgress("g02-c01", 0, 250, 1.0, 2.0))
    now[0] += 20
    lines(events.TrainingProgress("g02-c03", 0, 240, 1.0, 2.0))
    lines(events.WorkerRestart(1, "worker 1 was killed by signal 9", ("g02-c03",)))
    lines(events.of_training(RESULT))
    now[0] += 10
    lines(trainings("g02-c01", continued=True))
    lines(events.GenerationFinished(2, "g02-c01", 1.5, leader="g02-c01"))
    lines(events.GenerationFinished(2, "g02-c01", 1.5, leader="g01-c02"))
    lines(events.GenerationFinished(3, None, None))
    lines(events.of_training(dataclasses.replace(RESULT, candidate_id="human", diverged_worlds=1)))
    lines(events.of_training(dataclasses.replace(RESULT, candidate_id="sparse", diverged_worlds=0)))
    assert capsys.readouterr().out.splitlines() == [
        "generation 2 of 3: program_search is asked, shown how g01-c02 trained",
        "  g02-c02  rejected (trace): it loops",
        "  training 2 policies, 500 steps each",
        "   49% of the training steps",
        "  worker 1 was killed by signal 9; started again for g02-c03",
        "  g02-c01  seed 0: 1.5 m/s (best checkpoint 1.75, 3 worlds diverged)",
        "  1 policy trains on, to 1,000 steps: g02-c01",
        "generation 2 of 3 finished in 30 s: best so far g02-c01, 1.5 m/s",
        "generation 2 of 3 finished in 30 s: best so far g02-c01, 1.5 m/s; the search method puts g01-c02 first",
        "generation 3 of 3 finished in 30 s: no usable reward yet",
        "  human-written  seed 0: 1.5 m/s (best checkpoint 1.75, 1 world diverged)",
        "  bare metric  seed 0: 1.5 m/s (best checkpoint 1.75)",
    ]


def test_answers_and_what_they_cost(
    view: View, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eureka.ui.console.lines.time.monotonic", lambda: 100.0)
    lines = ProgressLines(
        dataclasses.replace(view, generations=1, spending=lambda generation: f"spent in {generation}")
    )
    lines(answered("g01-c01", (1200, 345), usd=0.01234))
    lines(answered("g01-c02", (10, 2), usd=None))
    lines(answered("g01-c02", (10, 2), usd=0.5, attempt=1, continues=True))
    lines(answered("g01-c02", (10, 2), usd=0.5, attempt=2))
    lines(answered("g01-c03", None))
    lines(answered("g01-c03", None, attempt=1))
    lines(events.GenerationFinished(1, None, None))
    assert capsys.readouterr().out.splitlines() == [
        "  g01-c01  answer: 1,545 tokens, $0.012",
        "  g01-c02  answer: 12 tokens, price not known",
        "  g01-c02  went on: 12 tokens, $0.5",
        "  g01-c02  repair 1: 12 tokens, $0.5",
        "  g01-c03  repair 1",
        "generation 1 of 1 finished in 0 s: no usable reward yet",
        "  spent in 1",
    ]


def test_tables_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert table([("a", "bb", "c"), ("aaa", "b", "c d")]) == ["a    bb  c", "aaa  b   c d"]
    error_line("two\n  lines")
    assert capsys.readouterr().err == "error: two lines\n"


def test_print_table_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("scores", ("reward", "IQM"), [("best", "2.5"), ("human", "2")], ["five seeds"])
    assert capsys.readouterr().out == "\nscores\nreward  IQM\nbest    2.5\nhuman   2\nfive seeds\n"


def test_on_a_terminal_tables_and_paragraphs_fit_its_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    say("the provider is overloaded, so it is asked again in a while")
    rows = [("best (g01-c01)", "0.50 [0.40, 0.60]", "1.25"), ("human", "-", "2")]
    print_table("scores", ("reward", "better than human", "IQM"), rows)
    shown = [re.sub(r"\x1b\[[\d;]*m", "", text).rstrip() for text in capsys.readouterr().out.splitlines()]
    assert shown == [
        "the provider is overloaded, so it is",
        "  asked again in a while",
        "",
        "scores",
        "reward          better than human   IQM",
        "────────────────────────────────────────",
        "best (g01-c01)  0.50 [0.40, 0.60]  1.25",
        "human                           -     2",
    ]


def test_what_a_model_wrote_has_no_power_over_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    line("a\x1b[2Jb\x9b31m\r\u202ec\n\td 宽 é")
    assert capsys.readouterr().out == "a\\x1b[2Jb\\x9b31m\\r\\u202ec\n\td 宽 é\n"
    assert visible("\ud800") == "\\ud800"


# ---- quiet -------------------------------------------------------------------------------------------------------


def test_quiet_says_what_the_command_gives_and_errors(
    tmp_path: Path, make_result: Callable[..., TrainingResult], capsys: pytest.CaptureFixture[str]
) -> None:
    choose_mode(quiet=True)
    story = Story(tmp_path / "run", make_result)
    with watching(story.view()) as observe:
        for _ in story.tell(observe, Clock()):
            say("on the way")
    best_reward_found(BestReward("g01-c01", 2.0, "m/s", ("a", "b"), "best/reward.py"))
    best_reward_found(BestReward("g01-c01", 1.52349, "m/s", ("a", "b"), "best/reward.py", fresh_seeds=5))
    error_line("broken")
    interrupted("eureka resume run")
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "best reward: g01-c01, about 2 m/s by all scores of the search",
        "components: a, b",
        "as a module that needs only torch: best/reward.py",
        "best reward: g01-c01, 1.523 m/s by 5 fresh seeds",
        "components: a, b",
        "as a module that needs only torch: best/reward.py",
    ]
    assert shown.err == "error: broken\ninterrupted: `eureka resume run` goes on\n"


def test_quiet_and_json_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="--quiet and --json exclude each other"):
        choose_mode(quiet=True, as_json=True)


# ---- JSON-lines --------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_json_leaves_no_room_on_stdout_for_what_libraries_print() -> None:
    text = (
        "import os; from eureka.ui.console.output import choose_mode, line; choose_mode(as_json=True); "
        "print('of Python', flush=True); os.write(1, b'of C'); os.system('echo of a program'); line('ours'); "
        "choose_mode(as_json=True); line('again')"
    )
    told = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert [json.loads(each) for each in told.stdout.splitlines()] == [
        {"event": "message", "text": "ours"},
        {"event": "message", "text": "again"},
    ]
    assert told.stderr == "of Python\nof Cof a program\n"


def written(cls: type[events.Event]) -> list[str]:
    return [entry.name for entry in dataclasses.fields(cls) if entry.metadata != events.NOT_WRITTEN]


def kinds() -> dict[str, type[events.Event]]:
    return {cls.kind: cls for cls in events.Event.__subclasses__()}


def test_json_has_one_typed_object_for_everything(
    tmp_path: Path, make_result: Callable[..., TrainingResult], capsys: pytest.CaptureFixture[str]
) -> None:
    choose_mode(as_json=True)
    story = Story(tmp_path / "run", make_result)
    with watching(story.view()) as observe:
        for step in story.tell(observe, Clock()):
            say(step)
        observe(COMPARED)
    best_reward_found(BestReward("g01-c01", 2.0, "m/s", ("a",), "best/reward.py"))
    print_table("scores", ("reward", "IQM"), [("best", "2.5")])
    error_line("broken")
    interrupted("eureka resume run")
    told: list[dict[str, Any]] = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    for event in told:
        cls = kinds()[event["event"]]
        assert list(event)[1:] == written(cls)
    assert {event["event"] for event in told} == kinds().keys()
    first = {kind: next(event for event in told if event["event"] == kind) for kind in kinds()}
    assert first["run_started"] == {
        "event": "run_started",
        "task": "ant",
        "unit": "m/s",
        "folder": str(tmp_path / "run"),
        "proposer": "openai",
        "generations": 2,
        "samples": 3,
        "finished_generations": 0,
    }
    assert first["answered"]["usd"] == 0.01
    assert first["rejected"]["stage"] == "trace"
    assert first["training_started"] == {
        "event": "training_started",
        "candidates": ["g01-c01", "g01-c03"],
        "seeds": [0, 0],
        "steps": 1000,
        "whole_steps": 1000,
        "continued": False,
    }
    assert first["progress"] == {
        "event": "progress",
        "candidate": "g01-c01",
        "seed": 0,
        "steps": 100,
        "metric": 0.5,
        "episode_length": 9.0,
    }
    assert (first["trained"]["score"], first["trained"]["scores"]) == (2.0, [1.0, 3.0])
    assert first["worker_restarted"]["candidates"] == ["g01-c03"]
    assert first["generation_finished"] == {
        "event": "generation_finished",
        "generation": 1,
        "best": "g01-c01",
        "score": 2.0,
        "trained": 1,
        "best_of_generation": 2.0,
        "leader": None,
    }
    assert first["confirmation_started"]["candidates"] == ["g02-c01", "g01-c01"]
    assert first["compared"]["rewards"] == [
        {
            "role": "best",
            "seeds": [1000],
            "scores": [2.5],
            "iqm": 2.5,
            "probability_of_improvement": 0.75,
            "human_normalised": None,
        }
    ]
    assert first["table"]["rows"] == [["best", "2.5"]]
    assert first["error"]["message"] == "broken"
    assert first["interrupted"]["command"] == "eureka resume run"


def test_every_event_and_field_is_documented() -> None:
    page = EVENTS_PAGE.read_text()
    for kind, cls in kinds().items():
        section = page.partition(f"## `{kind}`\n")[2].partition("\n## ")[0]
        assert section, f"docs/events.md has no section on {kind}"
        documented = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
        assert documented == written(cls), kind
