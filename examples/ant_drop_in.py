"""An exported reward in Gymnasium's Ant-v5, in one environment and in several at once.

python examples/ant_drop_in.py [--reward best/reward.py] [--steps 200]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import gymnasium
import numpy as np

from eureka.wrappers import RewardWrapper, VectorRewardWrapper

REWARD = Path(__file__).parent / "ant_reward.py"


def one_environment(reward: Path, steps: int) -> dict[str, float]:
    """Mean of every component over `steps` random steps of one environment, and of their total."""
    env = RewardWrapper(gymnasium.make("Ant-v5"), reward)
    env.action_space.seed(0)
    env.reset(seed=0)
    sums = dict.fromkeys([*env.module.components, "total"], 0.0)
    for _ in range(steps):
        _, total, terminated, truncated, info = env.step(env.action_space.sample())
        for name, value in {**info["reward_components"], "total": total}.items():
            sums[name] += float(value)
        if terminated or truncated:
            env.reset()
    env.close()
    return {name: value / steps for name, value in sums.items()}


def several_environments(reward: Path, steps: int) -> np.ndarray:
    """The reward of each of four environments, (steps, 4), which reset by themselves."""
    envs = VectorRewardWrapper(gymnasium.make_vec("Ant-v5", num_envs=4, vectorization_mode="sync"), reward)
    envs.action_space.seed(0)
    envs.reset(seed=0)
    rewards = [envs.step(envs.action_space.sample())[1] for _ in range(steps)]
    envs.close()
    return np.stack(rewards)


def main() -> None:
    """Print what random actions are paid."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reward", type=Path, default=REWARD)
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    print(f"one Ant-v5, {options.steps} random steps, per step:")
    for name, mean in one_environment(options.reward, options.steps).items():
        print(f"  {name}: {mean:.4g}")
    means = several_environments(options.reward, options.steps).mean(axis=0)
    print(f"four at once: {', '.join(f'{mean:.4g}' for mean in means)} per step")


if __name__ == "__main__":
    main()
