"""Plays trained policies in their environment, for films and for `eureka play`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka.core.errors import RenderingUnavailable, VideoError
from eureka.core.pictures import Look, RenderedFrame
from eureka.core.types import TaskSpec
from eureka.reward.graph.runtime import RewardFunction, compile_graph
from eureka.trainers.gymnasium.algorithms import (
    Predictor,
    load_weights,
    make_algorithm,
    normalized,
    predictor,
    read_policy_bytes,
    set_normal,
)
from eureka.trainers.gymnasium.environment import EPISODE_METRIC, STATE, EnvironmentMaker


def load_policy(data: bytes, maker: EnvironmentMaker) -> Predictor:
    """A policy from the bytes of a `policy.pt`.

    Raises:
        TrainingError: it is not a policy of this environment.
    """
    settings, kept = read_policy_bytes(data)
    env: Any = DummyVecEnv([maker.make])
    normal = normalized(env, settings)
    set_normal(normal, kept["normal"])
    # Nothing is learned with it, so its buffer can be as small as possible.
    settings = settings.with_arguments({"buffer_size": 1, "n_envs": 1}) if settings.algorithm != "ppo" else settings
    model = make_algorithm(settings, env, 0, 1)
    load_weights(model, kept["weights"])
    env.close()
    return predictor(model, normal)


def play(
    maker: EnvironmentMaker, predict: Predictor, spec: TaskSpec, look: Look, seed: int, graph: str = ""
) -> Iterator[RenderedFrame]:
    """Yield the pictures of one episode, see `Trainer.render`.

    Raises:
        RenderingUnavailable: the environment cannot render here.
        VideoError: it renders something other than a picture.
    """
    env = maker.make(render_mode="rgb_array")
    reward = compile_graph(graph) if look.overlay and graph else None
    every = look.steps_between(spec.control_step_s)
    last = look.steps_shown(spec.control_step_s, spec.episode_steps)
    try:
        observation, _ = env.reset(seed=seed)
        yield RenderedFrame(_picture(env), 0)
        for step in range(1, last + 1):
            observation, _, terminated, truncated, info = env.step(predict(np.asarray(observation)[None])[0])
            ended = "terminated" if terminated else "time limit" if truncated else "cut" if step == last else ""
            if ended or step % every == 0:
                lines = _reward_lines(reward, maker, info[STATE]) if reward else ()
                yield RenderedFrame(_picture(env), step, ended, info.get(EPISODE_METRIC), lines)
            if ended:
                return
    finally:
        env.close()


def _reward_lines(reward: RewardFunction, maker: EnvironmentMaker, row: np.ndarray) -> tuple[str, ...]:
    total, components = reward(maker.reader.tensors(row[None]))
    return (f"reward {float(total[0]):.3g}", *(f"{name} {float(value[0]):.3g}" for name, value in components.items()))


def _picture(env: Any) -> np.ndarray:
    try:
        picture = env.render()
    except Exception as error:  # libraries raise various errors without a screen
        raise RenderingUnavailable(f"the environment cannot be drawn: {' '.join(str(error).split())}") from error
    array = np.asarray(picture)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8:
        raise VideoError(f"render_mode=rgb_array gave {array.dtype} of shape {array.shape}, and no picture")
    return array
