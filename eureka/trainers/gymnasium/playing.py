"""Trained policies in their environment: for films, and for whoever plays one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from eureka.core.errors import RenderingUnavailable, VideoError
from eureka.trainers.gymnasium.algorithms import (
    Predictor,
    load_weights,
    make_algorithm,
    predictor,
    read_policy_bytes,
    set_normal,
)
from eureka.trainers.gymnasium.environment import EPISODE_METRIC, EnvironmentMaker


@dataclass(frozen=True)
class PlayedFrame:
    """A picture after a control step, and how the episode stands.

    Attributes:
        picture: (height, width, 3) uint8.
        ended: `terminated`, `time limit`, or empty while it goes on.
        metric: of the episode, once it has ended.
    """

    picture: np.ndarray
    step: int
    ended: str
    metric: float


def load_policy(data: bytes, maker: EnvironmentMaker) -> Predictor:
    """A policy from the bytes of a `policy.pt`.

    Raises:
        TrainingError: it is none of this environment.
    """
    settings, kept = read_policy_bytes(data)
    env: Any = DummyVecEnv([maker.make])
    normal = VecNormalize(env) if kept["normal"] else None
    set_normal(normal, kept["normal"])
    # Nothing is learned with it: the smallest buffer there is.
    settings = settings.with_arguments({"buffer_size": 1, "n_envs": 1}) if settings.algorithm != "ppo" else settings
    model = make_algorithm(settings, env, 0, 1)
    load_weights(model, kept["weights"])
    env.close()
    return predictor(model, normal)


def play(maker: EnvironmentMaker, predict: Predictor, seed: int) -> Iterator[PlayedFrame]:
    """One episode in pictures, the start state first.

    Raises:
        RenderingUnavailable: the environment does not draw here.
        VideoError: what it draws is no picture.
    """
    env = maker.make(render_mode="rgb_array")
    try:
        observation, _ = env.reset(seed=seed)
        yield PlayedFrame(_picture(env), 0, "", 0.0)
        step = 0
        while True:
            action = predict(np.asarray(observation)[None])[0]
            observation, _, terminated, truncated, info = env.step(action)
            step += 1
            ended = "terminated" if terminated else "time limit" if truncated else ""
            yield PlayedFrame(_picture(env), step, ended, info.get(EPISODE_METRIC, 0.0))
            if ended:
                return
    finally:
        env.close()


def _picture(env: Any) -> np.ndarray:
    try:
        picture = env.render()
    except Exception as error:  # whatever a drawing library raises where there is no screen
        raise RenderingUnavailable(f"the environment cannot be drawn: {' '.join(str(error).split())}") from error
    array = np.asarray(picture)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8:
        raise VideoError(f"render_mode=rgb_array gave {array.dtype} of shape {array.shape}, and no picture")
    return array
