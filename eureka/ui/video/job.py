"""What is to be filmed, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from eureka.core.errors import VideoError

MIN_SIDE, MAX_SIDE = 16, 4096
"""Pixels. Above, decoders in browsers give up."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a video shows of a policy, and how.

    Attributes:
        episodes: how many, each from a start state of its own.
        seed: start states are the same for the same seed, whatever the policy: two videos can run side by side.
        max_seconds: of every episode at most this much simulated time; None for all of it.
        width, height: of the picture in pixels, even.
        fps: frames a second at most. Videos play at the speed of the simulated time.
        camera: a camera of the model by its name; None for the task's own, or one beside the body.
        shadows: draw shadows and reflections, at five times the cost.
        overlay: write time, task metric, reward and the State's commands and targets into the picture.
        crf: H.264's constant rate factor: larger is coarser, and a smaller file.

    Raises:
        VideoError: a size that cannot be encoded.
    """

    episodes: int = 1
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


@dataclass(frozen=True, kw_only=True)
class VideoJob:
    """A policy to be filmed.

    Attributes:
        task: the task's name.
        task_dirs: absolute paths where else to look for it.
        policy: the bytes of a `policy.pt`.
        graph: the JSON text of the reward graph that an overlay shows; none where empty.
    """

    task: str
    task_dirs: tuple[str, ...] = ()
    policy: bytes = field(repr=False)
    graph: str = field(default="", repr=False)
    look: Look = Look()


@dataclass(frozen=True)
class EpisodeShown:
    """One filmed episode: its control steps and their simulated time, the task metric over them, and how it ended.

    `ended` is `terminated`, `time limit`, or `cut` where the episode went on after what is shown.
    """

    steps: int
    seconds: float
    metric: float
    ended: str


@dataclass(frozen=True)
class Video:
    """A finished mp4 (H.264, playable while it loads) and the JPEG that stands for it."""

    path: str
    poster: str
    frames: int
    fps: float
    episodes: tuple[EpisodeShown, ...]


@dataclass(frozen=True)
class Shot:
    """What the child that films is asked: a policy, and where its video goes."""

    job: VideoJob
    to: str


@dataclass(frozen=True)
class Wrap:
    """What that child answers: the video, or why there is none."""

    video: Video | None
    error: str = ""
