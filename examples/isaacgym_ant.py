"""An exported reward pasted into an IsaacGymEnvs-style task, under `torch.jit.script`.

Not executed against Isaac Gym: it is type-checked against the package `isaacgym-stubs` and the stubs beside this file,
and the pasted function is compiled and compared with the exported module (tests/test_examples.py). The task is as small
as one can be; the two things to copy are at the end, `Ant.compute_reward` and the function that it calls.
"""

from __future__ import annotations

from typing import Any, Dict, Tuple

from isaacgym import gymapi, gymtorch  # Isaac Gym must be imported before torch
from isaacgym.torch_utils import torch_rand_float
from isaacgymenvs.tasks.base.vec_task import VecTask

import torch

START_HEIGHT_M = 0.75
ENV_SPACING_M = 4.0


class Ant(VecTask):
    """MuJoCo's ant in Isaac Gym, told to run along +x."""

    def __init__(self, cfg: dict[str, Any], *arguments: Any, **options: Any) -> None:
        self.cfg = cfg
        self.max_episode_length = cfg["env"]["episodeLength"]
        super().__init__(cfg, *arguments, **options)
        self.control_dt_s = self.control_freq_inv * self.sim_params.dt
        # (num_envs, 13): position 0:3, quaternion xyzw 3:7, linear velocity 7:10, angular velocity 10:13
        self.root_states = gymtorch.wrap_tensor(self.gym.acquire_actor_root_state_tensor(self.sim))
        # (num_envs, 8, 2): position and velocity of every joint
        dof_states = gymtorch.wrap_tensor(self.gym.acquire_dof_state_tensor(self.sim))
        self.dof_states = dof_states.view(self.num_envs, self.num_dof, 2)
        self.gym.refresh_actor_root_state_tensor(self.sim)
        self.gym.refresh_dof_state_tensor(self.sim)
        self.start_root_states = self.root_states.clone()
        self.previous_position = self.root_states[:, 0:2].clone()
        self.actions = torch.zeros(self.num_envs, self.num_dof, device=self.device)

    def create_sim(self) -> None:  # type: ignore[override]  # IsaacGymEnvs calls the subclass so
        """The ground and `num_envs` ants."""
        self.sim = super().create_sim(self.device_id, self.graphics_device_id, self.physics_engine, self.sim_params)
        ground = gymapi.PlaneParams()
        ground.normal = gymapi.Vec3(0.0, 0.0, 1.0)
        self.gym.add_ground(self.sim, ground)
        options = gymapi.AssetOptions()
        options.default_dof_drive_mode = int(gymapi.DOF_MODE_EFFORT)
        options.angular_damping = 0.0
        folder, file = self.cfg["env"]["asset"]["assetRoot"], self.cfg["env"]["asset"]["assetFileName"]
        asset = self.gym.load_asset(self.sim, folder, file, options)
        self.num_dof = self.gym.get_asset_dof_count(asset)
        efforts = [actuator.motor_effort for actuator in self.gym.get_asset_actuator_properties(asset)]
        self.max_torque = torch.tensor(efforts, device=self.device)
        pose = gymapi.Transform(p=gymapi.Vec3(0.0, 0.0, START_HEIGHT_M))
        low, high = gymapi.Vec3(-ENV_SPACING_M, -ENV_SPACING_M, 0.0), gymapi.Vec3(ENV_SPACING_M, ENV_SPACING_M, 4.0)
        for index in range(self.num_envs):
            env = self.gym.create_env(self.sim, low, high, int(self.num_envs**0.5))
            self.gym.create_actor(env, asset, pose, "ant", index, 1, 0)

    def pre_physics_step(self, actions: torch.Tensor) -> None:
        """Actions are shares of the maximal torque, as in `Ant.State.action`."""
        self.previous_position = self.root_states[:, 0:2].clone()
        self.actions = actions.to(self.device).clamp(-1.0, 1.0)
        torque = gymtorch.unwrap_tensor((self.actions * self.max_torque).contiguous())
        self.gym.set_dof_actuation_force_tensor(self.sim, torque)

    def post_physics_step(self) -> None:
        """Rewards come before resets: they are of the step that ended."""
        self.progress_buf += 1
        self.gym.refresh_actor_root_state_tensor(self.sim)
        self.gym.refresh_dof_state_tensor(self.sim)
        self.compute_reward()
        env_ids = self.reset_buf.nonzero(as_tuple=False).flatten()
        if len(env_ids) > 0:
            self.reset_idx(env_ids)
        joints = self.dof_states.flatten(1)
        self.obs_buf[:] = torch.cat([self.root_states[:, 2:], joints, self.actions], dim=1)

    def reset_idx(self, env_ids: torch.Tensor) -> None:
        """Start new episodes in the environments `env_ids`."""
        self.root_states[env_ids] = self.start_root_states[env_ids]
        shape = (len(env_ids), self.num_dof)
        self.dof_states[env_ids, :, 0] = torch_rand_float(-0.1, 0.1, shape, self.device)
        self.dof_states[env_ids, :, 1] = torch_rand_float(-0.1, 0.1, shape, self.device)
        indices = gymtorch.unwrap_tensor(env_ids.to(torch.int32))
        root_states, dof_states = (gymtorch.unwrap_tensor(states) for states in (self.root_states, self.dof_states))
        self.gym.set_actor_root_state_tensor_indexed(self.sim, root_states, indices, len(env_ids))
        self.gym.set_dof_state_tensor_indexed(self.sim, dof_states, indices, len(env_ids))
        self.previous_position[env_ids] = self.root_states[env_ids, 0:2]
        self.progress_buf[env_ids] = 0
        self.reset_buf[env_ids] = 0

    def compute_reward(self) -> None:
        """Fill `rew_buf` and `reset_buf`. The arguments are the State fields that the exported module reads."""
        forward_velocity = (self.root_states[:, 0] - self.previous_position[:, 0]) / self.control_dt_s
        self.rew_buf[:], components = compute_reward(forward_velocity, self.actions)
        self.extras["reward_components"] = {name: value.mean() for name, value in components.items()}
        height = self.root_states[:, 2]
        x, y = self.root_states[:, 3], self.root_states[:, 4]
        ended = (height < 0.2) | (height > 1.2) | (1 - 2 * (x * x + y * y) < 0.2)
        self.reset_buf[:] = (ended | (self.progress_buf >= self.max_episode_length)).long()


