"""One recorded episode, in a module of its own, since processes that judge rewards by it need no simulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

LONGEST = 400
"""Maximum length of a trajectory in control steps."""


@dataclass(frozen=True)
class Trajectory:
    """One episode, from its start to its end or for `LONGEST` steps.

    `state` has the State's fields, (steps, ...) each; `score` is the task metric of these steps; `terminated` says
    whether the episode terminated.
    """

    kind: str
    state: Mapping[str, torch.Tensor]
    score: float
    terminated: bool

    @property
    def steps(self) -> int:
        return next(iter(self.state.values())).shape[0]


def transitions(
    state: Mapping[str, torch.Tensor], trajectories: Sequence[Trajectory], num: int = 32
) -> dict[str, torch.Tensor]:
    """`state` followed by `num` evenly spaced transitions of every trajectory and its last one."""
    picked = [(t, torch.linspace(0, t.steps - 1, min(num, t.steps)).round().long()) for t in trajectories]
    return {name: torch.cat([value, *(t.state[name][rows] for t, rows in picked)]) for name, value in state.items()}
