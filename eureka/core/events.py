"""All events of a run, in one list, for all observers.

An observer is a callable that takes an event and ignores unknown kinds: the console, trackers, and `--json`, which
writes each event as one line, `{"event": "<kind>", ...}`, with the fields of the class. New kinds and new fields may be
added. docs/events.md lists the events as a table, without the fields marked `NOT_WRITTEN`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from eureka.core.training import Progress, TrainingResult, WorkerRestarted
from eureka.core.types import Completion, Rejected

NOT_WRITTEN = {"written": False}
"""Metadata of a field that only observers within the process see; `--json` omits it."""


@dataclass(frozen=True)
class Event:
    """Base of all events."""

    kind: ClassVar[str]


Observer = Callable[[Event], None]
"""Called with every event; must return quickly and must not raise."""


def ignore(event: Event) -> None:
    """The observer that does nothing."""
    del event


def broadcast(*observers: Observer) -> Observer:
    """One observer that calls several in turn."""

    def observe(event: Event) -> None:
        for observer in observers:
            observer(event)

    return observe


@dataclass(frozen=True)
class Notice(Event):
    """A line of text for the user."""

    kind: ClassVar[str] = "message"
    text: str


@dataclass(frozen=True)
class Error(Event):
    """The reason why the command failed; its exit status is 1, or 2 for bad input. Also written to stderr, in every
    mode.
    """

    kind: ClassVar[str] = "error"
    message: str


@dataclass(frozen=True)
class Interrupted(Event):
    """The user interrupted the run; `command` resumes it."""

    kind: ClassVar[str] = "interrupted"
    command: str


@dataclass(frozen=True)
class RunStarted(Event):
    """A search begins, or is resumed if `finished_generations` is not 0. `unit` is the unit of the task metric."""

    kind: ClassVar[str] = "run_started"
    task: str
    unit: str
    folder: str
    proposer: str
    generations: int
    samples: int
    finished_generations: int


@dataclass(frozen=True)
class GenerationStarted(Event):
    """A generation's prompts are ready.

    `parent` is the parent that all prompts have in common, null if there is none or they have several. `candidates` are
    those asked for, and `parents` the parents of each, in the same order.
    """

    kind: ClassVar[str] = "generation_started"
    generation: int
    parent: str | None
    candidates: tuple[str, ...] = ()
    parents: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Answered(Event):
    """An answer is recorded. `attempt` counts from 0; `continues` marks the continuation of an answer that was cut off.

    Tokens and price are null if the provider does not report them.
    """

    kind: ClassVar[str] = "answered"
    candidate: str
    attempt: int
    continues: bool
    model: str
    input_tokens: int | None
    output_tokens: int | None
    usd: float | None


@dataclass(frozen=True)
class Tuned(Event):
    """A candidate was made from its `parent` by changing constants; `constants` are those that differ."""

    kind: ClassVar[str] = "tuned"
    candidate: str
    parent: str
    constants: Mapping[str, float]


@dataclass(frozen=True)
class CandidateRejected(Event):
    """A candidate was rejected; `stage` is extract, trace, verify, screen or train. A repair may follow."""

    kind: ClassVar[str] = "rejected"
    candidate: str
    stage: str
    reason: str


@dataclass(frozen=True)
class TrainingStarted(Event):
    """Trainings begin or continue: of these candidates with these seeds, pairwise, to `steps` control steps each.

    `whole_steps` is the length of a training that is not stopped early; `continued` says whether all of them continue
    trainings that were stopped before.
    """

    kind: ClassVar[str] = "training_started"
    candidates: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: int
    whole_steps: int = 0
    continued: bool = False


@dataclass(frozen=True)
class TrainingProgress(Event):
    """Progress of a training. `metric` is the task metric of its recent episodes, `episode_length` is in control
    steps."""

    kind: ClassVar[str] = "progress"
    candidate: str
    seed: int
    steps: int
    metric: float
    episode_length: float


@dataclass(frozen=True)
class Trained(Event):
    """A training ended; in a race it may be continued later.

    `score` is the mean task metric of the last policy's evaluation episodes, `scores`; `best_checkpoint` is the best
    mean over the checkpoints.
    """

    kind: ClassVar[str] = "trained"
    candidate: str
    seed: int
    score: float
    scores: tuple[float, ...]
    best_checkpoint: float
    diverged_worlds: int
    wall_s: float
    result: TrainingResult | None = field(default=None, repr=False, metadata=NOT_WRITTEN)


@dataclass(frozen=True)
class WorkerRestart(Event):
    """A training worker died or stopped responding; its trainings continue from their last checkpoints."""

    kind: ClassVar[str] = "worker_restarted"
    worker: int
    reason: str
    candidates: tuple[str, ...]


@dataclass(frozen=True)
class GenerationFinished(Event):
    """A generation is recorded; `best` is the candidate with the highest `score` so far, null without one.

    `leader` is the one that the search method puts first, by more than the score. `trained` candidates of this
    generation have a score, of which `best_of_generation` is the highest.
    """

    kind: ClassVar[str] = "generation_finished"
    generation: int
    best: str | None
    score: float | None
    trained: int = 0
    best_of_generation: float | None = None
    leader: str | None = None


@dataclass(frozen=True)
class RetrainingStarted(Event):
    """The leading candidates are now trained with further seeds, before the next generation builds on them."""

    kind: ClassVar[str] = "retraining_started"
    candidates: tuple[str, ...]


@dataclass(frozen=True)
class ConfirmationStarted(Event):
    """The search is over; these finalists are now trained with further seeds, and the best of them is chosen."""

    kind: ClassVar[str] = "confirmation_started"
    candidates: tuple[str, ...]


@dataclass(frozen=True)
class ComparedReward:
    """One reward in the final comparison: its fresh seeds with their scores, and the statistics of `Compared`."""

    role: str
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    iqm: float | None
    probability_of_improvement: float | None
    human_normalised: float | None


@dataclass(frozen=True)
class Compared(Event):
    """The final comparison: the best reward (`best`), the human-written one (`human`), the bare metric (`sparse`)."""

    kind: ClassVar[str] = "compared"
    rewards: tuple[ComparedReward, ...]


@dataclass(frozen=True)
class BestReward(Event):
    """What the search found; `module` is the path of the standalone reward module.

    `score` is the figure of the final comparison, by so many `fresh_seeds`; where there was none, an estimate from all
    scores of the search.
    """

    kind: ClassVar[str] = "best_reward"
    candidate: str
    score: float
    unit: str
    components: tuple[str, ...]
    module: str
    fresh_seeds: int = 0


@dataclass(frozen=True)
class Table(Event):
    """A result as a table of texts, such as the comparison with other rewards; `rows` has one row per line."""

    kind: ClassVar[str] = "table"
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def of_answer(answer: Completion) -> Answered:
    """The event of a recorded answer."""
    usage = answer.usage
    return Answered(
        candidate=answer.candidate_id,
        attempt=answer.attempt,
        continues=answer.continues,
        model=answer.model,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        usd=usage.usd,
    )


def of_rejection(rejected: Rejected) -> CandidateRejected:
    """The event of a recorded rejection."""
    return CandidateRejected(rejected.candidate_id, rejected.stage.value, rejected.reason)


def of_training(event: Progress | WorkerRestarted | Rejected | TrainingResult) -> Event:
    """The run's event for an event of a trainer."""
    if isinstance(event, Progress):
        return TrainingProgress(event.candidate_id, event.seed, event.steps, event.metric, event.episode_length)
    if isinstance(event, WorkerRestarted):
        return WorkerRestart(event.worker, event.reason, event.candidate_ids)
    if isinstance(event, Rejected):
        return of_rejection(event)
    return Trained(
        candidate=event.candidate_id,
        seed=event.seed,
        score=event.score,
        scores=event.final_scores,
        best_checkpoint=event.best_score,
        diverged_worlds=event.diverged_worlds,
        wall_s=event.wall_s,
        result=event,
    )
