"""Environments of both workflows."""

import gymnasium
import torch
from stand_in import PointCfg, PointEnv

from isaaclab.managers import RewardManager


class ProxyArray:
    """An array whose tensor is its `.torch`."""

    def __init__(self, tensor):
        self.torch = tensor


class ManagerBasedRLEnv(PointEnv, gymnasium.Env):
    """The point on its rail; quaternions are x y z w."""

    def __init__(self, cfg, render_mode=None, **kwargs):
        super().__init__(cfg, "cpu", ProxyArray, "xyzw", RewardManager)


class PointDirectEnv(PointEnv, gymnasium.Env):
    """The same in the direct workflow: the reward is a method, and there are no managers of rewards and actions."""

    def __init__(self, cfg, render_mode=None, **kwargs):
        whole = PointCfg(scene=cfg.scene)
        super().__init__(whole, "cpu", ProxyArray, "xyzw", RewardManager)
        self.cfg, self.extras = cfg, {}
        self.reset_terminated = torch.zeros(self.num_envs, dtype=torch.bool)
        self.actions = torch.zeros(self.num_envs, 1)
        self.pushes = self.action_manager

    def _get_rewards(self):
        return torch.zeros(self.num_envs)

    def step(self, action):
        seen, _, ended, timed, extras = super().step(action)
        self.reward_buf = self._get_rewards()
        return seen, self.reward_buf, ended, timed, extras
