"""The same questions in a terminal, and the commands."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from loop_fakes import build_run

from eureka.app.cli import main
from eureka.core.training import TrainingResult
from eureka.core.types import Feedback, Verdict
from eureka.search.loop import evolve
from eureka.store import RunStore
from eureka.ui.web.review.answers import Review, read_answer, review_folder, write_review

SHOWN = ("g01-c01", "g01-c02")


@pytest.fixture
def waiting(folder: Path, make_result: Callable[..., TrainingResult]) -> Path:
    run = build_run(folder, make_result, generations=1)
    with run.store:
        evolve(run)
    write_review(folder, Review(generation=1, shown=SHOWN, parent="g01-c01", until=4e9))
    (review_folder(folder, 1) / "g01-c01.mp4").touch()
    return folder


def ask(monkeypatch: pytest.MonkeyPatch, folder: Path, typed: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    with pytest.raises(SystemExit) as ended:
        main(["review", str(folder), "--plain"])
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("2\n1\nfaster\n", ("choice", "g01-c02", "g01-c01", "faster")),
        ("g01-c01\n\n\n", ("choice", "g01-c01", None, "")),
        ("t\n\n", ("tie", None, None, "")),
        ("n\nall of them fall\n", ("none good", None, None, "all of them fall")),
        ("7\nx\n1\nt\n2\n\n", ("choice", "g01-c01", "g01-c02", "")),
        # One that says nothing and one that contradicts itself are asked again.
        ("\n\n\n1\n1\n\n\n2\n\n", ("choice", None, "g01-c02", "")),
    ],
)
def test_questions_and_answers(
    waiting: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    answer: tuple[str, str | None, str | None, str],
) -> None:
    assert ask(monkeypatch, waiting, typed) == 0
    given = read_answer(waiting, 1)
    assert given == Feedback(
        generation=1,
        verdict=Verdict(answer[0]),
        shown=SHOWN,
        best=answer[1],
        worst=answer[2],
        text=answer[3],
    )
    printed = capsys.readouterr().out
    before, _, after = printed.rpartition("a line on what should change")
    assert "cartpole, generation 1: Keep the pole" in before
    assert f"1  g01-c01 (the parent)  {review_folder(waiting, 1) / 'g01-c01.mp4'}" in before
    assert "2  g01-c02               its film is being made" in before
    assert "the run waits until 2096-" in before
    assert "task metric" not in before
    assert "task metric  best checkpoint  episode length" in after
    assert "g01-c02  1 s " in after


def test_nothing_to_review_is_one_sentence(
    waiting: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(monkeypatch, waiting, "1\n") == 1
    assert "no answer was given" in capsys.readouterr().err
    with RunStore.open(waiting) as store:
        store.record_feedback(Feedback(generation=1, verdict=Verdict.NO_ANSWER, shown=SHOWN))
    assert ask(monkeypatch, waiting, "") == 1
    assert "nothing waits for an answer; generation 1 has been answered, or the run" in capsys.readouterr().err
    (review_folder(waiting, 1) / "review.json").unlink()
    assert ask(monkeypatch, waiting, "") == 1
    assert "with search.feedback=ask a run asks after each generation" in capsys.readouterr().err


def test_a_bad_file_ends_the_command_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    (tmp_path / "feedback.yaml").write_text("1: {best: c1}")
    run = tmp_path / "run"
    for command in (
        ["run", "task=cartpole", f"output={run}", "--feedback", str(tmp_path / "feedback.yaml")],
        ["run", "-m", "task=cartpole", "seed=0,1", "--feedback", str(tmp_path / "feedback.yaml")],
    ):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code in (1, 2)
        assert not run.exists()
    errors = capsys.readouterr().err.splitlines()
    assert "feedback.yaml: generation 1: 'c1' is not a candidate id" in errors[0]
    assert "--feedback is about one run" in errors[1]
