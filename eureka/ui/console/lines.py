"""The progress of a run as plain lines: for pipes, logs and terminals that cannot move their cursor."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from eureka.core.ids import INIT_ID
from eureka.ui.console.output import say
from eureka.ui.console.view import View

if TYPE_CHECKING:
    from eureka.core.events import TrainingStarted
    from eureka.core.types import Completion, Prompt, Rejected, TrainingResult
    from eureka.search import Outcome
    from eureka.trainers.base import TrainingEvent

PROGRESS_INTERVAL_S = 15.0


class ProgressLines:
    """Prints how a search goes (a `Watcher` of `eureka.search.loop`) and how single trainings end."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._started = self._said = time.monotonic()
        self._steps: dict[tuple[str, int], int] = {}
        self._total_steps = 0
        answers = chain.from_iterable(view.store.completions().values()) if view.generations else []
        self._continuations = Counter(answer.candidate_id for answer in answers if answer.continues)

    def generation_started(self, generation: int, prompt: Prompt) -> None:
        """A prompt is ready and about to be answered."""
        self._started = time.monotonic()
        parent = prompt.facts.reflection
        basis = f", shown how {parent.candidate_id} trained" if parent else ""
        say(f"generation {generation} of {self._view.generations}: {self._view.proposer} is asked{basis}")

    def answered(self, completion: Completion) -> None:
        """An answer is recorded. Said where it took tokens, or is not the candidate's first."""
        usage = completion.usage
        self._continuations[completion.candidate_id] += completion.continues
        repair = completion.attempt - self._continuations[completion.candidate_id]
        what = "went on" if completion.continues else f"repair {repair}" if completion.attempt else "answer"
        if usage.input_tokens is not None and usage.output_tokens is not None:
            usd = "price not known" if usage.usd is None else f"${usage.usd:.2g}"
            say(f"  {completion.candidate_id}  {what}: {usage.input_tokens + usage.output_tokens:,} tokens, {usd}")
        elif completion.attempt:
            say(f"  {completion.candidate_id}  {what}")

    def rejected(self, rejected: Rejected) -> None:
        """A candidate did not make it."""
        say(f"  {rejected.candidate_id}  rejected ({rejected.stage}): {rejected.reason}")

    def training_started(self, started: TrainingStarted) -> None:
        """Trainings are handed to the trainer."""
        num, steps = len(started.candidates), started.steps
        self._steps = {}
        self._total_steps = num * steps
        self._said = time.monotonic()
        policies = f"{num} {'policy' if num == 1 else 'policies'}"
        if started.continued:
            names = ", ".join(started.candidates)
            say(f"  {policies} {'trains' if num == 1 else 'train'} on, to {steps:,} steps: {names}")
            return
        own = f" ({self._view.called(INIT_ID)})" if set(started.candidates) == {INIT_ID} else ""
        say(f"  training {policies}{own}, {steps:,} steps each")

    def event(self, event: TrainingEvent) -> None:
        """Something happened in training: a line for what matters, and one now and then for how far it is."""
        from eureka.core.types import Progress, TrainingResult, WorkerRestarted

        if isinstance(event, Progress):
            self._steps[event.candidate_id, event.seed] = event.steps
            if time.monotonic() - self._said >= PROGRESS_INTERVAL_S:
                self._said = time.monotonic()
                say(f"  {sum(self._steps.values()) / max(self._total_steps, 1):4.0%} of the training steps")
        elif isinstance(event, TrainingResult):
            say(f"  {self._result(event)}")
        elif isinstance(event, WorkerRestarted):
            say(f"  {event.reason}; started again for {', '.join(event.candidate_ids)}")

    def generation_finished(self, generation: int, outcomes: Sequence[Outcome], best: Outcome | None) -> None:
        """A generation is recorded."""
        del outcomes
        wall_s = time.monotonic() - self._started
        unit = self._view.unit
        so_far = f"best so far {best.candidate.id}, {best.score:.3g} {unit}" if best else "no usable reward yet"
        say(f"generation {generation} of {self._view.generations} finished in {wall_s:.0f} s: {so_far}")
        if self._view.spending:
            say(f"  {self._view.spending(generation)}")

    def confirmation_started(self, finalists: Sequence[str]) -> None:
        """The search is over, and its best are trained with further seeds."""
        say(f"finalists, to be trained with further seeds: {', '.join(finalists)}")

    def _result(self, result: TrainingResult) -> str:
        diverged = f", {result.diverged_worlds} worlds diverged" if result.diverged_worlds else ""
        own = f", {self._view.called(INIT_ID)}" if result.candidate_id == INIT_ID else ""
        if not self._view.has_metric:
            return f"{result.candidate_id}  seed {result.seed}: trained{diverged}{own}"
        return (
            f"{result.candidate_id}  seed {result.seed}: {result.score:.3g} {self._view.unit} "
            f"(best checkpoint {result.best_score:.3g}{diverged}){own}"
        )
