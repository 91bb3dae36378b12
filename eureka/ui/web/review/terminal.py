"""A review in the terminal: the same questions as on the page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eureka.core.errors import FeedbackError
from eureka.core.text import table
from eureka.core.types import Feedback, Verdict
from eureka.ui.console import line
from eureka.ui.web.review.answers import Review, answered_about, review_folder, write_answer
from eureka.ui.web.review.reviewer import clock
from eureka.ui.web.review.state import ReviewPhase, ReviewState, review_state

_ALIKE = {"t": Verdict.TIE, "n": Verdict.NONE_GOOD}


@dataclass(frozen=True)
class _Choice:
    verdict: Verdict
    name: str | None = None


def review_in_terminal(run_folder: Path) -> None:
    """Ask on the terminal, write the answer for the run, and show the numbers.

    Raises:
        FeedbackError: no review waits for an answer, or the input ends before one is complete.
    """
    now = review_state(run_folder)
    if now.review is None or now.phase is not ReviewPhase.OPEN:
        raise FeedbackError(f"{run_folder}: nothing waits for an answer; {_reason(now)}")
    _show(run_folder, now, now.review)
    try:
        answer = _ask(now.review)
    except EOFError as error:
        raise FeedbackError(f"{run_folder}: no answer was given") from error
    write_answer(run_folder, answer)
    line()
    for text in _numbers(review_state(run_folder)):
        line(text)


def _reason(now: ReviewState) -> str:
    if now.review is None:
        return "with search.feedback=ask a run asks after each generation but the last"
    return f"generation {now.review.generation} has been answered, or the run has gone on without"


def _show(run_folder: Path, now: ReviewState, review: Review) -> None:
    line(f"{now.task}, generation {review.generation}: {now.sentence}")
    if review.until is not None:
        line(f"the run waits until {clock(review.until)}")
    folder = review_folder(run_folder, review.generation)
    rows = []
    for one in now.policies:
        film = str(folder / f"{one.name}.mp4") if one.film.ready else one.film.problem or "its film is being made"
        rows.append((str(one.number), f"{one.name}{' (the parent)' if one.is_parent else ''}", film))
    for text in table(rows):
        line(text)


def _ask(review: Review) -> Feedback:
    """Ask questions until the answer is complete."""
    while True:
        best = _asked(review, "best (a number, t: tie, n: none good, Enter: nobody): ", alike=True)
        worst = _Choice(Verdict.CHOICE)
        if best.verdict is Verdict.CHOICE:
            worst = _asked(review, "worst (a number, Enter: nobody): ", alike=False)
        text = input("a line on what should change (Enter: nothing): ")
        answer = Feedback(
            generation=review.generation,
            verdict=best.verdict,
            shown=(),
            best=best.name,
            worst=worst.name,
            text=text,
        )
        try:
            return answered_about(answer, review.shown)
        except FeedbackError as error:
            line(str(error))


def _asked(review: Review, question: str, *, alike: bool) -> _Choice:
    while True:
        given = input(question).strip()
        if alike and given in _ALIKE:
            return _Choice(_ALIKE[given])
        if not given:
            return _Choice(Verdict.CHOICE)
        if given in review.shown:
            return _Choice(Verdict.CHOICE, given)
        if given.isdecimal() and 1 <= int(given) <= len(review.shown):
            return _Choice(Verdict.CHOICE, review.shown[int(given) - 1])
        line(f"`{given}` is none of them: give a number from 1 to {len(review.shown)}")


def _numbers(now: ReviewState) -> list[str]:
    """The measurements, as a table."""
    measured = [one for one in now.policies if one.numbers]
    header = [("", *(name for name, _ in one.numbers)) for one in measured[:1]]
    return table([*header, *((one.name, *(value for _, value in one.numbers)) for one in measured)]) if measured else []
