"""What is trained and what came of it: jobs, events on the way, results. Frozen and picklable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class ComponentStatistics:
    """Moments of one reward component over a whole training, per control step and over all worlds of the group.

    `variance_share` is the component's share of the total's variance, cov(component, total) / var(total), so that the
    shares of all components that add up to the total sum to 1. `active_fraction` is the share of steps on which it
    differs from its most frequent value. `metric_correlation` is Pearson's correlation with the per-step task metric,
    None where either is constant.
    """

    mean: float
    minimum: float
    maximum: float
    std: float
    variance_share: float | None
    active_fraction: float
    metric_correlation: float | None


class OwnReward(StrEnum):
    """Rewards that an environment brings along; they need not be graphs.

    OWN is its human-written reward, METRIC its task metric as a reward.
    """

    OWN = "own"
    METRIC = "metric"


@dataclass(frozen=True)
class Policy:
    """A trained policy: the name of the format that its trainer writes, and the bytes of the file."""

    format: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class TrainingLength:
    """How long one training is and how it is judged, in terms that every trainer shares.

    `steps` control steps in all of its environments together; `evaluations` evenly spaced, the last at the end;
    `eval_episodes` evaluation episodes at each. A training that may `stop_after` so many of its evaluations is the
    beginning of the whole one; None: it is trained to the end. What really comes of it, in whole rollouts of a
    trainer, says `Trainer.evaluated_after`.
    """

    steps: int
    evaluations: int
    eval_episodes: int
    stop_after: int | None = None


@dataclass(frozen=True)
class TrainingJob:
    """One training: a reward with one seed.

    `reward` is the JSON text of a verified graph, or one that the environment brings along. `start` is the policy that
    it starts from; None: from scratch. `options` are the trainer's own, such as `{"learning_rate": 1e-3}`.
    """

    candidate_id: str
    reward: str | OwnReward
    seed: int
    length: TrainingLength
    start: Policy | None = None
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """Event: a group has finished `steps` of its schedule; `metric` is the task metric of its recent episodes."""

    candidate_id: str
    seed: int
    steps: int
    metric: float
    episode_length: float


@dataclass(frozen=True)
class WorkerRestarted:
    """Event: a training worker died or fell silent and was started again from the last checkpoints.

    Or its device ran out of memory, and it starts again with fewer worlds.
    """

    worker: int
    reason: str
    candidate_ids: tuple[str, ...]


POPULATION_POLICY = "population"
"""The format of policies that population training writes; of all that were written before formats had names."""


@dataclass(frozen=True, kw_only=True)
class EpisodeTrace:
    """One evaluation episode of a training's last policy.

    Attributes:
        score: what the task metric gave for it.
        steps: its length in control steps.
        ended: why it ended: `time limit`, `terminated` or `diverged`.
        condition: of one that was terminated, what held in its last step, as the task names it; empty where unknown.
        first_metric_step: after how many steps the per-step metric was first above 0, where it was not from the start;
            None where it never was, or always.
        components: each reward component's mean per step.
        fields: State columns (`field`, or `field[i]` of a vector) at the start and after each tenth of the episode; of
            the typical and of the worst episode of a training, empty for others.
    """

    score: float
    steps: int
    ended: str
    first_metric_step: int | None = None
    components: Mapping[str, float] = field(default_factory=dict)
    fields: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    condition: str = ""


@dataclass(frozen=True)
class TrainingResult:
    """What one training gave. Whoever trains elsewhere may have scores and nothing else.

    Curves have one value per update of the policy, after `steps` of training: `metric` is the task metric's running
    value in training episodes, `episode_length` in control steps, `total` and `components` the means of the reward.
    `final_scores` are the metric of each evaluation episode of the last policy on start states never trained on,
    `checkpoint_scores` the mean of the same at every evaluation, after `checkpoint_steps` of training.
    `episodes` are these evaluation episodes looked at closely, and `change_correlation` has for each component the
    correlation of its steps with the change of the per-step metric in them, None where either is constant.
    `diverged_worlds` counts environments whose physics diverged and were reset. `deviation` says how the training
    differs from what the job asked for, such as fewer environments where a device had no room; empty: it does not.
    """

    candidate_id: str
    seed: int
    final_scores: tuple[float, ...]
    steps: tuple[int, ...] = ()
    metric: tuple[float, ...] = ()
    episode_length: tuple[float, ...] = ()
    total: tuple[float, ...] = ()
    components: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    statistics: Mapping[str, ComponentStatistics] = field(default_factory=dict)
    checkpoint_scores: tuple[float, ...] = ()
    checkpoint_steps: tuple[int, ...] = ()
    episodes: tuple[EpisodeTrace, ...] = ()
    change_correlation: Mapping[str, float | None] = field(default_factory=dict)
    policy: bytes = field(default=b"", repr=False)
    policy_format: str = POPULATION_POLICY
    diverged_worlds: int = 0
    wall_s: float = 0.0
    deviation: str = ""

    @property
    def score(self) -> float:
        """Mean task metric of the final policy's evaluation episodes; NaN of a record that was changed to have none."""
        return sum(self.final_scores) / len(self.final_scores) if self.final_scores else math.nan

    @property
    def best_score(self) -> float:
        """The best checkpoint's mean (the original Eureka's optimistic choice); reported next to `score`."""
        return max(self.checkpoint_scores, default=self.score)

    @property
    def trained_steps(self) -> int:
        """How long it was trained, in control steps; 0 where it does not say."""
        return max((*self.steps[-1:], *self.checkpoint_steps[-1:]), default=0)
