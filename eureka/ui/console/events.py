"""The objects that `--json` writes, one a line: `{"event": "<kind>", ...}` with the fields of the class.

New kinds and new fields may be added; a reader skips what it does not know. docs/events.md has the same as a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Event:
    """Base of all events."""

    kind: ClassVar[str]


@dataclass(frozen=True)
class Message(Event):
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
    """A generation's prompt is ready; `parent` is the candidate whose training it tells of, null without one."""

    kind: ClassVar[str] = "generation_started"
    generation: int
    parent: str | None


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
class CandidateRejected(Event):
    """A candidate did not make it; `stage` is extract, trace, verify, screen or train. A repair may follow."""

    kind: ClassVar[str] = "rejected"
    candidate: str
    stage: str
    reason: str


@dataclass(frozen=True)
class TrainingStarted(Event):
    """Trainings begin or go on: of these candidates with these seeds, pairwise, to `steps` control steps each."""

    kind: ClassVar[str] = "training_started"
    candidates: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: int


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


@dataclass(frozen=True)
class WorkerRestart(Event):
    """A training worker died or fell silent, and its trainings go on from their last checkpoints."""

    kind: ClassVar[str] = "worker_restarted"
    worker: int
    reason: str
    candidates: tuple[str, ...]


@dataclass(frozen=True)
class GenerationFinished(Event):
    """A generation is recorded; `best` is the best candidate so far, null without one, and `score` its score."""

    kind: ClassVar[str] = "generation_finished"
    generation: int
    best: str | None
    score: float | None


@dataclass(frozen=True)
class ConfirmationStarted(Event):
    """The search is over, and these candidates are trained with further seeds before one is called best."""

    kind: ClassVar[str] = "confirmation_started"
    candidates: tuple[str, ...]


@dataclass(frozen=True)
class BestReward(Event):
    """What the search found; `module` is the standalone reward module."""

    kind: ClassVar[str] = "best_reward"
    candidate: str
    score: float
    unit: str
    components: tuple[str, ...]
    module: str


@dataclass(frozen=True)
class Table(Event):
    """A result as texts, such as the comparison with other rewards; one row for each line of it."""

    kind: ClassVar[str] = "table"
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
