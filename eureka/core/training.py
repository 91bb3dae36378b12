"""Training jobs, events during training, and results. Frozen and picklable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class ComponentStatistics:
    """Moments of one reward component over a whole training, per control step and over all environments of the group.

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
    """Rewards that the environment defines itself; they need not be graphs.

    OWN is its human-written reward, METRIC its task metric as a reward.
    """

    OWN = "own"
    METRIC = "metric"


@dataclass(frozen=True)
class Policy:
    """A trained policy: the name of its file format, and the bytes of the file."""

    format: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class TrainingLength:
    """The length of a training and its evaluation, in terms common to all trainers.

    `steps` control steps in all of its environments together; `evaluations` evenly spaced, the last at the end;
    `eval_episodes` evaluation episodes at each. With `stop_after`, only the part up to that many evaluations is
    trained; None: the training runs to its end. The actual numbers of steps, rounded to whole rollouts, are given by
    `Trainer.evaluated_after`.
    """

    steps: int
    evaluations: int
    eval_episodes: int
    stop_after: int | None = None


@dataclass(frozen=True)
class TrainingJob:
    """One training: a reward with one seed.

    `reward` is the JSON text of a verified graph, or a reward of the environment. `start` is the initial policy; None:
    from scratch. `options` are specific to the trainer, such as `{"learning_rate": 1e-3}`.
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
    """Event: a training worker died or stopped responding and was restarted from the last checkpoints.

    Also: its device ran out of memory, and it restarts with fewer environments.
    """

    worker: int
    reason: str
    candidate_ids: tuple[str, ...]


POPULATION_POLICY = "population"
"""Format name of policies from population training, and of all policies written before formats had names."""


@dataclass(frozen=True, kw_only=True)
class EpisodeTrace:
    """One evaluation episode of a training's last policy.

    Attributes:
        score: its task metric.
        steps: its length in control steps.
        ended: why it ended: `time limit`, `terminated` or `diverged`.
        condition: if it was terminated, the task's name of the condition that ended it; empty if unknown.
        first_metric_step: the number of steps after which the per-step metric first exceeded 0; None if it never did.
        longest_metric_steps: the largest number of steps in a row with a per-step metric above 0; 0 also if unknown.
        components: each reward component's mean per step.
        fields: State columns (`field`, or `field[i]` of a vector) after each of `shown_steps`; kept for the typical and
            the worst episode of a training, empty for others.
        shown_steps: the numbers of steps after which `fields` were read; empty also in records of versions that read
            them after the first step and after each tenth of the episode.
    """

    score: float
    steps: int
    ended: str
    first_metric_step: int | None = None
    components: Mapping[str, float] = field(default_factory=dict)
    fields: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    condition: str = ""
    longest_metric_steps: int = 0
    shown_steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class TrainingResult:
    """The result of one training. A trainer that runs elsewhere may provide scores only.

    Curves have one value per update of the policy, after `steps` of training: `metric` is the task metric's running
    value in training episodes, `episode_length` in control steps, `total` and `components` the means of the reward.
    `final_scores` are the metric of each evaluation episode of the last policy on start states never trained on,
    `checkpoint_scores` the mean of the same at every evaluation, after `checkpoint_steps` of training. `episodes`
    describes these evaluation episodes in detail. `change_correlation` is, for each component, the correlation of its
    per-step value with the change of the per-step metric; None if either is constant. `diverged_worlds` counts
    environments whose physics diverged and were reset. `action_std` is the standard deviation of the actions' noise at
    the end of training, as a mean over the actions; None where the trainer does not tell. `deviation` says how the
    training differs from the job, such as fewer environments because a device ran out of memory; empty if it does not.
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
    action_std: float | None = None
    deviation: str = ""

    @property
    def score(self) -> float:
        """Mean task metric of the final policy's evaluation episodes; NaN for a record that was edited to have none."""
        return sum(self.final_scores) / len(self.final_scores) if self.final_scores else math.nan

    @property
    def best_score(self) -> float:
        """The best checkpoint's mean (the original Eureka's optimistic choice); reported next to `score`."""
        return max(self.checkpoint_scores, default=self.score)

    @property
    def trained_steps(self) -> int:
        """The length of the training in control steps; 0 if it was not recorded."""
        return max((*self.steps[-1:], *self.checkpoint_steps[-1:]), default=0)
