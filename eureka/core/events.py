"""All events of a run, in one list, for all observers.

An observer is a callable that takes an event and skips the kinds that it does not know: the console, trackers, and
`--json`, which writes each as one line, `{"event": "<kind>", ...}` with the fields of the class. New kinds and new
fields may be added. docs/events.md has the same as a table; a field that is marked `NOT_WRITTEN` is left out there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from eureka.core.training import Progress, TrainingResult, WorkerRestarted
from eureka.core.types import Completion, Rejected

NOT_WRITTEN = {"written": False}
"""Marks a field for observers within the process, which `--json` leaves out."""


@dataclass(frozen=True)
class Event:
    """Base of all events."""

    kind: ClassVar[str]


Observer = Callable[[Event], None]
"""Is called with every event; must return at once, and must not raise."""


def ignore(event: Event) -> None:
    """The observer that does nothing."""
    del event


def tell_all(*observers: Observer) -> Observer:
    """One observer that calls several in turn."""

    def observe(event: Event) -> None:
        for observer in observers:
            observer(event)

    return observe


@dataclass(frozen=True)
class Notice(Event):
    """A line of text for people."""

    kind: ClassVar[str] = "message"
    text: str


@dataclass(frozen=True)
class Error(Event):
    """Why the command failed; its exit status is then 1, or 2 for bad input. Also on stderr, as in every mode."""

    kind: ClassVar[str] = "error"
    message: str


@dataclass(frozen=True)
class Interrupted(Event):
    """The user interrupted; `command` goes on."""

    kind: ClassVar[str] = "interrupted"
    command: str


@dataclass(frozen=True)
class RunStarted(Event):
    """A search begins, or goes on where `finished_generations` is not 0. `unit` is the task metric's."""

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

    `parent` is the one candidate that all prompts build on, null where there is none or they have several.
    `candidates` are those that are asked for, and `parents` those that each of their prompts builds on, in the same
    order.
    """

    kind: ClassVar[str] = "generation_started"
    generation: int
    parent: str | None
    candidates: tuple[str, ...] = ()
    parents: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Answered(Event):
    """An answer is recorded. `attempt` counts from 0; `continues` marks the rest of one that was cut off.

    Tokens and price are null where the provider does not say.
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
    """A candidate was made of another one, its `parent`, with other constants; `constants` are those that differ."""

    kind: ClassVar[str] = "tuned"
    candidate: str
    parent: str
    constants: Mapping[str, float]


@dataclass(frozen=True)
class CandidateRejected(Event):
    """A candidate did not make it; `stage` is extract, trace, verify, screen or train. A repair may follow."""

    kind: ClassVar[str] = "rejected"
    candidate: str
    stage: str
    reason: str


@dataclass(frozen=True)
class TrainingStarted(Event):
    """Trainings begin or go on: of these candidates with these seeds, pairwise, to `steps` control steps each.

    `whole_steps` are those of a training that is not stopped early, `continued` says whether all of them carry on
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
    """How far a training is. `metric` is the task metric of its recent episodes, `episode_length` in control steps."""

    kind: ClassVar[str] = "progress"
    candidate: str
    seed: int
    steps: int
    metric: float
    episode_length: float


@dataclass(frozen=True)
class Trained(Event):
    """A training ended, for now where it is in a race.

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
    """A training worker died or fell silent, and its trainings go on from their last checkpoints."""

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
class ConfirmationStarted(Event):
    """The search is over, and these candidates are trained with further seeds before one is called best."""

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
    """A result as texts, such as the comparison with other rewards; one row for each line of it."""

    kind: ClassVar[str] = "table"
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def of_answer(answer: Completion) -> Answered:
    """A recorded answer, as an event."""
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
    """A recorded rejection, as an event."""
    return CandidateRejected(rejected.candidate_id, rejected.stage.value, rejected.reason)


def of_training(event: Progress | WorkerRestarted | Rejected | TrainingResult) -> Event:
    """An event of a trainer as an event of the run."""
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