# ---- pasted from ant_reward.py, with the decorator added -------------------------------------------------------------
# fmt: off

# Constants: parameters with these defaults, because TorchScript reads no numbers of the module.
action_squared_weight: float = -0.05
alive_weight: float = 0.133
forward_velocity_reward_scale: float = 5.0
forward_velocity_reward_weight: float = 8.48


@torch.jit.script
def compute_reward(
    forward_velocity: torch.Tensor,
    action: torch.Tensor,
    action_squared_weight: float = action_squared_weight,
    alive_weight: float = alive_weight,
    forward_velocity_reward_scale: float = forward_velocity_reward_scale,
    forward_velocity_reward_weight: float = forward_velocity_reward_weight,
) -> Tuple[torch.Tensor, Dict[str, torch.Tensor]]:
    """The total reward and its components, each of shape (num_envs,).

    Args:
        forward_velocity: (num_envs,), m/s, world frame; progress along +x during the step, divided
            by its duration
        action: (num_envs, 8), dimensionless, joint frame; torque command of this step as a share of
            the maximum, -1 to 1
    """
    num_envs = forward_velocity.shape[0]
    device = forward_velocity.device
    forward_velocity_reward = (
        forward_velocity_reward_weight
        * torch.tanh(forward_velocity / forward_velocity_reward_scale)
    )
    action_squared = action_squared_weight * (action ** 2).sum(dim=-1)
    alive = alive_weight * torch.full((num_envs,), 1.0, dtype=torch.float32, device=device)
    total = forward_velocity_reward + action_squared + alive
    components: Dict[str, torch.Tensor] = {
        "forward_velocity_reward": forward_velocity_reward,
        "action_squared": action_squared,
        "alive": alive,
    }
    return total, components
