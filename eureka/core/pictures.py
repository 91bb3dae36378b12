"""What a film shows of a policy, and the pictures that a trainer gives for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eureka.core.errors import VideoError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_SIDE, MAX_SIDE = 16, 4096
"""Pixels. Above, decoders in browsers give up."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a video shows of a policy, and how.

    Attributes:
        episodes: how many, each from a start state of its own.
        typical: of so many start states the one is shown whose episode has the median task metric, so that one fall
            does not stand for a policy; 1: the first. Only where a trainer simulates them at once.
        seed: start states are the same for the same seed, whatever the policy, where `typical` is 1: two videos can run
            side by side.
        max_seconds: of every episode at most this much simulated time; None for all of it.
        width, height: of the picture in pixels, even; an environment that draws in a size of its own keeps that.
        fps: frames a second at most. Videos play at the speed of the simulated time.
        camera: a camera of the model by its name; None for the task's own, or one at the side of the body.
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
        """Control steps between two pictures."""
        return max(1, math.ceil(1 / (self.fps * control_step_s) - 1e-6))

    def steps_shown(self, control_step_s: float, limit: int) -> int:
        """Control steps of an episode that are shown at most, where it ends after `limit` of them."""
        return limit if self.max_seconds is None else min(limit, max(1, int(self.max_seconds / control_step_s + 1e-6)))


@dataclass(frozen=True)
class RenderedFrame:
    """One picture of an episode; the first of an episode is that of its start.

    Attributes:
        picture: (height, width, 3) RGB.
        step: control steps since the episode began.
        ended: how the episode ended with this picture: `terminated`, `time limit`, or `cut` where it goes on and is
            not shown further. Empty while it goes on.
        metric: the task metric over the episode so far; None where there is none yet.
        lines: further lines of the overlay, after the time and the metric.
    """

    picture: NDArray[np.uint8]
    step: int
    ended: str = ""
    metric: float | None = None
    lines: tuple[str, ...] = ()
