"""Environments."""

from stand_in import PointEnv

from mjlab.managers.reward_manager import RewardManager


class ManagerBasedRlEnv(PointEnv):
    """The point on its rail."""

    def __init__(self, cfg, device, render_mode=None, **kwargs):
        def make(rewards, env):
            return RewardManager(rewards, env, scale_by_dt=cfg.scale_rewards_by_dt)

        super().__init__(cfg, device, lambda tensor: tensor, "wxyz", make)
