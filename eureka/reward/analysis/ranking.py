"""Tests whether a reward orders trajectories as the task metric does. (The trajectory preference of CARD, Sun et al.
2024.)

A trajectory's worth under a reward is what the trainer would learn from it: the discounted return-to-go, averaged over
the states that were visited. A truncated trajectory is assumed to continue with its average reward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from eureka.reward.analysis.structure import structure
from eureka.reward.analysis.thresholds import BACKWARDS, CLEAR_SCORE_GAP
from eureka.reward.analysis.trajectory import Trajectory
from eureka.reward.graph.runtime import RewardFunction

_ROWS = 2048


@dataclass(frozen=True)
class JudgedTrajectory:
    """A trajectory's score, its worth under the reward, and the contribution of each component that reaches the
    total."""

    kind: str
    score: float
    worth: float
    components: Mapping[str, float]


@dataclass(frozen=True)
class Ranking:
    """How the reward orders the pairs of trajectories with clearly different scores; there may be no such pairs."""

    judged: tuple[JudgedTrajectory, ...]
    pairs: int
    right: int
    component_right: Mapping[str, int]

    @property
    def share(self) -> float | None:
        return self.right / self.pairs if self.pairs else None

    @property
    def is_backwards(self) -> bool:
        return self.share is not None and self.share < BACKWARDS

    @property
    def best(self) -> JudgedTrajectory:
        return max(self.judged, key=lambda judged: judged.score)

    @property
    def worst(self) -> JudgedTrajectory:
        return min(self.judged, key=lambda judged: judged.score)


def rank(reward: RewardFunction, trajectories: Sequence[Trajectory], gamma: float) -> Ranking:
    """Evaluate every trajectory, and compare all pairs with clearly different scores.

    Args:
        gamma: the trainer's discount per control step.
    """
    weights = _weights(reward)
    judged = tuple(_judge(reward, weights, trajectory, gamma) for trajectory in trajectories)
    scores = [j.score for j in judged]
    margin = CLEAR_SCORE_GAP * (max(scores) - min(scores))
    pairs = [(a, b) for a in judged for b in judged if a.score - b.score > margin or a.score - b.score == margin > 0]
    return Ranking(
        judged,
        len(pairs),
        sum(a.worth > b.worth for a, b in pairs),
        {name: sum(a.components[name] > b.components[name] for a, b in pairs) for name in weights},
    )


def worth(values: torch.Tensor, gamma: float, terminated: bool) -> torch.Tensor:
    """The discounted return-to-go averaged over all steps; `values` (..., steps)."""
    after = torch.zeros(values.shape[:-1]) if terminated else values.mean(dim=-1) / (1.0 - gamma)
    total = torch.zeros(values.shape[:-1])
    for step in range(values.shape[-1] - 1, -1, -1):
        after = values[..., step] + gamma * after
        total = total + after
    return total / values.shape[-1]


def _weights(reward: RewardFunction) -> dict[str, float]:
    """The weight of each component in the total; 1 if it enters by other operations."""
    entries = structure(reward.graph).entries
    return {name: 1.0 if entry.weight is None else entry.weight for name, entry in entries.items() if entry.reaches}


def _judge(
    reward: RewardFunction, weights: Mapping[str, float], trajectory: Trajectory, gamma: float
) -> JudgedTrajectory:
    parts: list[torch.Tensor] = []
    for start in range(0, trajectory.steps, _ROWS):
        rows = {name: trajectory.state[name][start : start + _ROWS] for name in reward.inputs}
        total, components = reward(rows)
        parts.append(torch.stack([total, *(weight * components[name] for name, weight in weights.items())]).double())
    found = worth(torch.cat(parts, dim=1), gamma, trajectory.terminated).tolist()
    return JudgedTrajectory(trajectory.kind, trajectory.score, found[0], dict(zip(weights, found[1:], strict=True)))
