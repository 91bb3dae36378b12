"""Filming a Gymnasium environment through its own pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import gymnasium
import numpy as np
import pytest

from eureka.core.errors import VideoError
from eureka.ui.video.gym_env import film_env


class Fading(gymnasium.Env[Any, Any]):
    """Grey pictures, 33 high and 48 wide, brighter with every step; ends after five, and pays 2 a step."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    observation_space = gymnasium.spaces.Discrete(10)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, render_mode: str | None = "rgb_array") -> None:
        self.render_mode = render_mode
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        self.steps = 0
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        assert action == self.steps % 2
        self.steps += 1
        return self.steps, 2.0, self.steps == 5, False, {}

    def render(self) -> np.ndarray:
        return np.full((33, 48, 3), 40 * self.steps, np.uint8)


def test_its_pictures_in_order_at_its_own_rate(tmp_path: Path) -> None:
    video = film_env(Fading(), lambda observation: observation % 2, tmp_path / "fading.mp4", episodes=2)
    assert [(shown.steps, shown.seconds, shown.metric, shown.ended) for shown in video.episodes] == [
        (5, 0.5, 10.0, "terminated")
    ] * 2
    with av.open(video.path) as container:
        assert float(container.streams.video[0].average_rate) == 10.0
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    # an odd side loses its last line
    assert {frame.shape for frame in frames} == {(32, 48, 3)}
    # the start, a frame a step, and the end held for half a second
    expected = [0, 40, 80, 120, 160, 200, *[200] * 5] * 2
    assert [float(frame.mean()) for frame in frames] == pytest.approx(expected, abs=4)
    assert Path(video.poster).read_bytes().startswith(b"\xff\xd8")


def test_cut_to_a_number_of_steps(tmp_path: Path) -> None:
    (shown,) = film_env(Fading(), lambda seen: seen % 2, tmp_path / "fading.mp4", max_steps=3).episodes
    assert (shown.steps, shown.ended) == (3, "cut")


def test_an_environment_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="make it with render_mode='rgb_array'"):
        film_env(Fading(render_mode=None), lambda seen: 0, tmp_path / "none.mp4")
    with pytest.raises(VideoError, match="cannot be written"):
        film_env(Fading(), lambda seen: seen % 2, tmp_path / "nowhere" / "fading.mp4")
