"""ManiSkill's OpenCabinetDrawer: a Panda on a mobile base is to pull a drawer out."""

from __future__ import annotations

import torch

from eureka.tasks.shared.cabinet import OpenCabinet


class OpenCabinetDrawer(OpenCabinet):
    """The hand points ahead, its fingers above and below the handle, a bar along y."""

    PART, RANGE = "drawer", 0.4
    ORIENTATION = (0.5, 0.5, 0.5, 0.5)

    def front_yaw(self, opening: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(opening)
