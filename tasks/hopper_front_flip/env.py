"""Hopper front flip: full forward turns that keep the torso off the floor."""

from __future__ import annotations

from eureka.tasks.shared.hopper_flip import HopperFlip


class HopperFrontFlip(HopperFlip):
    """Turns forward."""

    DIRECTION = 1.0
