"""The run's side of a review: writes what is to be reviewed, waits for the answer, and continues without one after a
time limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from eureka.config import FeedbackMode, RunConfig
from eureka.core.errors import FeedbackError
from eureka.core.types import Feedback, Verdict
from eureka.proposers.replay import ReplayConfig, is_answer_folder
from eureka.store import RunStore
from eureka.ui.web.review.answers import Review, answered_about, read_answer, write_answer, write_review

POLL_S = 0.5


@dataclass(frozen=True)
class PersonReviewer:
    """Asks a person for an opinion of a generation's policies (a `Reviewer` of `eureka.search.feedback`).

    An answer that is already in the run folder, from `--feedback` or written while the run was stopped, is used without
    asking.

    Args:
        folder: the run folder.
        asks: whether a person is asked if there is no answer.
        timeout_s: time limit for an answer; None: no limit.
        say: called with one line per event.
        film: queues films of these policies of a generation.
        replayed: answers of the replayed run, by generation.
    """

    folder: Path
    asks: bool
    timeout_s: float | None
    say: Callable[[str], None]
    film: Callable[[int, Sequence[str]], None]
    replayed: Mapping[int, Feedback] = field(default_factory=dict)

    def review(self, generation: int, shown: Sequence[str], parent: str | None) -> Feedback | None:
        """A person's judgement of the shown candidates; None if no person is asked.

        Raises:
            FeedbackError: an answer given in advance names another candidate.
        """
        names = tuple(shown)
        given = read_answer(self.folder, generation)
        if given is None:
            given = self._replayed(generation, names)
        if given is not None:
            return self._accepted(given, names)
        if not self.asks:
            return None
        until = None if self.timeout_s is None else time.time() + self.timeout_s
        return self._wait(Review(generation=generation, shown=names, parent=parent, until=until))

    def _replayed(self, generation: int, names: tuple[str, ...]) -> Feedback | None:
        """The answer in the replayed run, if it is about the same policies."""
        recorded = self.replayed.get(generation)
        return recorded if recorded is not None and set(recorded.shown) == set(names) else None

    def _accepted(self, given: Feedback, names: tuple[str, ...]) -> Feedback:
        if given.verdict is Verdict.NO_ANSWER:
            return given
        try:
            accepted = answered_about(given, names)
        except FeedbackError as error:
            raise FeedbackError(
                f"{error}; mend it, and give it anew with `eureka resume {self.folder} --feedback FILE`"
            ) from error
        self.say(f"generation {given.generation} was judged by a person: {described(accepted)}")
        return accepted

    def _wait(self, review: Review) -> Feedback:
        write_review(self.folder, review)
        generation = review.generation
        self.say(
            f"generation {generation} can be reviewed: `eureka review {self.folder}`; the run waits "
            + (f"until {clock(review.until)}, then it goes on without" if review.until else "as long as it takes")
        )
        self.film(generation, review.shown)
        while (answer := read_answer(self.folder, generation)) is None:
            if review.until is not None and time.time() >= review.until:
                self.say(f"nobody reviewed generation {generation} in time: the run goes on without")
                return Feedback(generation=generation, verdict=Verdict.NO_ANSWER, shown=review.shown)
            time.sleep(POLL_S)
        return self._accepted(answer, review.shown)


def make_reviewer(
    config: RunConfig,
    store: RunStore,
    say: Callable[[str], None],
    film: Callable[[int, Sequence[str]], None],
) -> PersonReviewer:
    """The reviewer of a run's generations, which asks a person or uses recorded answers.

    Raises:
        StoreError: the replayed run cannot be read.
    """
    recorded: list[Feedback] = []
    if _replays_run(config):
        assert isinstance(config.llm, ReplayConfig)
        with RunStore.open(Path(config.llm.run), read_only=True) as replayed:
            recorded = replayed.feedback()
    return PersonReviewer(
        folder=store.folder,
        asks=config.search.feedback is FeedbackMode.ask,
        timeout_s=config.search.feedback_timeout_s,
        say=say,
        film=film,
        replayed={said.generation: said for said in recorded},
    )


def asks_somebody(config: RunConfig) -> bool:
    """Whether a run asks a person, or replays a run that may have done so."""
    return config.search.feedback is FeedbackMode.ask or _replays_run(config)


def leave_answers(folder: Path, answers: Sequence[Feedback]) -> None:
    """Write answers given in advance to the place where the run looks for them."""
    for answer in answers:
        write_answer(folder, answer)


def described(feedback: Feedback) -> str:
    """An answer in words, for a progress line."""
    chosen = [f"{kind} {name}" for kind, name in (("best", feedback.best), ("worst", feedback.worst)) if name]
    said = ", ".join(chosen) if feedback.verdict is Verdict.CHOICE else str(feedback.verdict)
    quoted = f'"{feedback.text}"' if feedback.text else ""
    return "; ".join(part for part in (said, quoted) if part)


def clock(moment: float | None) -> str:
    """A time as text: `17:45`, with the date if it is on another day; `any time` for None."""
    if moment is None:
        return "any time"
    then = datetime.fromtimestamp(moment)
    return f"{then:%H:%M}" if then.date() == datetime.now().date() else f"{then:%Y-%m-%d %H:%M}"


def _replays_run(config: RunConfig) -> bool:
    """Whether another run is replayed, which may have a person's answers; a folder of answers has none."""
    return isinstance(config.llm, ReplayConfig) and not is_answer_folder(Path(config.llm.run))
