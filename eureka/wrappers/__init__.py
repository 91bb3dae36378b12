"""Wrappers that use exported rewards in other environments."""

from eureka.wrappers.gymnasium_env import RewardWrapper
from eureka.wrappers.gymnasium_vector import VectorRewardWrapper
from eureka.wrappers.loading import load_reward
from eureka.wrappers.reward_module import RewardModule

__all__ = ["RewardModule", "RewardWrapper", "VectorRewardWrapper", "load_reward"]
