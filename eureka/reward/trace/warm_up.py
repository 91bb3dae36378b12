"""The sandbox's preload: runs everything in the zygote once that a child needs and could no longer import."""

from __future__ import annotations

import torch

from eureka.core.types import Candidate, FieldSpec
from eureka.reward.trace.child import trace
from eureka.reward.trace.service import TRACE, RewardVerifier
from eureka.reward.trace.trial import trial
from eureka.sandbox import Finished

_FIELDS = (
    FieldSpec("position", (3,), "float32", "", "", ""),
    FieldSpec("reached", (), "bool", "", "", ""),
    FieldSpec("step", (), "int64", "", "", ""),
)
_INPUTS = tuple(field.name for field in _FIELDS)
_SOURCE = """
import math
import typing
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SCALE = 0.5
COLUMNS = torch.tensor([0, 2])

@torch.jit.script
def helper(x: Tensor) -> Tensor:
    return F.cosine_similarity(x, x.roll(1, -1), dim=-1)

def compute_reward(position: Tensor, reached: Tensor, step: Tensor):
    distance = torch.norm(position, dim=-1) + torch.linalg.norm(position, axis=1) * np.exp(-0.5)
    reward = -SCALE * distance + math.pi
    reward[reached] += 10.0
    reward = reward + torch.einsum("ij,ij->i", position, position) + position[:, [0, 2]].std(-1)
    reward += torch.where(step > 5, 1.0, 0.0) + F.smooth_l1_loss(position, position * 2, reduction="none").sum(-1)
    reward += position[:, COLUMNS].max(dim=-1).values + torch.cross(position, position, dim=-1).sum(-1)
    return reward + helper(position), {"distance": distance, "scale": SCALE}
"""


class _Here:
    """Runs a target in this process."""

    def run(self, target: str, payload: bytes) -> Finished:
        return Finished((trace if target == TRACE else trial)(payload), 0.0)


def warm_up() -> None:
    """Take one valid candidate and some invalid ones through all stages."""
    rows = 128
    states = {"position": torch.ones(rows, 3), "reached": torch.ones(rows) > 0, "step": torch.arange(rows)}
    verifier = RewardVerifier(_FIELDS, states, _Here())
    bad = (_SOURCE.replace("SCALE = 0.5", "SCALE = position"), "def compute_reward(", "x = 1")
    for source in (_SOURCE, *bad):
        verifier.verify(Candidate("warm-up", source, _INPUTS))
