"""Hopper back flip: full backward turns that keep the torso off the floor."""

from __future__ import annotations

from eureka.tasks.shared.hopper_flip import HopperFlip


class HopperBackFlip(HopperFlip):
    """Turns backward."""

    DIRECTION = -1.0
