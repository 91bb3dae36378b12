"""PPO of Stable-Baselines3 trains Ant-v5 on an exported reward; its logged returns are the module's sums.

pip install -e '.[examples]'
python examples/train_sb3.py [--reward best/reward.py] [--steps 4096]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import gymnasium
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env

from eureka.wrappers import RewardWrapper

REWARD = Path(__file__).parent / "ant_reward.py"
NUM_ENVS = 4


class Episode(NamedTuple):
    """A finished episode: what the Monitor of Stable-Baselines3 logged, and the sum of the module's components."""

    logged: float
    module: float


class Returns(BaseCallback):
    """Adds up the module's components over every episode.

    They are what this module's total is made of (`total = forward_velocity_reward + action_squared + alive`).
    """

    def __init__(self) -> None:
        super().__init__()
        self.episodes: list[Episode] = []
        self._running = [0.0] * NUM_ENVS

    def _on_step(self) -> bool:
        for index, info in enumerate(self.locals["infos"]):
            self._running[index] += sum(info["reward_components"].values())
            if "episode" in info:
                self.episodes.append(Episode(info["episode"]["r"], self._running[index]))
                self._running[index] = 0.0
        return True


def train(reward: Path, steps: int) -> list[Episode]:
    """Train for about `steps` control steps; gives the episodes that ended."""
    # `make_vec_env` puts a Monitor around each environment: it sees the module's reward and no other.
    env = make_vec_env(lambda: RewardWrapper(gymnasium.make("Ant-v5"), reward), n_envs=NUM_ENVS, seed=0)
    returns = Returns()
    model = PPO("MlpPolicy", env, n_steps=512, batch_size=256, n_epochs=2, seed=0, device="cpu")
    torch.set_num_threads(1)  # faster for networks this small
    model.learn(steps, callback=returns)
    env.close()
    return returns.episodes


def main() -> None:
    """Train, and print both returns of the last episodes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reward", type=Path, default=REWARD)
    parser.add_argument("--steps", type=int, default=4096)
    options = parser.parse_args()
    episodes = train(options.reward, options.steps)
    print(f"{len(episodes)} episodes; the last ones, as logged and as the sum of the module's components:")
    for episode in episodes[-5:]:
        print(f"  {episode.logged:10.3f} {episode.module:10.3f}")


if __name__ == "__main__":
    main()
