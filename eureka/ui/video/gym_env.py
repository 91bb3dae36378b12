"""Films a Gymnasium environment through its own rendering."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from eureka.core.errors import VideoError
from eureka.core.pictures import Look, RenderedFrame
from eureka.ui.video.film import Video
from eureka.ui.video.render import write_film

FALLBACK_FPS = 30


def film_env(
    env: gymnasium.Env[Any, Any],
    act: Callable[[Any], Any],
    to: str | Path,
    *,
    episodes: int = 1,
    seed: int = 0,
    max_steps: int | None = None,
) -> Video:
    """Film `episodes` of `env`, made with `render_mode="rgb_array"`, into the mp4 `to`; the poster lies in the same
    folder.

    Args:
        act: returns the action for an observation.
        max_steps: maximum number of steps per episode.

    The `metric` of an episode shown is its return. The frames a second are the environment's own `render_fps`.

    Raises:
        VideoError: the environment returns no pictures, or the file cannot be written.
    """
    if env.render_mode != "rgb_array":
        raise VideoError(f"{env} gives no pictures: make it with render_mode='rgb_array'")
    fps = int(env.metadata.get("render_fps", FALLBACK_FPS))
    frames = _frames(env, act, episodes, seed, max_steps)
    return write_film(frames, Path(to), Look(episodes=episodes, fps=fps), 1 / fps)


def _frames(
    env: gymnasium.Env[Any, Any], act: Callable[[Any], Any], episodes: int, seed: int, max_steps: int | None
) -> Iterator[RenderedFrame]:
    for number in range(episodes):
        observation, _ = env.reset(seed=None if number else seed)
        total, steps, ended = 0.0, 0, ""
        yield RenderedFrame(np.ascontiguousarray(env.render(), dtype=np.uint8), 0)
        while not ended:
            observation, reward, terminated, truncated, _ = env.step(act(observation))
            total, steps = total + float(reward), steps + 1
            ended = "cut" if steps == max_steps else ""
            ended = "terminated" if terminated else "time limit" if truncated else ended
            yield RenderedFrame(np.ascontiguousarray(env.render(), dtype=np.uint8), steps, ended, total)
