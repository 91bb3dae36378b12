"""The state of every candidate of a generation during a run: the model behind the live table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from eureka.core.events import (
    Answered,
    CandidateRejected,
    ConfirmationStarted,
    Event,
    GenerationFinished,
    GenerationStarted,
    Trained,
    TrainingProgress,
    TrainingStarted,
    WorkerRestart,
)
from eureka.core.ids import INIT_ID
from eureka.ui.console.view import View, recorded

NUM_RESAMPLES = 2000
"""Number of bootstrap samples of an interval in the table."""


class RowState(StrEnum):
    """The state of a candidate; `STOPPED` was trained in part, `EARLIER` is the best of earlier generations."""

    ASKED = "asked"
    ANSWERED = "answered"
    REPAIRED = "repaired"
    REJECTED = "rejected"
    WAITING = "waiting"
    TRAINING = "training"
    STOPPED = "stopped"
    DONE = "done"
    EARLIER = "best so far"


@dataclass(frozen=True)
class Score:
    """Mean task metric of the evaluation episodes, with a 95% bootstrap interval, None for a single value.

    The interval is over seeds if there are several, else over episodes.
    """

    mean: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Row:
    """One candidate, or one reward that is trained. Steps are those of all its seeds together.

    `jobs` and `steps` are by seed: the steps to train, and those trained. `trained` counts the steps since `began`, the
    time of its first progress event.
    """

    name: str
    state: RowState = RowState.ASKED
    repairs: int = 0
    rejected: CandidateRejected | None = None
    note: str = ""
    jobs: Mapping[int, int] = field(default_factory=dict)
    steps: Mapping[int, int] = field(default_factory=dict)
    metric: float | None = None
    score: Score | None = None
    began: float | None = None
    trained: int = 0

    @property
    def done_steps(self) -> int:
        return sum(self.steps.values())

    @property
    def total_steps(self) -> int:
        return sum(self.jobs.values())

    @property
    def share(self) -> float:
        """The share of its steps that are done, from 0 to 1."""
        return self.done_steps / self.total_steps if self.total_steps else 0.0

    def seconds_left(self, now: float) -> float | None:
        """The remaining seconds, from its own speed so far; None before that is known."""
        if self.state is not RowState.TRAINING or self.began is None or self.trained == 0:
            return None
        return (self.total_steps - self.done_steps) * (now - self.began) / self.trained


class Board:
    """The content of the table, updated by events. Not safe to use from several threads at once."""

    def __init__(self, view: View, clock: Callable[[], float] = time.monotonic) -> None:
        self.view = view
        self.generation = 0
        self.confirming = False
        self.rows: dict[str, Row] = {}
        self.best: Row | None = None
        self.answers: list[Answered] = []
        self._known: dict[str, Row] = {}
        self._clock = clock
        self._started = clock()
        self._scores: dict[str, dict[int, tuple[float, ...]]] = {}
        self._steps: dict[str, dict[int, int]] = {}
        self._whole_steps = self._trained = self._begun = self._finished = 0
        self._is_over = False
        self._training: frozenset[str] = frozenset()
        self._training_s = 0.0
        self._phase_began: float | None = None
        for event in recorded(view.store, comparison=not view.generations):
            self(event)
        self.rows = {}

    def __call__(self, event: Event) -> None:
        """Update the table by an event."""
        match event:
            case GenerationStarted():
                self._generation_started(event)
            case Answered():
                self.answers.append(event)
                repairs = self._row(event.candidate).repairs + (event.attempt > 0 and not event.continues)
                state = RowState.REPAIRED if repairs else RowState.ANSWERED
                self._change(event.candidate, state=state, repairs=repairs, rejected=None)
            case CandidateRejected():
                self._change(event.candidate, state=RowState.REJECTED, rejected=event)
            case TrainingStarted():
                self._training_started(event)
            case TrainingProgress():
                self._progress(event)
            case Trained():
                self._result(event)
            case WorkerRestart():
                for name in event.candidates:
                    self._change(name, note=f"started again: {event.reason}")
            case GenerationFinished():
                self._generation_finished(event)
            case ConfirmationStarted():
                self.confirming = True
                self.rows = {name: Row(name, RowState.WAITING, score=self._score(name)) for name in event.candidates}

    # ---- what happens --------------------------------------------------------------------------------------------

    def _generation_started(self, event: GenerationStarted) -> None:
        self.generation = event.generation
        self._begun += 1
        self._is_over = False
        given = [INIT_ID] if event.generation == 1 and INIT_ID in self._known else []
        self.rows = {name: self._row(name) for name in [*given, *event.candidates]}

    def _training_started(self, event: TrainingStarted) -> None:
        self._whole_steps = event.whole_steps
        jobs: dict[str, dict[int, int]] = {}
        for name, seed in zip(event.candidates, event.seeds, strict=True):
            jobs.setdefault(name, {})[seed] = event.steps
        self._training = frozenset(jobs)
        for name, mine in jobs.items():
            self._change(name, state=RowState.WAITING, jobs=mine, steps={}, began=None, trained=0)

    def _progress(self, progress: TrainingProgress) -> None:
        row = self._row(progress.candidate)
        if progress.seed not in row.jobs:
            return
        # The first progress may count steps that were trained before the run was stopped.
        more = max(progress.steps - row.steps.get(progress.seed, progress.steps), 0)
        self._trained += more
        self._phase_began = self._clock() if self._phase_began is None else self._phase_began
        self._change(
            row.name,
            state=RowState.TRAINING,
            steps={**row.steps, progress.seed: progress.steps},
            metric=progress.metric if self.view.has_metric else None,
            began=self._clock() if row.began is None else row.began,
            trained=row.trained + more,
        )

    def _result(self, event: Trained) -> None:
        name = event.candidate
        row = self._row(name)
        steps = row.jobs.get(event.seed) or (event.result.trained_steps if event.result else 0)
        self._scores.setdefault(name, {})[event.seed] = event.scores
        self._steps.setdefault(name, {})[event.seed] = steps
        self._whole_steps = max(self._whole_steps, steps)
        state = row.state
        if row.jobs.keys() <= self._scores[name].keys():
            state = RowState.STOPPED if min(self._steps[name].values()) < self._whole_steps else RowState.DONE
        metric = event.score if self.view.has_metric else None
        steps_by_seed = {**row.steps, event.seed: steps} if row.jobs else {}
        self._change(name, state=state, steps=steps_by_seed, metric=metric, score=self._score(name))

    def _generation_finished(self, event: GenerationFinished) -> None:
        self._training_s += self._phase_s()
        self._phase_began = None
        self._finished += 1
        self._is_over = True
        if event.best is not None:
            self.best = Row(event.best, RowState.EARLIER, score=self._score(event.best), note=self._lowered(event.best))

    def _lowered(self, best: str) -> str:
        """Why the best has a lower score than the previous best: further seeds have lowered that one's."""
        before, now = self.best, self._score(best)
        if before is None or before.score is None or now is None or now.mean >= before.score.mean:
            return ""
        again = self._score(before.name)
        if again is None or again.mean >= before.score.mean:
            return ""
        whose = "its" if before.name == best else f"{self.view.called(before.name)}'s"
        return f"{whose} mean score was {before.score.mean:.3g} before further seeds"

    # ---- what follows from it ------------------------------------------------------------------------------------

    def leader(self) -> str | None:
        """The best candidate: the search's choice once a generation is over, until then the one with the highest mean.

        Trainings that were stopped early are ignored if there are complete ones.
        """
        if self._is_over and not self.confirming:
            return self.best.name if self.best else None
        best = self.best and self._row(self.best.name)
        whole = [row for row in self.rows.values() if row.state is RowState.DONE]
        scored = [row for row in (*([best] if best else []), *whole) if row.score]
        return max(scored, key=lambda row: row.score.mean if row.score else 0.0).name if scored else None

    @property
    def share(self) -> float:
        """The share of the current trainings' steps that are done, from 0 to 1."""
        trained = [row for row in self.rows.values() if row.name in self._training]
        return sum(row.done_steps for row in trained) / max(sum(row.total_steps for row in trained), 1)

    def now(self) -> float:
        """The current time in seconds, on the clock of the rows' times."""
        return self._clock()

    def elapsed_s(self) -> float:
        """The seconds since this process began."""
        return self._clock() - self._started

    def seconds_left(self) -> float | None:
        """The remaining seconds of the whole run, from its speed so far; None before that is known, and if nothing is
        left.
        """
        view = self.view
        open_rows = [row for row in self.rows.values() if row.state in (RowState.WAITING, RowState.TRAINING)]
        steps = sum(row.total_steps - row.done_steps for row in open_rows)
        generations = max(view.generations - max(self.generation, self._finished), 0)
        candidates = generations * view.samples + max(generations - 1, 0) * view.retrained
        steps += candidates * view.trainings * self._whole_steps
        steps += 0 if self.confirming else view.confirmations * self._whole_steps
        if not self._trained or not steps:
            return None
        training_s = self._training_s + self._phase_s()
        beside_s = (self.elapsed_s() - training_s) / max(self._begun, 1)
        return steps * training_s / self._trained + generations * beside_s

    def _phase_s(self) -> float:
        """The seconds since the first progress of the current trainings."""
        return self._clock() - self._phase_began if self._phase_began is not None else 0.0

    # ---- inside --------------------------------------------------------------------------------------------------

    def _row(self, name: str) -> Row:
        return self.rows.get(name) or self._known.get(name) or Row(name)

    def _score(self, name: str) -> Score | None:
        return score(self._scores[name].values()) if name in self._scores and self.view.has_metric else None

    def _change(self, name: str, **changes: object) -> None:
        self.rows[name] = self._known[name] = replace(self._row(name), **changes)  # type: ignore[arg-type]


def score(by_seed: Iterable[Sequence[float]]) -> Score:
    """The mean over all episodes of all seeds, and a percentile bootstrap interval of it."""
    import numpy as np

    groups = [np.asarray(scores) for scores in by_seed]
    episodes = np.concatenate(groups)
    units = np.asarray([group.mean() for group in groups]) if len(groups) > 1 else episodes
    if len(units) < 2:
        return Score(float(episodes.mean()), None)
    drawn = np.random.default_rng(0).choice(units, (NUM_RESAMPLES, len(units))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Score(float(episodes.mean()), (float(low), float(high)))
