"""The options of a video of a policy, and the pictures that a trainer renders for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eureka.core.errors import VideoError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_SIDE, MAX_SIDE = 16, 4096
"""Bounds of a picture's width and height in pixels. Browsers cannot decode larger ones."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a video shows of a policy, and how it is drawn.

    Attributes:
        episodes: number of episodes, each from a different start state.
        typical: number of start states to simulate, of which the one with the median task metric is shown, so that a
            single failure does not represent the policy; 1: show the first. Only for trainers that simulate them in one
            batch.
        seed: seed of the start states. With `typical` 1 they do not depend on the policy, so two videos can be compared
            side by side.
        max_seconds: maximum simulated time shown per episode; None for all of it.
        width, height: size of the picture in pixels, even numbers; an environment with a fixed picture size keeps its
            own.
        fps: maximum frames per second. Videos play in real time.
        camera: name of a camera of the model; None for the task's own, or one at the side of the body.
        shadows: draw shadows and reflections, at five times the cost.
        overlay: write time, task metric, reward and the State's commands and targets into the picture.
        crf: H.264's constant rate factor: larger is coarser, and a smaller file.

    Raises:
        VideoError: a size that cannot be encoded.
    """

    episodes: int = 1
    typical: int = 1
    seed: int = 0
    max_seconds: float | None = 20.0
    width: int = 480
    height: int = 360
    fps: int = 30
    camera: str | None = None
    shadows: bool = False
    overlay: bool = False
    crf: int = 24

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            if not MIN_SIDE <= side <= MAX_SIDE or side % 2:
                raise VideoError(
                    f"a video of {self.width}x{self.height} cannot be made: both sides must be even numbers of pixels "
                    f"from {MIN_SIDE} to {MAX_SIDE}"
                )

    def steps_between(self, control_step_s: float) -> int:
        """The number of control steps between two pictures."""
        return max(1, math.ceil(1 / (self.fps * control_step_s) - 1e-6))

    def steps_shown(self, control_step_s: float, limit: int) -> int:
        """The maximum number of control steps shown of an episode whose time limit is `limit`."""
        return limit if self.max_seconds is None else min(limit, max(1, int(self.max_seconds / control_step_s + 1e-6)))


@dataclass(frozen=True)
class RenderedFrame:
    """One picture of an episode; the first of an episode is that of its start.

    Attributes:
        picture: (height, width, 3) RGB.
        step: control steps since the episode began.
        ended: how the episode ended at this picture: `terminated`, `time limit`, or `cut` if the video stops before its
            end. Empty for other pictures.
        metric: the task metric over the episode so far; None if there is none yet.
        lines: further lines of the overlay, after the time and the metric.
    """

    picture: NDArray[np.uint8]
    step: int
    ended: str = ""
    metric: float | None = None
    lines: tuple[str, ...] = ()
