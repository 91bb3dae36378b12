"""Exported rewards in environments that are not ours."""

from eureka.wrappers.gymnasium_env import RewardWrapper
from eureka.wrappers.gymnasium_vector import VectorRewardWrapper
from eureka.wrappers.loading import load_reward
from eureka.wrappers.reward_module import RewardModule

__all__ = ["RewardModule", "RewardWrapper", "VectorRewardWrapper", "load_reward"]
