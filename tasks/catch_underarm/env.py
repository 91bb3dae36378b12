"""Catch underarm: an egg is to be thrown from the right palm into the left one, and both hands move."""

from __future__ import annotations

from eureka.tasks.shared.thrown import ThrowTask
from eureka.tasks.shared.two_hands import HandPose


class CatchUnderarm(ThrowTask):
    """The hands face each other, palms up, 15 cm further from each other than in hand_over."""

    RIGHT_HAND = HandPose((0.0, 0.0, 0.5))
    LEFT_HAND = HandPose((0.0, -1.15, 0.5), (0.0, 0.0, 3.1416))
    EGG_START = (0.0, -0.39, 0.54)
    WAY = (0.0, -0.4, 0.0)
    FALLEN_M = 0.1
