"""Random episodes, used to check rewards and to learn about an environment before the search starts."""

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
"""In slow environments fewer steps are recorded to limit the time, but at least one whole episode."""


@dataclass(frozen=True)
class RandomEpisodes:
    """The results of random actions.

    Attributes:
        recording: transitions, a quarter of them the last of an episode if enough episodes ended.
        steps: number of control steps.
        returns, metrics: of finished episodes: the environment's own return, and the metric.
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
    """Run episodes with random actions, each held for a random time; every episode has its own seed.

    Raises:
        TaskError: the environment's code raises, or returns unusable values.
        ConfigError: the metric is an entry that `info` lacks.
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
            # The metric is only known at the end of an episode.
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
