"""What is known of every candidate of a generation while it runs: the model behind the live table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING

from eureka.core.events import TrainingStarted
from eureka.core.ids import INIT_ID, candidate_id
from eureka.core.types import Completion, Progress, Prompt, Rejected, TrainingResult, WorkerRestarted

if TYPE_CHECKING:
    from eureka.search import Outcome
    from eureka.trainers.base import TrainingEvent
    from eureka.ui.console.view import View

NUM_RESAMPLES = 2000
"""Bootstrap samples of an interval in the table."""


class State(StrEnum):
    """Where a candidate stands; `EARLIER` is the best of the generations before."""

    ASKED = "asked"
    ANSWERED = "answered"
    REPAIRED = "repaired"
    REJECTED = "rejected"
    WAITING = "waiting"
    TRAINING = "training"
    DONE = "done"
    EARLIER = "best so far"


@dataclass(frozen=True)
class Score:
    """Mean task metric of the evaluation episodes, with a 95% bootstrap interval, None for a single value.

    The interval is over seeds where there are several, else over episodes.
    """

    mean: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Row:
    """One candidate, or one reward that is trained. Steps are those of all its seeds together.

    `jobs` and `steps` are by seed: what is to be done, and what is. `trained` counts the steps since `began`, when its
    first progress was heard of.
    """

    name: str
    state: State = State.ASKED
    repairs: int = 0
    rejected: Rejected | None = None
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
        """Of its steps that are done, from 0 to 1."""
        return self.done_steps / self.total_steps if self.total_steps else 0.0

    def seconds_left(self, now: float) -> float | None:
        """By its own speed so far; None before there is one."""
        if self.state is not State.TRAINING or self.began is None or self.trained == 0:
            return None
        return (self.total_steps - self.done_steps) * (now - self.began) / self.trained


class Board:
    """Follows a run as a `Watcher` of `eureka.search.loop` does. Not safe to use from several threads at once."""

    def __init__(self, view: View, clock: Callable[[], float] = time.monotonic) -> None:
        self.view = view
        self.generation = 0
        self.confirming = False
        self.rows: dict[str, Row] = {}
        self.best: Row | None = None
        self._clock = clock
        self._started = clock()
        self._scores: dict[str, dict[int, tuple[float, ...]]] = {}
        self._trained = self._job_steps = self._begun = 0
        self._training_s = 0.0
        self._phase_began: float | None = None
        self._read_store()

    def _read_store(self) -> None:
        """What is done already, of a run that goes on."""
        store = self.view.store
        answers = store.completions().values() if self.view.generations else []
        self.completions: list[Completion] = list(chain.from_iterable(answers))
        for result in store.results() if self.view.generations else store.evaluations():
            self._keep(result)
        best_id = next((best for best in reversed(store.finished_generations().values()) if best), None)
        if best_id is not None and best_id in self._scores:
            self.best = Row(best_id, State.EARLIER, score=self._score(best_id))
        self._finished = len(store.finished_generations())

    # ---- what happens --------------------------------------------------------------------------------------------

    def generation_started(self, generation: int, prompt: Prompt) -> None:
        del prompt
        store = self.view.store
        self.generation = generation
        self._begun += 1
        answers_of = store.completions(generation)
        names = [candidate_id(generation, sample) for sample in range(1, self.view.samples + 1)]
        self.rows = {name: Row(name) for name in ([INIT_ID, *names] if INIT_ID in answers_of else names)}
        for name, answers in answers_of.items():
            self._answered(name, answers)
        for rejected in store.rejections(generation):
            self.rejected(rejected)
        for name in {result.candidate_id for result in store.results(generation)} & self.rows.keys():
            self._change(name, state=State.DONE, score=self._score(name))

    def answered(self, completion: Completion) -> None:
        self.completions.append(completion)
        name = completion.candidate_id
        self._answered(name, [answer for answer in self.completions if answer.candidate_id == name])

    def _answered(self, name: str, answers: Sequence[Completion]) -> None:
        repairs = sum(answer.attempt > 0 and not answer.continues for answer in answers)
        self._change(name, state=State.REPAIRED if repairs else State.ANSWERED, repairs=repairs, rejected=None)

    def rejected(self, rejected: Rejected) -> None:
        self._change(rejected.candidate_id, state=State.REJECTED, rejected=rejected)

    def training_started(self, started: TrainingStarted) -> None:
        for name in dict.fromkeys(started.candidates):
            pairs = zip(started.candidates, started.seeds, strict=True)
            mine = {seed: started.steps for candidate, seed in pairs if candidate == name}
            self._change(name, state=State.WAITING, jobs=mine, steps={}, began=None, trained=0)
        self._job_steps = started.whole_steps

    def event(self, event: TrainingEvent) -> None:
        if isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, TrainingResult):
            self._result(event)
        elif isinstance(event, WorkerRestarted):
            for name in event.candidate_ids:
                self._change(name, note=f"started again: {event.reason}")
        else:
            self.rejected(event)

    def generation_finished(self, generation: int, outcomes: Sequence[Outcome], best: Outcome | None) -> None:
        del generation, outcomes
        self._training_s += self._phase_s()
        self._phase_began = None
        self._finished += 1
        if best is not None:
            name = best.candidate.id
            self.best = Row(name, State.EARLIER, score=self._score(name))

    def confirmation_started(self, finalists: Sequence[str]) -> None:
        self.confirming = True
        self.rows = {name: Row(name, State.WAITING, score=self._score(name)) for name in finalists}

    # ---- what follows from it ------------------------------------------------------------------------------------

    def leader(self) -> str | None:
        """The name with the best mean so far, of the rows and the best of earlier generations."""
        scored = [row for row in (*([self.best] if self.best else []), *self.rows.values()) if row.score]
        return max(scored, key=lambda row: row.score.mean if row.score else 0.0).name if scored else None

    def now(self) -> float:
        """Of the clock that the rows' times are on, in seconds."""
        return self._clock()

    def elapsed_s(self) -> float:
        """Since this process began."""
        return self._clock() - self._started

    def seconds_left(self) -> float | None:
        """Of the whole run, by its speed so far; None before there is one, and where nothing is left."""
        view = self.view
        open_rows = [row for row in self.rows.values() if row.state in (State.WAITING, State.TRAINING)]
        steps = sum(row.total_steps - row.done_steps for row in open_rows)
        generations = max(view.generations - max(self.generation, self._finished), 0)
        steps += generations * view.samples * view.trainings * self._job_steps
        steps += 0 if self.confirming else view.confirmations * self._job_steps
        if not self._trained or not steps:
            return None
        training_s = self._training_s + self._phase_s()
        beside_s = (self.elapsed_s() - training_s) / max(self._begun, 1)
        return steps * training_s / self._trained + generations * beside_s

    def _phase_s(self) -> float:
        """Seconds since the present trainings gave their first sign."""
        return self._clock() - self._phase_began if self._phase_began is not None else 0.0

    # ---- inside --------------------------------------------------------------------------------------------------

    def _progress(self, progress: Progress) -> None:
        row = self.rows.get(progress.candidate_id)
        if row is None or progress.seed not in row.jobs:
            return
        # The first progress may speak of steps that were trained before the run was stopped.
        more = max(progress.steps - row.steps.get(progress.seed, progress.steps), 0)
        self._trained += more
        self._phase_began = self._clock() if self._phase_began is None else self._phase_began
        self._change(
            row.name,
            state=State.TRAINING,
            steps={**row.steps, progress.seed: progress.steps},
            metric=progress.metric if self.view.has_metric else None,
            began=self._clock() if row.began is None else row.began,
            trained=row.trained + more,
        )

    def _result(self, result: TrainingResult) -> None:
        self._keep(result)
        name = result.candidate_id
        row = self.rows.get(name, Row(name))
        steps = {**row.steps, result.seed: row.jobs.get(result.seed, result.steps[-1])}
        state = State.DONE if row.jobs.keys() <= self._scores[name].keys() else row.state
        metric = result.score if self.view.has_metric else None
        self._change(name, state=state, steps=steps, metric=metric, score=self._score(name))

    def _keep(self, result: TrainingResult) -> None:
        self._scores.setdefault(result.candidate_id, {})[result.seed] = result.final_scores

    def _score(self, name: str) -> Score | None:
        return score(self._scores[name].values()) if name in self._scores and self.view.has_metric else None

    def _change(self, name: str, **changes: object) -> None:
        self.rows[name] = replace(self.rows.get(name, Row(name)), **changes)  # type: ignore[arg-type]


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
