"""ManiSkill's OpenCabinetDoor: a Panda on a mobile base is to open a door."""

from __future__ import annotations

import math

import torch

from eureka.tasks.shared.cabinet import OpenCabinet


class OpenCabinetDoor(OpenCabinet):
    """The hand points ahead, its fingers to the left and right of the handle, an upright bar; the hinge is on the
    left."""

    PART, RANGE, LEVER_M = "door", math.pi / 2, 0.235
    ORIENTATION = (math.sqrt(0.5), 0.0, math.sqrt(0.5), 0.0)
    ARM_START = (0.0, -0.4, 0.0, -2.0, 0.0, 3.2, -2.356)

    def front_yaw(self, opening: torch.Tensor) -> torch.Tensor:
        return -opening
