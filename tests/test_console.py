"""What a run prints."""

from __future__ import annotations

import pytest

import eureka.console
from eureka.console import ProgressLines, error_line, table
from eureka.search import Outcome
from eureka.types import (
    Candidate,
    Completion,
    PPOConfig,
    Progress,
    Prompt,
    PromptFacts,
    Reflection,
    Rejected,
    Schedule,
    Stage,
    TrainingJob,
    TrainingResult,
    Usage,
    WorkerRestarted,
)

SCHEDULE = Schedule(num_envs=2, steps=1000, checkpoints=1, eval_episodes=1, ppo=PPOConfig())
RESULT = TrainingResult(
    "g02-c01", 0, (1,), (1.0,), (1.0,), (1.0,), {"a": (1.0,)}, {}, (1.5,), (1.75,), b"", diverged_worlds=3
)
PARENT = Reflection("g01-c02", "", (), (), 0.0, 0.0, (), (), ())


def test_a_generation_line_by_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(eureka.console.time, "monotonic", lambda: now[0])
    lines = ProgressLines(3, "program_search", "m/s")
    lines.generation_started(2, Prompt((), PromptFacts("ant", 0, 2, (), reflection=PARENT)))
    lines.rejected(Rejected("g02-c02", Stage.TRACE, "it loops", "it loops"))
    lines.training_started([TrainingJob("g02-c01", "{}", 0, SCHEDULE), TrainingJob("g02-c03", "{}", 0, SCHEDULE)])
    lines.event(Progress("g02-c01", 0, 500, 1.0, 2.0))
    now[0] += 20
    lines.event(Progress("g02-c03", 0, 500, 1.0, 2.0))
    lines.event(WorkerRestarted(1, "worker 1 was killed by signal 9", ("g02-c03",)))
    lines.event(RESULT)
    now[0] += 10
    lines.generation_finished(2, [], Outcome(Candidate("g02-c01", "", ()), (RESULT,)))
    lines.generation_finished(3, [], None)
    assert capsys.readouterr().out.splitlines() == [
        "generation 2 of 3: program_search is asked, shown how g01-c02 trained",
        "  g02-c02  rejected (trace): it loops",
        "  training 2 policies, 1,000 steps each",
        "   50% of the training steps",
        "  worker 1 was killed by signal 9; started again for g02-c03",
        "  g02-c01  seed 0: 1.5 m/s (best checkpoint 1.75, 3 worlds diverged)",
        "generation 2 of 3 finished in 30 s: best so far g02-c01, 1.5 m/s",
        "generation 3 of 3 finished in 30 s: no usable reward yet",
    ]


def test_answers_and_what_they_cost(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ProgressLines(1, "openai", "s", lambda generation: f"spent in {generation}")
    lines.answered(Completion("g01-c01", "", "m", Usage(1200, 345, usd=0.01234)))
    lines.answered(Completion("g01-c02", "", "m", Usage(10, 2)))
    lines.answered(Completion("g01-c02", "", "m", Usage(10, 2, usd=0.5), attempt=1, continues=True))
    lines.answered(Completion("g01-c03", "", "m", attempt=2))
    lines.answered(Completion("g01-c04", "", "m"))
    lines.generation_finished(1, [], None)
    assert capsys.readouterr().out.splitlines() == [
        "  g01-c01  answer: 1,545 tokens, $0.012",
        "  g01-c02  answer: 12 tokens, price not known",
        "  g01-c02  went on: 12 tokens, $0.5",
        "  g01-c03  repair 2",
        "generation 1 of 1 finished in 0 s: no usable reward yet",
        "  spent in 1",
    ]


def test_nothing_to_train_is_not_announced(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ProgressLines(1, "replay", "s")
    lines.generation_started(1, Prompt((), PromptFacts("ant", 0, 1, ())))
    lines.training_started([])
    assert capsys.readouterr().out == "generation 1 of 1: replay is asked\n"


def test_tables_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert table([("a", "bb", "c"), ("aaa", "b", "c d")]) == ["a    bb  c", "aaa  b   c d"]
    error_line("two\n  lines")
    assert capsys.readouterr().err == "error: two lines\n"
