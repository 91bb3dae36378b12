"""Videos as files: played back by PyAV, frame by frame."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import av
import mujoco
import numpy as np
import pytest
from PIL import Image
from torch import tensor

from eureka.config import RunConfig
from eureka.core.errors import VideoError
from eureka.core.pictures import Look
from eureka.tasks import Metric, load_task
from eureka.trainers.population import rendering
from eureka.trainers.population.scene import FollowingCamera, roaming_body, with_sky
from eureka.ui.video.film import FilmJob, Video
from eureka.ui.video.process import FilmProcess

Make = Callable[[int, int, float], bytes]
SMALL = {"width": 64, "height": 48}


def frames_of(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def film(to: Path, policy: bytes, task: str = "cartpole", niceness: int = 0, **look: object) -> Video:
    job = FilmJob(config=RunConfig(task=task), policy=policy, look=Look(**{**SMALL, **look}))  # type: ignore[arg-type]
    with FilmProcess(os.environ, niceness=niceness) as process:
        return process.film(job, to)


@pytest.fixture(scope="module")
def clips(gl: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.mark.process
def test_browsers_play_it_in_real_time(clips: Path, constant_policy: Make) -> None:
    to = clips / "still.mp4"
    # Nobody balances the pole: it falls by itself, within a few seconds, from starts of up to 0.01 rad.
    video = film(to, constant_policy(4, 1, 0.0), episodes=2, max_seconds=None)
    first, second = video.episodes
    assert first.ended == second.ended == "terminated"
    assert first.seconds == pytest.approx(0.04 * first.steps)
    # upright for 0.04 s in every step but the last
    assert first.metric == pytest.approx(0.04 * (first.steps - 1))
    # 0.04 s a step are 25 frames a second: the start, a frame per step, and the end held for half a second (12).
    assert video.frames == len(frames_of(to)) == 2 + first.steps + second.steps + 2 * 12
    with av.open(str(to)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, float(stream.average_rate)) == (64, 48, 25.0)
    data = to.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with Image.open(video.poster) as poster:
        assert (poster.format, poster.size) == ("JPEG", (64, 48))
    assert list(clips.glob("*.partial")) == []


@pytest.mark.process
def test_it_shows_what_happens(clips: Path, constant_policy: Make) -> None:
    """A cart that is pushed to the right moves to the right, in a video with text in its corner."""
    to = clips / "right.mp4"
    look = {"width": 320, "height": 240, "max_seconds": 0.2, "overlay": True}
    video = film(to, constant_policy(4, 1, 0.1), niceness=1, **look)
    assert [(shown.steps, shown.ended) for shown in video.episodes] == [(5, "cut")]
    frames = frames_of(to).astype(int)

    def cart(frame: np.ndarray) -> float:
        """Mean column of the cart's yellow: much red and green, no blue."""
        red, green, blue = np.moveaxis(frame, 2, 0)
        yellow = (red - blue > 40) & (green - blue > 40)
        assert yellow.sum() > 30
        return float(np.argwhere(yellow)[:, 1].mean())

    assert cart(frames[0]) == pytest.approx(160, abs=5)
    assert cart(frames[-1]) > cart(frames[0]) + 5
    corner = frames[-1][:40, :120]
    assert corner.min() < 60
    assert corner.max() > 230


