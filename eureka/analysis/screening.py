"""Which verified rewards of a run are worth a training: no twins of what was tried, and none that prefers failing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from eureka.analysis.findings import backwards
from eureka.analysis.fingerprint import Fingerprint, Fingerprints, twin_factor
from eureka.analysis.ranking import rank
from eureka.analysis.told import with_graph
from eureka.reward.runtime import compile_graph
from eureka.rl.trajectories import Trajectory
from eureka.types import Reflection, Rejected, Reward, Stage

_DIFFERENT = (
    "Propose a reward that differs in more than the scale of the total: other terms, shapes or relative weights."
)
_RIGHT_WAY = (
    "The return of doing the task must exceed that of failing: check the signs, make the total of an ordinary step "
    "positive if episodes can end early, and give the main component more weight than the penalties."
)


@dataclass(frozen=True)
class Tried:
    """A reward that the run has already, and how it did: a sentence, empty where that is not known yet."""

    reward: Reward
    outcome: str


class Screening:
    """Decides by rewards alone, so that a run that was stopped decides the same again.

    Args:
        state: recorded transitions, on which rewards are compared.
        trajectories: where given, a reward that ranks them backwards is turned down.
        gamma: the trainer's discount per control step.
    """

    def __init__(
        self, state: Mapping[str, torch.Tensor], trajectories: Sequence[Trajectory] = (), gamma: float = 0.99
    ) -> None:
        self._fingerprints = Fingerprints(state)
        self._known: dict[str, Fingerprint] = {}
        self._trajectories = trajectories
        self._gamma = gamma

    def screen(self, reward: Reward, tried: Sequence[Tried]) -> Rejected | None:
        """Why `reward` is not worth a training, None where it is. `tried` stand before it, the first counts."""
        ours = self._of(reward)
        for other in tried:
            factor = twin_factor(ours, self._of(other.reward))
            if factor is not None:
                return _rejected(reward, _twin(factor, other), _DIFFERENT)
        if self._trajectories:
            ranking = rank(compile_graph(reward.graph), self._trajectories, self._gamma)
            if ranking.is_backwards:
                return _rejected(reward, backwards(ranking), _RIGHT_WAY)
        return None

    def about(self, reflection: Reflection, reward: Reward) -> Reflection:
        """`reflection` with what the graph of its candidate shows."""
        return with_graph(reflection, reward.graph)

    def _of(self, reward: Reward) -> Fingerprint:
        if reward.graph not in self._known:
            self._known[reward.graph] = self._fingerprints.of(reward.graph)
        return self._known[reward.graph]


def _twin(factor: float, other: Tried) -> str:
    scale = "" if factor == 1.0 else f" times {factor:.4g}"
    outcome = other.outcome or "is trained in this generation"
    return f"its total is that of {other.reward.candidate_id}{scale}, which {outcome}: it is not trained again"


def _rejected(reward: Reward, message: str, remedy: str) -> Rejected:
    return Rejected(reward.candidate_id, Stage.SCREEN, f"{message}.", f"{message}. {remedy}")
