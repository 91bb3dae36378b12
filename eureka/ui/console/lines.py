"""The progress of a run as plain lines, for pipes, logs and terminals without cursor control."""

from __future__ import annotations

import time
from itertools import chain

from eureka.core.events import (
    Answered,
    CandidateRejected,
    ConfirmationStarted,
    Event,
    GenerationFinished,
    GenerationStarted,
    RetrainingStarted,
    Trained,
    TrainingProgress,
    TrainingStarted,
    Tuned,
    WorkerRestart,
)
from eureka.core.ids import INIT_ID
from eureka.core.text import counted
from eureka.evaluation.rows import REWARD_NAMES
from eureka.ui.console.board import Board
from eureka.ui.console.output import say
from eureka.ui.console.view import View

PROGRESS_INTERVAL_S = 15.0


class ProgressLines:
    """An observer that prints the progress of a search, and the results of single trainings."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._board = Board(view)
        self._started = self._said = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Print the line of an event, if it has one."""
        self._board(event)
        match event:
            case GenerationStarted():
                self._started = time.monotonic()
                names = dict.fromkeys(chain.from_iterable(event.parents))
                basis = f", shown how {', '.join(names)} trained" if names else ""
                say(f"generation {event.generation} of {self._view.generations}: {self._view.proposer} is asked{basis}")
            case Answered():
                self._answered(event)
            case Tuned():
                changed = ", ".join(f"{name} {value:.3g}" for name, value in event.constants.items())
                say(f"  {event.candidate}  {event.parent} with other constants: {changed}")
            case CandidateRejected():
                say(f"  {event.candidate}  rejected ({event.stage}): {event.reason}")
            case TrainingStarted():
                self._said = time.monotonic()
                say(f"  {self._trainings(event)}")
            case TrainingProgress() if time.monotonic() - self._said >= PROGRESS_INTERVAL_S:
                self._said = time.monotonic()
                say(f"  {self._board.share:4.0%} of the training steps")
            case Trained():
                say(f"  {self._trained(event)}")
            case WorkerRestart():
                say(f"  {event.reason}; started again for {', '.join(event.candidates)}")
            case GenerationFinished():
                self._finished(event)
            case RetrainingStarted():
                say(f"  leaders, to be trained again before the next generation: {', '.join(event.candidates)}")
            case ConfirmationStarted():
                say(f"finalists, to be trained with further seeds: {', '.join(event.candidates)}")

    def _answered(self, event: Answered) -> None:
        """Print a line if the answer took tokens, or is not the candidate's first."""
        repair = f"repair {self._board.rows[event.candidate].repairs}"
        what = "went on" if event.continues else repair if event.attempt else "answer"
        if event.input_tokens is not None and event.output_tokens is not None:
            usd = "price not known" if event.usd is None else f"${event.usd:.2g}"
            say(f"  {event.candidate}  {what}: {event.input_tokens + event.output_tokens:,} tokens, {usd}")
        elif event.attempt:
            say(f"  {event.candidate}  {what}")

    def _trainings(self, event: TrainingStarted) -> str:
        count = len(event.candidates)
        policies = f"{count} {'policy' if count == 1 else 'policies'}"
        if event.continued:
            names = ", ".join(event.candidates)
            return f"{policies} {'trains' if count == 1 else 'train'} on, to {event.steps:,} steps: {names}"
        own = f" ({self._view.called(INIT_ID)})" if set(event.candidates) == {INIT_ID} else ""
        return f"training {policies}{own}, {event.steps:,} steps each"

    def _trained(self, event: Trained) -> str:
        diverged = f", {counted(event.diverged_worlds, 'world')} diverged" if event.diverged_worlds else ""
        own = f", {self._view.called(INIT_ID)}" if event.candidate == INIT_ID else ""
        name = REWARD_NAMES.get(event.candidate, event.candidate)
        if not self._view.has_metric:
            return f"{name}  seed {event.seed}: trained{diverged}{own}"
        return (
            f"{name}  seed {event.seed}: {event.score:.3g} {self._view.unit} "
            f"(best checkpoint {event.best_checkpoint:.3g}{diverged}){own}"
        )

    def _finished(self, event: GenerationFinished) -> None:
        wall_s = time.monotonic() - self._started
        so_far = "no usable reward yet"
        if event.best is not None and event.score is not None:
            lowered = f" ({self._board.best.note})" if self._board.best and self._board.best.note else ""
            so_far = f"best so far {event.best}, {event.score:.3g} {self._view.unit}{lowered}"
            if event.leader not in (None, event.best):
                so_far += f"; the search method puts {event.leader} first"
        say(f"generation {event.generation} of {self._view.generations} finished in {wall_s:.0f} s: {so_far}")
        if self._view.spending:
            say(f"  {self._view.spending(event.generation)}")
