"""Filming a Gymnasium environment through its own pictures."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from eureka.core.errors import VideoError
from eureka.ui.video.encode import Mp4Writer, save_poster
from eureka.ui.video.film import FilmedEpisode, Video

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
    """Film `episodes` of `env`, made with `render_mode="rgb_array"`, into the mp4 `to`; the poster lies beside it.

    Args:
        act: gives the action for an observation.
        max_steps: of every episode at most this many steps.

    The `metric` of an episode shown is its return. The frames a second are the environment's own `render_fps`.

    Raises:
        VideoError: the environment gives no pictures, or the file cannot be written.
    """
    if env.render_mode != "rgb_array":
        raise VideoError(f"{env} gives no pictures: make it with render_mode='rgb_array'")
    to = Path(to)
    fps = Fraction(env.metadata.get("render_fps", FALLBACK_FPS)).limit_denominator(1000)
    shown = []
    observation, _ = env.reset(seed=seed)
    picture = _picture(env)
    height, width = (side - side % 2 for side in picture.shape[:2])
    poster = to.with_suffix(".jpg")
    save_poster(picture, poster)
    with Mp4Writer(to, width, height, fps) as writer:
        for number in range(episodes):
            if number:
                observation, _ = env.reset()
            total, steps, ended = 0.0, 0, ""
            while not ended:
                observation, reward, terminated, truncated, _ = env.step(act(observation))
                total, steps = total + float(reward), steps + 1
                writer.add(_picture(env)[:height, :width])
                ended = "terminated" if terminated else "time limit" if truncated else ""
                ended = ended or ("cut" if steps == max_steps else "")
            shown.append(FilmedEpisode(steps, float(steps / fps), total, ended))
    return Video(str(to), str(poster), writer.frames, float(fps), tuple(shown))


def _picture(env: gymnasium.Env[Any, Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(env.render(), dtype=np.uint8)
