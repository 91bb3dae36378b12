"""Random episodes: what rewards are checked on, and what is found out about an environment before anything is asked."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from eureka.trainers.gymnasium.environment import EPISODE_METRIC, OWN_RETURN, STATE, STEP_METRIC, EnvironmentMaker
from eureka.trainers.recording import Recording

_EPISODES = 16
_STEPS = 400
_LONGEST_S = 20.0
"""Of a slow environment fewer steps are recorded, so that a run begins; never fewer than one whole episode."""


@dataclass(frozen=True)
class RandomEpisodes:
    """What random actions gave.

    Attributes:
        recording: transitions, a quarter of them the last of an episode where so many ended.
        steps: how many were made.
        returns, metrics: of the episodes that came to an end: the environment's own return, and the metric.
    """

    recording: Recording
    steps: int
    returns: tuple[float, ...]
    metrics: tuple[float, ...]

    @property
    def constants(self) -> list[str]:
        """The State fields that never changed."""
        return [name for name, value in self.recording.state.items() if bool((value == value[:1]).all())]


def random_episodes(maker: EnvironmentMaker, num: int, seed: int) -> RandomEpisodes:
    """Actions at random that are held for a random while, in episodes with seeds of their own.

    Raises:
        TaskError: the environment's code raises, or gives what cannot be used.
        ConfigError: the metric is of an entry that `info` has not.
    """
    generator = np.random.default_rng(seed)
    rows: list[np.ndarray] = []
    rewards: list[float] = []
    ended: list[bool] = []
    returns: list[float] = []
    metrics: list[float] = []
    env = maker.make()
    env.action_space.seed(seed)
    until = time.monotonic() + _LONGEST_S
    try:
        for number in range(_EPISODES):
            if rows and time.monotonic() > until:
                break
            env.reset(seed=seed * _EPISODES + number)
            held, action = generator.uniform(0.0, 0.9), env.action_space.sample()
            steps = 0
            # An episode must end, for its metric to be seen.
            while not ((steps >= _STEPS or time.monotonic() > until) and metrics):
                if generator.random() >= held:
                    action = env.action_space.sample()
                _, _, terminated, truncated, info = env.step(action)
                rows.append(info[STATE])
                rewards.append(info[STEP_METRIC])
                ended.append(terminated)
                steps += 1
                if terminated or truncated:
                    returns.append(info[OWN_RETURN])
                    metrics.append(info[EPISODE_METRIC])
                    env.reset()
    finally:
        env.close()
    last = generator.permutation(np.flatnonzero(ended))[: num // 4]
    others = generator.permutation(np.flatnonzero(~np.asarray(ended)))[: num - len(last)]
    kept = generator.permutation(np.concatenate([last, others]))
    recording = Recording(
        maker.reader.tensors(np.stack(rows)[kept]),
        torch.tensor(rewards, dtype=torch.float32)[kept],
        torch.tensor(ended)[kept],
    )
    return RandomEpisodes(recording, len(rows), tuple(returns), tuple(metrics))
