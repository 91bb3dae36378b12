"""Filming episodes of a policy on the task's own physics. Needs an OpenGL, so it is best called in a child process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from eureka.core.errors import VideoError
from eureka.reward.graph.runtime import RewardFunction, compile_graph
from eureka.tasks import Task, load_task
from eureka.tasks.base import state_tensors
from eureka.trainers.population.policy import Policies, load_policy
from eureka.trainers.population.worlds import Worlds
from eureka.ui.video.encode import Mp4Writer, save_poster, write_lines
from eureka.ui.video.film import FilmedEpisode, FilmJob, Video
from eureka.ui.video.scene import Scene, Shown

HOLD_S = 0.5
"""How long the last picture of an episode stays, so that its end is seen."""

COMMANDS = ("command", "target")
"""How State fields begin that say what the policy is told to do: an overlay shows them."""

POSTER_S = 1.0
"""Simulated time of the poster frame: after the start, which is the same for every policy."""


def render_rollout(job: FilmJob, to: Path) -> Video:
    """Film `job` into the mp4 `to`, with a poster frame `to.with_suffix(".jpg")`.

    Draws in this process with the OpenGL that the environment variable MUJOCO_GL named before mujoco was imported:
    `eureka.ui.video.process.FilmProcess` has this done in a child.

    Raises:
        VideoError: nothing can be drawn, the policy is of another task, or a file cannot be written.
        TaskError: no such task, or one that cannot be used.
    """
    task = load_task(job.task, [Path(folder) for folder in job.task_dirs])
    policy = _policy(job, task)
    every = max(1, math.ceil(1 / (job.look.fps * task.control_timestep_s) - 1e-6))
    fps = Fraction(1 / (task.control_timestep_s * every)).limit_denominator(1000)
    rollout = _Rollout(job, task, policy, every)
    poster_path, look = to.with_suffix(".jpg"), job.look
    poster = np.zeros((look.height, look.width, 3), dtype=np.uint8)
    with Scene(task, look) as scene, Mp4Writer(to, look.width, look.height, fps, look.crf) as writer:
        for frame in rollout.frames():
            picture = scene.draw(frame.shown)
            if look.overlay:
                picture = write_lines(picture, frame.lines)
            if frame.is_poster:
                poster = picture
            for _ in range(1 + frame.is_last * round(HOLD_S * fps)):
                writer.add(picture)
        save_poster(poster, poster_path)
    return Video(str(to), str(poster_path), writer.frames, float(fps), tuple(rollout.episodes))


@dataclass(frozen=True)
class _Frame:
    shown: Shown
    lines: tuple[str, ...]
    is_last: bool = False
    is_poster: bool = False


class _Rollout:
    """Plays the episodes of a job and gives what is to be drawn."""

    def __init__(self, job: FilmJob, task: Task, policy: Policies, every: int) -> None:
        self.episodes: list[FilmedEpisode] = []
        self._look = job.look
        self._task = task
        self._policy = policy
        self._every = every
        self._worlds = Worlds(task, [torch.Generator().manual_seed(job.look.seed)], 1, desynchronise=False)
        self._commands: dict[str, torch.Tensor] = {}
        self._reward: RewardFunction | None = compile_graph(job.graph) if job.graph else None
        limit, seconds = task.info.max_episode_steps, job.look.max_seconds
        cut = limit if seconds is None else max(1, int(seconds / task.control_timestep_s + 1e-6))
        self._steps_shown = min(limit, cut)

    def frames(self) -> Iterator[_Frame]:
        """Every frame of every episode; `episodes` then says how they went."""
        poster_at = min(round(POSTER_S / self._task.control_timestep_s), self._steps_shown)
        for number in range(1, self._look.episodes + 1):
            if number > 1:
                self._worlds.restart(torch.ones(1, dtype=torch.bool))
            values: list[float] = []
            rewards: list[float] = []
            yield self._frame(number, values, rewards)
            ended = ""
            while not ended:
                ended = self._step(values, rewards)
                is_poster = number == 1 and (len(values) == poster_at or (bool(ended) and len(values) < poster_at))
                if len(values) % self._every == 0 or ended or is_poster:
                    yield self._frame(number, values, rewards, bool(ended), is_poster)
            seconds = len(values) * self._task.control_timestep_s
            metric = self._task.metric.of_episode(torch.tensor(values))
            self.episodes.append(FilmedEpisode(len(values), seconds, metric, ended))

    def _step(self, values: list[float], rewards: list[float]) -> str:
        """One control step; gives how the episode ended, nothing while it goes on."""
        action = self._policy(self._worlds.observation[None])[0]
        step = self._worlds.step(action)
        values.append(float(self._task.metric.value(step.state)))
        self._commands = {
            name: value[0] for name, value in state_tensors(step.state).items() if name.startswith(COMMANDS)
        }
        if self._reward is not None:
            rewards.append(float(self._reward(state_tensors(step.state))[0]))
        if step.terminated:
            return "terminated"
        if step.truncated:
            return "time limit"
        return "cut" if len(values) >= self._steps_shown else ""

    def _frame(
        self,
        number: int,
        values: list[float],
        rewards: list[float],
        is_last: bool = False,
        is_poster: bool = False,
    ) -> _Frame:
        task = self._task
        lines = [f"episode {number}"] if self._look.episodes > 1 else []
        lines.append(f"step {len(values)}, {len(values) * task.control_timestep_s:.1f} s")
        if values and task.info.has_metric:
            lines.append(f"metric {task.metric.of_episode(torch.tensor(values)):.3g} {task.metric.unit}")
        if rewards:
            lines.append(f"reward {rewards[-1]:.3g}, sum {sum(rewards):.4g}")
        if values:
            lines += [f"{name} {_row(value)}" for name, value in self._commands.items()]
        return _Frame(Shown.first_of(self._worlds), tuple(lines), is_last, is_poster)


def _row(value: torch.Tensor) -> str:
    """The numbers of one State field of one world."""
    return " ".join(f"{number:.2f}" for number in value.double().flatten().tolist())


def _policy(job: FilmJob, task: Task) -> Policies:
    policy = load_policy(job.policy)
    worlds = Worlds(task, [torch.Generator().manual_seed(0)], 1, desynchronise=False)
    sizes = (worlds.observation.shape[1], task.num_actions)
    if (policy.network.sizes[0], policy.network.sizes[-1]) != sizes:
        raise VideoError(
            f"the policy takes {policy.network.sizes[0]} numbers and gives {policy.network.sizes[-1]}, where task "
            f"`{task.info.name}` has {sizes[0]} observations and {sizes[1]} actions: was the task changed?"
        )
    return policy
