"""Hand over: an egg is to go from the right hand to the left, and both are held where they are."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from eureka.tasks import state_field
from eureka.tasks.shared.thrown import ThrowState, ThrowTask
from eureka.tasks.shared.two_hands import HandPose


class HandOver(ThrowTask):
    """The hands face each other, palms up, a gap between their fingertips."""

    RIGHT_HAND = HandPose((0.0, 0.0, 0.5))
    LEFT_HAND = HandPose((0.0, -1.0, 0.5), (0.0, 0.0, 3.1416))
    HANDS_MOVE = False
    EGG_START = (0.0, -0.39, 0.54)
    WAY = (0.0, -0.25, 0.0)
    FALLEN_M = 0.2

    @dataclass(frozen=True)
    class State(ThrowState):
        """What a reward may read after a control step."""

        action: torch.Tensor = state_field(
            (40,), "1", "joint", "angles to take, within the joints' ranges: 20 of the right hand, 20 of the left"
        )
