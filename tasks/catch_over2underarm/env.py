"""Catch over to underarm: an egg is to be thrown from an upright hand into an open palm."""

from __future__ import annotations

from eureka.tasks.shared.thrown import ThrowTask
from eureka.tasks.shared.two_hands import HandPose


class CatchOver2Underarm(ThrowTask):
    """The right hand stands upright, its palm to the left one, and the egg before its fingers: on their tips,
    where the original has it, it rolls off backwards."""

    RIGHT_HAND = HandPose((0.0, 0.0, 0.5), (1.67, 3.1416, 0.0))
    LEFT_HAND = HandPose((0.0, -0.8, 0.5), (0.0, 0.0, 3.1416))
    EGG_START = (0.0, 0.02, 0.95)
    WAY = (0.0, -0.42, -0.4)
    FALLEN_M = 0.3
    DISTANCE_SCALE = 20.0
    # The original ends an episode where a hand is that far from its start; here it cannot go further.
    REACH_M = 0.1
