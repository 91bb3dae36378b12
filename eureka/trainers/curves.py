"""The curves of one training and its evaluations, whoever trains, and why a training ends without a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from eureka.core.training import TrainingResult
from eureka.core.types import Rejected, Stage
from eureka.trainers.statistics import ComponentRecorder


@dataclass
class TrainingCurves:
    """The history of one training: `steps`, `metric` and `episode_length` have one entry per update of the policy,
    `checkpoint_steps` and `checkpoint_scores` one per evaluation; all are defined in `TrainingResult`.
    """

    steps: list[int] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)
    episode_length: list[float] = field(default_factory=list)
    checkpoint_steps: list[int] = field(default_factory=list)
    checkpoint_scores: list[float] = field(default_factory=list)
    final_scores: list[float] = field(default_factory=list)
    diverged: int = 0

    def updated(self, steps: int, metric: float, episode_length: float) -> None:
        """Add an update of the policy, after `steps` control steps."""
        self.steps.append(steps)
        self.metric.append(metric)
        self.episode_length.append(episode_length)

    def evaluated(self, scores: Sequence[float]) -> None:
        """Add an evaluation, which follows the last update: the task metric of each episode."""
        self.checkpoint_steps.append(self.steps[-1])
        self.checkpoint_scores.append(sum(scores) / len(scores))
        self.final_scores = list(scores)

    def result(self, candidate_id: str, seed: int, recorder: ComponentRecorder) -> TrainingResult:
        """The result of the training, without its policy and duration."""
        return TrainingResult(
            candidate_id=candidate_id,
            seed=seed,
            final_scores=tuple(self.final_scores),
            steps=tuple(self.steps),
            metric=tuple(self.metric),
            episode_length=tuple(self.episode_length),
            total=recorder.curve("total"),
            components={name: recorder.curve(name) for name in recorder.components},
            statistics=recorder.statistics(),
            checkpoint_scores=tuple(self.checkpoint_scores),
            checkpoint_steps=tuple(self.checkpoint_steps),
            diverged_worlds=self.diverged,
        )


def not_finite(candidate_id: str, steps: int, what: str) -> Rejected:
    """The rejection of a candidate of which `what` became NaN or infinite after so many control steps."""
    return Rejected(
        candidate_id,
        Stage.TRAIN,
        f"after {steps} steps {what}",
        f"Training was stopped after {steps} steps because {what}. Clamp what is divided or exponentiated.",
    )


def stopped_twice(candidate_id: str, reason: object) -> Rejected:
    """The rejection of a candidate whose training ended its process, and did so again when it was continued."""
    return Rejected(candidate_id, Stage.TRAIN, f"its training was stopped twice: {reason}", "")