@pytest.mark.process
def test_what_cannot_be_filmed(gl: str, tmp_path: Path, constant_policy: Make) -> None:
    to = tmp_path / "video.mp4"
    swimmer = constant_policy(3, 2, 0.0)
    runner = constant_policy(27, 8, 0.0)
    still = constant_policy(4, 1, 0.0)
    nowhere = tmp_path / "nowhere" / "video.mp4"
    with FilmProcess(os.environ) as process:
        with pytest.raises(VideoError, match="takes 3 numbers and gives 2, where task `cartpole` has 4 observations"):
            process.film(FilmJob(config=RunConfig(task="cartpole"), policy=swimmer), to)
        with pytest.raises(VideoError, match="the model of task `ant` has no camera `sky`; it has track"):
            process.film(FilmJob(config=RunConfig(task="ant"), policy=runner, look=Look(camera="sky")), to)
        with pytest.raises(VideoError, match="there is no task `chess`"):
            process.film(FilmJob(config=RunConfig(task="chess"), policy=still), to)
        with pytest.raises(VideoError, match=r"the video cannot be made: .*the video cannot be written: "):
            process.film(FilmJob(config=RunConfig(task="cartpole"), policy=still, look=Look(**SMALL)), nowhere)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
def test_one_process_films_one_policy_after_the_other(gl: str, tmp_path: Path, constant_policy: Make) -> None:
    def job(policy: bytes, **look: object) -> FilmJob:
        return FilmJob(config=RunConfig(task="cartpole"), policy=policy, look=Look(**SMALL, max_seconds=0.2, **look))  # type: ignore[arg-type]

    with FilmProcess(os.environ) as process:
        process.film(job(constant_policy(4, 1, 0.0)), tmp_path / "a.mp4")
        with pytest.raises(VideoError, match="takes 3 numbers and gives 2"):
            process.film(job(constant_policy(3, 2, 0.0)), tmp_path / "b.mp4")
        process.film(job(constant_policy(4, 1, 0.0), crf=45), tmp_path / "c.mp4")
        with pytest.raises(VideoError, match="the file is not a policy"):
            process.film(job(b"no policy"), tmp_path / "d.mp4")
        assert process._child is not None
        first = process._child.pid
        process._child.end()
        with pytest.raises(VideoError, match="the video cannot be made: killed by signal 9"):
            process.film(job(constant_policy(4, 1, 0.0)), tmp_path / "d.mp4")
        # What follows is filmed by another.
        process.film(job(constant_policy(4, 1, 0.0)), tmp_path / "e.mp4")
        assert process._child.pid != first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.mp4", "c.jpg", "c.mp4", "e.jpg", "e.mp4"]
    assert (tmp_path / "c.mp4").stat().st_size < (tmp_path / "a.mp4").stat().st_size
    assert (tmp_path / "e.mp4").read_bytes() == (tmp_path / "a.mp4").read_bytes()


def test_an_overlay_shows_what_the_policy_is_told(constant_policy: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A State field that begins with `target` or `command`; here the cart's action stands for one."""
    monkeypatch.setattr(rendering, "COMMANDS", ("action",))
    monkeypatch.setattr(rendering, "Scene", Undrawn)
    look = Look(**SMALL, max_seconds=0.1)
    frames = list(rendering.render(load_task("cartpole"), constant_policy(4, 1, 0.25), look, ""))
    # 0.04 s a step: the start, and two steps within 0.1 s
    assert [(frame.step, frame.ended) for frame in frames] == [(0, ""), (1, ""), (2, "cut")]
    assert frames[0].lines == ()
    assert frames[-1].lines == ("action 0.25",)


class Undrawn(nullcontext[Any]):
    """In place of a scene, where nothing can be drawn."""

    def __init__(self, task: object, look: object) -> None:
        super().__init__(self)

    def draw(self, shown: object) -> np.ndarray:
        return np.zeros((48, 64, 3), np.uint8)


@pytest.mark.process
def test_only_tensors_are_loaded_from_a_policy(gl: str, tmp_path: Path) -> None:
    import pickle

    class Hostile:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    with pytest.raises(VideoError):
        film(tmp_path / "video.mp4", pickle.dumps(Hostile()))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [(63, 48), (64, 47), (0, 48), (64, 8192)])
def test_sizes_that_cannot_be_encoded(size: tuple[int, int]) -> None:
    with pytest.raises(VideoError, match="must be even numbers of pixels from 16 to 4096"):
        Look(width=size[0], height=size[1])


