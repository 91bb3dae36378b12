"""The history of one group of a population: its curves, evaluations and moments of components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from eureka.core.training import TrainingResult
from eureka.trainers.curves import TrainingCurves
from eureka.trainers.population.group import GroupJob
from eureka.trainers.population.traces import GroupTraces, as_plain, from_plain
from eureka.trainers.statistics import ComponentRecorder


@dataclass(kw_only=True)
class GroupRecord(TrainingCurves):
    """One group's history, with the details of its last evaluation's episodes as data that a checkpoint can hold."""

    components: ComponentRecorder
    episodes: list[dict[str, Any]] = field(default_factory=list)
    change_correlation: list[tuple[str, float | None]] = field(default_factory=list)

    def traced(self, traces: GroupTraces) -> None:
        """Add the details of the last evaluation's episodes."""
        self.episodes = [as_plain(episode) for episode in traces.episodes]
        self.change_correlation = list(traces.change_correlation.items())

    def group_result(self, job: GroupJob, policy: bytes, action_std: float, wall_s: float) -> TrainingResult:
        """The result of the group's training."""
        return replace(
            self.result(job.candidate_id, job.seed, self.components),
            episodes=tuple(map(from_plain, self.episodes)),
            change_correlation=dict(self.change_correlation),
            policy=policy,
            action_std=action_std,
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
