"""The state of a run's review, and the part of it that may be shown: no numbers before there is an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from eureka.config.settings import stored_settings
from eureka.core.ids import generation_of
from eureka.core.types import Feedback, Verdict
from eureka.search.outcomes import pooled_score
from eureka.store import RunStore
from eureka.ui.video.film import film_of_review, read_note, why_no_films
from eureka.ui.web.review.answers import Review, newest_review, read_answer


class ReviewPhase(StrEnum):
    """Whether there is a review, and whether it is answered."""

    NOTHING = "nothing"
    OPEN = "open"
    ANSWERED = "answered"


@dataclass(frozen=True)
class FilmState:
    """The state of a film: ready, impossible (`problem` says why), or pending."""

    ready: bool
    problem: str = ""


@dataclass(frozen=True)
class ReviewedPolicy:
    """One policy of a review.

    Attributes:
        number: its number, counted from 1.
        is_parent: whether it comes from an earlier generation.
        source: its reward, as the proposer wrote it.
        numbers: names and values of measurements; empty until there is an answer.
    """

    number: int
    name: str
    is_parent: bool
    source: str
    film: FilmState
    numbers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ReviewState:
    """A run's newest review with its policies; `answer` is the recorded one or, until it is recorded, the one in the
    folder.
    """

    task: str
    sentence: str
    phase: ReviewPhase
    review: Review | None = None
    answer: Feedback | None = None
    policies: tuple[ReviewedPolicy, ...] = ()

    @property
    def version(self) -> str:
        """A text that changes when another page is to be shown."""
        return f"{self.review.generation if self.review else 0}-{self.phase}"


def review_state(run_folder: Path) -> ReviewState:
    """The state of the newest review of a run.

    Raises:
        StoreError: the folder is not a run folder, or cannot be read.
        FeedbackError: an answer was edited and is invalid.
    """
    with RunStore.open(run_folder, read_only=True) as store:
        settings = stored_settings(store.config_yaml)
        sentence, task = store.facts().sentence, str(settings["task"] or settings.get("env.id"))
        review = newest_review(run_folder)
        if review is None:
            return ReviewState(task, sentence, ReviewPhase.NOTHING)
        recorded = next((said for said in store.feedback() if said.generation == review.generation), None)
        answer = recorded or read_answer(run_folder, review.generation)
        policies = _policies(store, review, with_numbers=answer is not None)
    return ReviewState(
        task, sentence, ReviewPhase.OPEN if answer is None else ReviewPhase.ANSWERED, review, answer, policies
    )


def nobody_answered(answer: Feedback | None) -> bool:
    """Whether the run continued because there was no answer in time."""
    return answer is not None and answer.verdict is Verdict.NO_ANSWER


def film_states(run_folder: Path, review: Review) -> dict[str, FilmState]:
    """The states of the films of a review, by candidate.

    Raises:
        StoreError: the note about a film cannot be read.
    """
    found = {}
    for name in review.shown:
        path = film_of_review(review.generation, name)
        note = read_note(run_folder, path)
        problem = note.error if note is not None else why_no_films(run_folder)
        found[name] = FilmState((run_folder / path).is_file(), problem)
    return found


def _policies(store: RunStore, review: Review, *, with_numbers: bool) -> tuple[ReviewedPolicy, ...]:
    films = film_states(store.folder, review)
    sources = {candidate.id: candidate.source for candidate in store.candidates()}
    numbers = _numbers(store, review.shown) if with_numbers else {}
    return tuple(
        ReviewedPolicy(
            number,
            name,
            name == review.parent or generation_of(name) < review.generation,
            sources.get(name, ""),
            films[name],
            numbers.get(name, ()),
        )
        for number, name in enumerate(review.shown, 1)
    )


def _numbers(store: RunStore, names: Sequence[str]) -> dict[str, tuple[tuple[str, str], ...]]:
    unit = store.facts().metric_unit
    found = {}
    results = store.results()
    for name in names:
        own = [result for result in results if result.candidate_id == name]
        if own:
            length = sum(result.episode_length[-1] for result in own) / len(own)
            best = max(result.best_score for result in own)
            by_metric = (
                ("task metric", f"{pooled_score(own):.3g} {unit}".strip()),
                ("best checkpoint", f"{best:.3g} {unit}".strip()),
            )
            found[name] = (*(by_metric if store.facts().has_metric else ()), ("episode length", f"{length:.0f} steps"))
    return found
