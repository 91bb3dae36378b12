"""The history of one group of a population: its curves, evaluations and moments of components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from eureka.core.training import TrainingResult
from eureka.trainers.population.group import GroupJob
from eureka.trainers.population.traces import GroupTraces, as_plain, from_plain
from eureka.trainers.statistics import ComponentRecorder


@dataclass
class GroupRecord:
    """One group's history. `steps`, `metric` and `episode_length` grow by one entry per update, `checkpoint_steps` and
    `checkpoint_scores` by one per evaluation; they are defined in `TrainingResult`.
    """

    components: ComponentRecorder
    steps: list[int] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)
    episode_length: list[float] = field(default_factory=list)
    checkpoint_steps: list[int] = field(default_factory=list)
    checkpoint_scores: list[float] = field(default_factory=list)
    final_scores: list[float] = field(default_factory=list)
    diverged: int = 0
    episodes: list[dict[str, Any]] = field(default_factory=list)
    change_correlation: list[tuple[str, float | None]] = field(default_factory=list)

    def evaluated(self, scores: torch.Tensor, traces: GroupTraces | None) -> None:
        """Add an evaluation, which follows the last update.

        Args:
            scores: (episodes,) the task metric of each evaluation episode.
            traces: details of these episodes, if they were traced.
        """
        self.checkpoint_steps.append(self.steps[-1])
        self.checkpoint_scores.append(float(scores.mean()))
        self.final_scores = scores.tolist()
        if traces is not None:
            self.episodes = [as_plain(episode) for episode in traces.episodes]
            self.change_correlation = list(traces.change_correlation.items())

    def result(self, job: GroupJob, policy: bytes, wall_s: float) -> TrainingResult:
        """The result of the group's training."""
        return TrainingResult(
            candidate_id=job.candidate_id,
            seed=job.seed,
            steps=tuple(self.steps),
            metric=tuple(self.metric),
            episode_length=tuple(self.episode_length),
            total=self.components.curve("total"),
            components={name: self.components.curve(name) for name in self.components.components},
            statistics=self.components.statistics(),
            final_scores=tuple(self.final_scores),
            checkpoint_steps=tuple(self.checkpoint_steps),
            checkpoint_scores=tuple(self.checkpoint_scores),
            episodes=tuple(map(from_plain, self.episodes)),
            change_correlation=dict(self.change_correlation),
            policy=policy,
            diverged_worlds=self.diverged,
            wall_s=wall_s,
        )

    def state_dict(self) -> dict[str, Any]:
        """Lists, numbers and tensors for a checkpoint; `load_state_dict` takes them back."""
        return {**vars(self), "components": self.components.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.components.load_state_dict(state["components"])
        for name, value in state.items():
            if name != "components":
                setattr(self, name, list(value) if isinstance(value, list) else value)
