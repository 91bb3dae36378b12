"""What the console shows of a run besides its events, and the earlier events of a resumed run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eureka.core.events import Event, GenerationFinished, of_answer, of_rejection, of_training
from eureka.core.ids import INIT_ID, generation_of
from eureka.core.types import PREFERENCE_UNIT

if TYPE_CHECKING:
    from eureka.store import RunStore


@dataclass(frozen=True)
class View:
    """A search, or with `generations` 0 trainings without one.

    Args:
        title: the task's name, or the name of what is trained.
        unit: unit of the task metric.
        store: the run, part of which may be done already.
        proposer: the name of the proposer.
        generations, samples: numbers of the search.
        trainings: number of trainings of every candidate.
        retrained: number of leading candidates of a generation that are trained again.
        confirmations: number of trainings of all finalists at the end.
        spending: returns the cost of a generation's answers; None if they cost nothing.
        has_metric: whether trainings have scores; otherwise a person judges later.
    """

    title: str
    unit: str
    store: RunStore
    proposer: str = ""
    generations: int = 0
    samples: int = 0
    trainings: int = 1
    retrained: int = 0
    confirmations: int = 0
    spending: Callable[[int], str] | None = None
    has_metric: bool = True

    def called(self, candidate: str) -> str:
        """A candidate's id, or the display name of the reward that the search started from: `your reward`."""
        # This imports the store and the prompts, which would slow down `eureka --help`.
        from eureka.search.start import label

        return label(self.store.facts()) if candidate == INIT_ID else candidate


def estimate_in_words(score: float, unit: str) -> str:
    """A candidate's estimated score in words: `about 1.26 m/s by all scores of the search`.

    It is shrunk towards the scores of the other candidates, so it differs from the scores printed before. A score by a
    person's preferences is no such estimate.
    """
    return f"{score:.3g} {unit}" if unit == PREFERENCE_UNIT else f"about {score:.3g} {unit} by all scores of the search"


def recorded(store: RunStore, *, comparison: bool = False) -> Iterator[Event]:
    """The recorded part of a run as events; with `comparison`, its trainings with fresh seeds."""
    if not comparison:
        for answers in store.completions().values():
            yield from map(of_answer, answers)
    # The longest first, so that shorter ones are recognised as stopped early.
    results = store.evaluations() if comparison else store.results()
    yield from map(of_training, sorted(results, key=lambda result: -result.trained_steps))
    if not comparison:
        yield from map(of_rejection, store.rejections())
        # With the store come statistics, which `eureka --help` has no time for.
        from eureka.search.outcomes import highest_score, outcomes

        found = outcomes(store)
        for generation, leader in store.finished_generations().items():
            best = highest_score(o for o in found if generation_of(o.candidate.id) <= generation)
            name, score = (best.candidate.id, best.score) if best else (leader, None)
            yield GenerationFinished(generation, name, score, leader=leader)
