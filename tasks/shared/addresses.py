"""Where joints and sites are in MuJoCo's arrays, by name."""

from __future__ import annotations

import torch

from eureka.physics import WorldStates
from eureka.tasks.base import Task


class AddressedTask(Task):
    """A task that reads joints and sites by their names in the model."""

    def address(self, joint: str) -> int:
        """Where a joint's positions begin in qpos."""
        return int(self.model.joint(joint).qposadr[0])

    def velocity_address(self, joint: str) -> int:
        """Where a joint's velocities begin in qvel."""
        return int(self.model.joint(joint).dofadr[0])

    def site(self, sim: WorldStates, name: str) -> torch.Tensor:
        """Where a site is, (num_envs, 3)."""
        return sim.output("site_xpos")[:, int(self.model.site(name).id)]