@pytest.mark.process
def test_a_child_that_stalls_is_given_up(tmp_path: Path, constant_policy: Make) -> None:
    job = FilmJob(config=RunConfig(task="cartpole"), policy=constant_policy(4, 1, 0.0))
    late = pytest.raises(VideoError, match="not finished within 0 s, so it was given up")
    with FilmProcess(os.environ, timeout_s=0.01) as process, late:
        process.film(job, tmp_path / "video.mp4")


@pytest.mark.process
@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("#!/bin/sh\nkill -SEGV $$\n", "killed by signal 11"),
        ("#!/bin/sh\necho the driver said this >&2\nexit 3\n", "the driver said this"),
        ("#!/bin/sh\nexit 3\n", "ended with status 3"),
        ("#!/bin/sh\necho hello\n", "said nothing that can be read"),
        (None, "No such file"),
    ],
)
def test_a_child_that_dies_is_an_error_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, constant_policy: Make, program: str | None, sentence: str
) -> None:
    python = tmp_path / "python"
    if program:
        python.write_text(program)
        python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    job = FilmJob(config=RunConfig(task="cartpole"), policy=constant_policy(4, 1, 0.0))
    with FilmProcess(os.environ) as process, pytest.raises(VideoError, match=sentence):
        process.film(job, tmp_path / "video.mp4")


# ---- without drawing ---------------------------------------------------------------------------------------------


def test_the_metric_of_what_is_shown() -> None:
    values = [1.0, 3.0, 2.0]
    by_reduction = {reduce: Metric(lambda state: state, reduce, "", "") for reduce in ("sum", "mean", "max", "last")}
    shown = {reduce: metric.of_episode(tensor(values)) for reduce, metric in by_reduction.items()}
    assert shown == {"sum": 6.0, "mean": 2.0, "max": 3.0, "last": 2.0}


def camera_of(xml: str) -> tuple[mujoco.MjModel, mujoco.MjData, FollowingCamera]:
    model = mujoco.MjModel.from_xml_string(xml)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data, FollowingCamera(model, data, aspect=1.0)


def test_the_camera_follows_a_body_that_can_go_anywhere() -> None:
    ball = "<geom type='plane' size='9 9 1'/><body pos='0 0 1'><{joint}/><geom size='.5'/></body>"
    for joint in ("freejoint", "joint type='slide' axis='1 0 0'"):
        _, data, camera = camera_of(f"<mujoco><worldbody>{ball.format(joint=joint)}</worldbody></mujoco>")
        assert camera.camera.lookat.tolist() == [0.0, 0.0, 1.0]
        data.subtree_com[1] = (7.0, 0.0, 3.0)
        assert camera.follow(data).lookat.tolist() == [7.0, 0.0, 1.0]


def test_the_camera_stands_before_a_body_that_cannot() -> None:
    pole = "<joint type='hinge' axis='0 1 0'/><geom type='capsule' size='.1' fromto='0 0 0 0 0 .9'/>"
    model, data, camera = camera_of(f"<mujoco><worldbody><body pos='1 0 2'>{pole}</body></worldbody></mujoco>")
    assert roaming_body(model) is None
    before = camera.camera.lookat.tolist()
    # at the hinge, and far enough to see the pole point up and down: 1 m each way at half of 45 degrees, 1.2 times
    assert before == pytest.approx([1.0, 0.0, 2.0])
    assert camera.camera.distance == pytest.approx(1.2 * 1.0 / np.tan(np.radians(22.5)) + 0.1)
    assert camera.follow(data).lookat.tolist() == before


def test_a_sky_only_where_there_is_none() -> None:
    for name in ("cartpole", "ant"):
        textures = list(with_sky(load_task(name).model_spec()).textures)
        skies = [texture.name for texture in textures if texture.type == mujoco.mjtTexture.mjTEXTURE_SKYBOX]
        assert len(skies) == 1
        assert (skies == ["eureka_sky"]) == (name == "cartpole")
