"""Hand-written: what the example uses of `isaacgymenvs.tasks.base.vec_task.VecTask`."""

from typing import Any

import torch
from isaacgym import gymapi

class VecTask:
    cfg: dict[str, Any]
    device: str
    num_envs: int
    control_freq_inv: int
    max_episode_length: int
    gym: gymapi.Gym
    sim: gymapi.Sim
    sim_params: gymapi.SimParams
    physics_engine: gymapi.SimType
    device_id: int
    graphics_device_id: int
    obs_buf: torch.Tensor
    rew_buf: torch.Tensor
    reset_buf: torch.Tensor
    progress_buf: torch.Tensor
    extras: dict[str, Any]

    def __init__(
        self,
        config: dict[str, Any],
        rl_device: str,
        sim_device: str,
        graphics_device_id: int,
        headless: bool,
        virtual_screen_capture: bool = ...,
        force_render: bool = ...,
    ) -> None: ...
    def create_sim(
        self, compute_device: int, graphics_device: int, physics_engine: gymapi.SimType, sim_params: gymapi.SimParams
    ) -> gymapi.Sim: ...
