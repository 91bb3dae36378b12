"""Plain lines on the terminal: tables, and the progress of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from eureka.rl.backend import Event
    from eureka.search import Outcome
    from eureka.types import Completion, Prompt, Rejected, TrainingJob, TrainingResult

PROGRESS_INTERVAL_S = 15.0


def line(text: str = "") -> None:
    """One line on stdout, at once."""
    typer.echo(text)


def error_line(text: str) -> None:
    """`error: ...` on stderr, in one line."""
    typer.echo(f"error: {' '.join(text.split())}", err=True)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the columns of `rows` aligned; the last column takes what it needs."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


class ProgressLines:
    """Prints how a search goes (a `Watcher` of `eureka.loop`) and how single trainings end."""

    def __init__(
        self, generations: int, proposer: str, unit: str, spending: Callable[[int], str] | None = None
    ) -> None:
        """`unit` is the task metric's, `proposer` the name of who is asked.

        `spending` says what a generation's answers cost; None where they cost nothing.
        """
        self._spending = spending
        self._generations = generations
        self._proposer = proposer
        self._unit = unit
        self._started = self._said = time.monotonic()
        self._steps: dict[tuple[str, int], int] = {}
        self._total_steps = 0

    def generation_started(self, generation: int, prompt: Prompt) -> None:
        """A prompt is ready and about to be answered."""
        self._started = time.monotonic()
        parent = prompt.facts.reflection
        basis = f", shown how {parent.candidate_id} trained" if parent else ""
        line(f"generation {generation} of {self._generations}: {self._proposer} is asked{basis}")

    def answered(self, completion: Completion) -> None:
        """An answer is recorded. Said where it took tokens, or is not the candidate's first."""
        usage = completion.usage
        what = "went on" if completion.continues else f"repair {completion.attempt}" if completion.attempt else "answer"
        if usage.input_tokens is not None and usage.output_tokens is not None:
            usd = "price not known" if usage.usd is None else f"${usage.usd:.2g}"
            line(f"  {completion.candidate_id}  {what}: {usage.input_tokens + usage.output_tokens:,} tokens, {usd}")
        elif completion.attempt:
            line(f"  {completion.candidate_id}  {what}")

    def rejected(self, rejected: Rejected) -> None:
        """A candidate did not make it."""
        line(f"  {rejected.candidate_id}  rejected ({rejected.stage}): {rejected.reason}")

    def training_started(self, jobs: Sequence[TrainingJob]) -> None:
        """Trainings are handed to the backend."""
        self._steps = {}
        self._total_steps = sum(job.schedule.steps for job in jobs)
        self._said = time.monotonic()
        if jobs:
            steps = jobs[0].schedule.steps
            line(f"  training {len(jobs)} {'policy' if len(jobs) == 1 else 'policies'}, {steps:,} steps each")

    def event(self, event: Event) -> None:
        """Something happened in training: a line for what matters, and one now and then for how far it is."""
        from eureka.types import Progress, TrainingResult, WorkerRestarted

        if isinstance(event, Progress):
            self._steps[event.candidate_id, event.seed] = event.steps
            if time.monotonic() - self._said >= PROGRESS_INTERVAL_S:
                self._said = time.monotonic()
                line(f"  {sum(self._steps.values()) / max(self._total_steps, 1):4.0%} of the training steps")
        elif isinstance(event, TrainingResult):
            line(f"  {self._result(event)}")
        elif isinstance(event, WorkerRestarted):
            line(f"  {event.reason}; started again for {', '.join(event.candidate_ids)}")

    def generation_finished(self, generation: int, outcomes: Sequence[Outcome], best: Outcome | None) -> None:
        """A generation is recorded."""
        del outcomes
        wall_s = time.monotonic() - self._started
        so_far = f"best so far {best.candidate.id}, {best.score:.3g} {self._unit}" if best else "no usable reward yet"
        line(f"generation {generation} of {self._generations} finished in {wall_s:.0f} s: {so_far}")
        if self._spending:
            line(f"  {self._spending(generation)}")

    def confirmation_started(self, finalists: Sequence[str]) -> None:
        """The search is over, and its best are trained with further seeds."""
        line(f"finalists, to be trained with further seeds: {', '.join(finalists)}")

    def _result(self, result: TrainingResult) -> str:
        diverged = f", {result.diverged_worlds} worlds diverged" if result.diverged_worlds else ""
        return (
            f"{result.candidate_id}  seed {result.seed}: {result.score:.3g} {self._unit} "
            f"(best checkpoint {result.best_score:.3g}{diverged})"
        )
