"""An arm that reaches for a handle: places are read from the model's sites, by `outputs: [site_xpos]` in task.yaml.

eureka run task=arm --task-dir examples/arm
"""

from dataclasses import dataclass

import torch

from eureka.tasks import Metric, Reset, Task, state_field


class Arm(Task):
    """The door, and with it the handle, stands at another angle in every episode."""

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step."""

        joint_angle: torch.Tensor = state_field(
            (2,), "rad", "joint", "shoulder and elbow, 0 when stretched out along +x"
        )
        joint_velocity: torch.Tensor = state_field((2,), "rad/s", "joint", "of shoulder and elbow")
        gripper_position: torch.Tensor = state_field((3,), "m", "world", "of the gripper; at z = 0.6 it is level")
        to_handle: torch.Tensor = state_field((3,), "m", "world", "from the gripper to the handle")
        action: torch.Tensor = state_field((2,), "1", "joint", "torque command as a share of the maximum, -1 to 1")

    def reset(self, rng, num):
        qpos = rng.uniform(-1, 1, (num, 3)) * torch.tensor([0.1, 0.1, 1.5])
        return Reset(qpos, torch.zeros(num, 3))

    def state(self, sim, carry, action):
        places = sim.output("site_xpos")  # (num_envs, nsite, 3), metres, world frame
        gripper = places[:, self.model.site("gripper").id]
        handle = places[:, self.model.site("handle").id]
        return self.State(
            joint_angle=sim.qpos[:, :2],
            joint_velocity=sim.qvel[:, :2],
            gripper_position=gripper,
            to_handle=handle - gripper,
            action=action,
        )

    def observe(self, state):
        return torch.cat([state.joint_angle, state.joint_velocity, state.to_handle, state.gripper_position], dim=1)

    def terminated(self, state):
        return torch.zeros(len(state.action), dtype=torch.bool, device=state.action.device)

    @property
    def metric(self):
        seconds = self.control_timestep_s
        return Metric(
            value=lambda state: self.sparse_reward(state) * seconds,
            reduce="sum",
            unit="s",
            description="time with the gripper within 5 cm of the handle",
        )

    def human_reward(self, state):
        distance = torch.linalg.vector_norm(state.to_handle, dim=1)
        components = {"near": -distance, "effort": -0.01 * state.action.square().sum(dim=1)}
        return components["near"] + components["effort"], components

    def sparse_reward(self, state):
        return (torch.linalg.vector_norm(state.to_handle, dim=1) < 0.05).float()
