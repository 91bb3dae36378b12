"""The progress of a run as events, one JSON object a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eureka.core import events
from eureka.core.types import Completion, Progress, Prompt, Rejected, TrainingResult, WorkerRestarted
from eureka.ui.console.output import emit
from eureka.ui.console.view import View

if TYPE_CHECKING:
    from eureka.search import Outcome
    from eureka.trainers.base import TrainingEvent


class JsonLines:
    """A `Watcher` of `eureka.search.loop` that writes everything it is told."""

    def __init__(self, view: View) -> None:
        if view.generations:
            emit(
                events.RunStarted(
                    task=view.title,
                    unit=view.unit,
                    folder=str(view.store.folder),
                    proposer=view.proposer,
                    generations=view.generations,
                    samples=view.samples,
                    finished_generations=len(view.store.finished_generations()),
                )
            )

    def generation_started(self, generation: int, prompt: Prompt) -> None:
        """A prompt is ready and about to be answered."""
        parent = prompt.facts.reflection
        emit(events.GenerationStarted(generation, parent.candidate_id if parent else None))

    def answered(self, completion: Completion) -> None:
        """An answer is recorded."""
        usage = completion.usage
        emit(
            events.Answered(
                candidate=completion.candidate_id,
                attempt=completion.attempt,
                continues=completion.continues,
                model=completion.model,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                usd=usage.usd,
            )
        )

    def rejected(self, rejected: Rejected) -> None:
        """A candidate did not make it."""
        emit(events.CandidateRejected(rejected.candidate_id, rejected.stage.value, rejected.reason))

    def training_started(self, started: events.TrainingStarted) -> None:
        """Trainings are handed to the trainer."""
        emit(started)

    def event(self, event: TrainingEvent) -> None:
        """Something happened in training."""
        if isinstance(event, Progress):
            emit(
                events.TrainingProgress(event.candidate_id, event.seed, event.steps, event.metric, event.episode_length)
            )
        elif isinstance(event, TrainingResult):
            emit(
                events.Trained(
                    candidate=event.candidate_id,
                    seed=event.seed,
                    score=event.score,
                    scores=event.final_scores,
                    best_checkpoint=event.best_score,
                    diverged_worlds=event.diverged_worlds,
                    wall_s=event.wall_s,
                )
            )
        elif isinstance(event, WorkerRestarted):
            emit(events.WorkerRestart(event.worker, event.reason, event.candidate_ids))
        else:
            self.rejected(event)

    def generation_finished(self, generation: int, outcomes: Sequence[Outcome], best: Outcome | None) -> None:
        """A generation is recorded."""
        del outcomes
        emit(events.GenerationFinished(generation, best.candidate.id if best else None, best.score if best else None))

    def confirmation_started(self, finalists: Sequence[str]) -> None:
        """The search is over, and its best are trained with further seeds."""
        emit(events.ConfirmationStarted(tuple(finalists)))
