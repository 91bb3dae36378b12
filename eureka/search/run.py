"""The inputs of a search, and the events that it emits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eureka.core import events
from eureka.core.ids import generation_of
from eureka.core.types import Origin, Phase, Rejected, Selection
from eureka.proposers.base import Proposer
from eureka.reward.analysis.screening import Screening
from eureka.search.feedback import Reviewer
from eureka.search.history import Budget, History, read_history
from eureka.search.judging import Verifier
from eureka.search.methods.base import SearchMethod
from eureka.search.outcomes import highest_score
from eureka.search.tuning import Tuning
from eureka.search.warm_start import FROM_SCRATCH, WarmStart
from eureka.store import RunStore
from eureka.trainers.base import Trainer


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that `evolve` works with, built by the composition root.

    Attributes:
        hint: a person's hint, passed to the model verbatim; `start` is the source of a person's reward to start from.
        screening: selects the rewards that are not worth training.
        tuning: makes further candidates from leading ones by changing constants; None: no tuning.
        reviewer: asks a person about every generation that the method wants reviewed.
        observe: called with every event.
        after_generation: called when a generation is recorded; must return quickly.
        warm_start: chooses the policies that trainings start from.
    """

    trainer: Trainer
    store: RunStore
    proposer: Proposer
    verifier: Verifier
    method: SearchMethod
    budget: Budget
    seed: int
    observe: events.Observer = events.ignore
    warm_start: WarmStart = FROM_SCRATCH
    hint: str = ""
    start: str = ""
    screening: Screening | None = None
    tuning: Tuning | None = None
    reviewer: Reviewer | None = None
    after_generation: Callable[[], None] = lambda: None

    def history(self, phase: Phase = Phase.SEARCH) -> History:
        """A snapshot of everything recorded so far."""
        return read_history(
            self.store, self.trainer.spec, self.budget, self.seed, phase=phase, hint=self.hint, start=self.start
        )

    def reject(self, rejected: Rejected) -> None:
        """Record a rejection, and emit its event."""
        self.store.record_rejection(rejected)
        self.observe(events.of_rejection(rejected))


def generation_started(history: History) -> events.GenerationStarted | None:
    """The event that the current generation has begun; None if its samples are not recorded yet."""
    asked = [
        attempts[0]
        for name, attempts in history.samples.items()
        if generation_of(name) == history.generation and attempts[0].origin is Origin.ASKED
    ]
    if not asked:
        return None
    parents = tuple(sample.parents for sample in asked)
    common = parents[0][0] if len(set(parents)) == 1 and len(parents[0]) == 1 else None
    return events.GenerationStarted(history.generation, common, tuple(sample.id for sample in asked), parents)


def generation_finished(history: History, selection: Selection) -> events.GenerationFinished:
    """The event that a generation has ended; `history` is the snapshot from before its selection was recorded."""
    best = highest_score(history.outcomes)
    scores = [outcome.score for outcome in history.of_generation(selection.generation)]
    return events.GenerationFinished(
        generation=selection.generation,
        best=best.candidate.id if best else None,
        score=best.score if best else None,
        trained=len(scores),
        best_of_generation=max(scores, default=None),
        leader=selection.best,
    )
