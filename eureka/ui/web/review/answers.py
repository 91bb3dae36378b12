"""The files of a review in a run folder.

review/generation_02/
  review.json               what there is to review, and until when the run waits
  g02-c05.mp4, .jpg, .json  the film of a policy, its first picture, and its note: what it shows, or why there is none
  answer.json               what the person said, until it is recorded in run.db
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from eureka.core.errors import FeedbackError
from eureka.core.ids import is_candidate_id
from eureka.core.serialize import DecodeError, dumps, loads
from eureka.core.types import Feedback, Verdict
from eureka.store.files import read_text, store_errors, write_atomically

T = TypeVar("T")

MAX_TEXT = 500
"""Maximum number of characters of a person's text about one generation."""
_JOINERS = "\u200c\u200d"
"""Invisible characters that are part of the spelling of some languages."""
_ANSWER, _REVIEW = "answer.json", "review.json"


@dataclass(frozen=True, kw_only=True)
class Review:
    """The candidates to review: the trained ones of a generation and, if there is one, its `parent`.

    `until` is the time when the run continues without an answer, in seconds since 1970; None: it waits without limit.
    """

    generation: int
    shown: tuple[str, ...]
    parent: str | None = None
    until: float | None = None


def review_folder(run_folder: Path, generation: int) -> Path:
    """The path `review/generation_02`, whether it exists or not."""
    return run_folder / "review" / f"generation_{generation:02d}"


def write_review(run_folder: Path, review: Review) -> None:
    """Write a review to its folder. Raises StoreError if the disk fails."""
    _write(run_folder, review.generation, _REVIEW, dumps(review))


def newest_review(run_folder: Path) -> Review | None:
    """The latest review, None if there was none yet.

    Raises:
        StoreError: the file cannot be read.
        FeedbackError: the file was edited and is invalid.
    """
    with store_errors("read what there is to review", run_folder):
        paths = sorted(run_folder.glob(f"review/generation_*/{_REVIEW}"), key=lambda path: _number(path.parent))
        text = read_text(paths[-1], within=run_folder) if paths else None
    if text is None:
        return None
    review = _decoded(Review, text, paths[-1])
    for name in (*review.shown, *([review.parent] if review.parent else [])):
        if not is_candidate_id(name):
            raise FeedbackError(f"{paths[-1]}: {name[:80]!r} is not a candidate id such as g02-c05; delete the file")
    return review


def write_answer(run_folder: Path, answer: Feedback) -> None:
    """Write an answer for the run. Raises StoreError if the disk fails."""
    _write(run_folder, answer.generation, _ANSWER, dumps(answer))


def read_answer(run_folder: Path, generation: int) -> Feedback | None:
    """The answer for a generation, None if there is none.

    Raises:
        FeedbackError: the file was edited and is invalid.
        StoreError: the disk fails.
    """
    path = review_folder(run_folder, generation) / _ANSWER
    with store_errors(f"read {_ANSWER}", run_folder):
        text = read_text(path, within=run_folder) if path.is_file() else None
    return None if text is None else _decoded(Feedback, text, path)


def answered_about(answer: Feedback, shown: tuple[str, ...]) -> Feedback:
    """The answer, checked against the candidates that were shown.

    Raises:
        FeedbackError: the answer names another candidate, or the same as best and worst, or is empty.
    """
    where = f"the answer about generation {answer.generation}"
    for kind, name in (("best", answer.best), ("worst", answer.worst)):
        if name is not None and name not in shown:
            raise FeedbackError(f"{where}: {kind} {name} is not among those to choose from: {', '.join(shown)}")
    require_sense(answer, where)
    return replace(answer, shown=shown, text=one_line(answer.text))


def require_sense(answer: Feedback, where: str) -> None:
    """Raise FeedbackError if an answer is empty, contradicts itself or is too long."""
    chosen = [name for name in (answer.best, answer.worst) if name is not None]
    if answer.verdict is not Verdict.CHOICE and chosen:
        raise FeedbackError(f"{where}: it is `{answer.verdict}` and names {chosen[0]} all the same: leave one out")
    if len(chosen) == 2 and chosen[0] == chosen[1]:
        raise FeedbackError(f"{where}: {chosen[0]} is both the best and the worst; name two, or one of them only")
    if answer.verdict is Verdict.CHOICE and not chosen and not answer.text.strip():
        raise FeedbackError(f"{where}: it says nothing; choose a best or a worst, a tie, none good, or write a line")
    if len(answer.text) > MAX_TEXT:
        raise FeedbackError(f"{where}: the text has {len(answer.text)} characters; at most {MAX_TEXT} go into a prompt")


def one_line(text: str) -> str:
    """The text in one line, without invisible characters, so that it cannot imitate other parts of a prompt."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable() or c in _JOINERS)


def _write(run_folder: Path, generation: int, name: str, text: str) -> None:
    path = review_folder(run_folder, generation) / name
    with store_errors(f"write {path.relative_to(run_folder)}", run_folder):
        write_atomically(path, text.encode())


def _decoded(cls: type[T], text: str, path: Path) -> T:
    try:
        return loads(cls, text)
    except DecodeError as error:
        raise FeedbackError(f"{path}: cannot be read ({error}): delete it, and answer again") from error


def _number(folder: Path) -> int:
    found = re.search(r"\d+$", folder.name)
    return int(found[0]) if found else 0
