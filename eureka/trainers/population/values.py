"""Checks on random episodes that a task's functions return usable values, before the search starts."""

from __future__ import annotations

import torch

from eureka.core.errors import TaskError
from eureka.tasks import Task
from eureka.trainers.population.worlds import Step


class TaskValues:
    """Checks recorded steps, and raises if a function of the task returns unusable values.

    Worlds whose physics diverged are skipped, since their State is meaningless.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._steps = 0
        self._ended_at_once = True

    def started(self, observation: torch.Tensor) -> None:
        """Check the first observations of episodes, (num_envs, obs_dim).

        Raises:
            TaskError: a value is unusable; the message names the function and the value.
        """
        self._finite("observe", observation, "at the start of an episode")

    def stepped(self, step: Step, metric: torch.Tensor) -> None:
        """Check one control step of all worlds; `metric` (num_envs,).

        Raises:
            TaskError: a value is unusable; the message names the function and the value.
        """
        good, when = ~step.diverged, f"in step {self._steps + 1} of random actions"
        self._finite("observe", step.final_observation[good], when)
        self._finite("metric", metric[good], when)
        # Tracing the reward reports values that are not tensors.
        human = self._task.human_reward(step.state)
        if isinstance(human, tuple) and isinstance(human[0], torch.Tensor):
            self._finite("human_reward", human[0][good], when)
        sparse = self._task.sparse_reward(step.state)
        if isinstance(sparse, torch.Tensor):
            self._finite("sparse_reward", sparse[good], when)
        self._steps += 1
        self._ended_at_once &= bool((step.terminated | step.diverged).all())

    def ended(self) -> None:
        """Check the episodes as a whole.

        Raises:
            TaskError: every one ended with its first step.
        """
        if self._ended_at_once and self._task.info.max_episode_steps > 1:
            raise TaskError(
                f"{self._task.folder / 'env.py'}: under random actions every episode ends after one step: "
                "`terminated` is true everywhere, or the physics diverges at once"
            )

    def _finite(self, name: str, value: torch.Tensor, when: str) -> None:
        bad = ~value.isfinite()
        if not bool(bad.any()):
            return
        what = "NaN" if bool(value.isnan().any()) else "infinite"
        rows = int(bad.reshape(len(value), -1).any(dim=1).sum())
        raise TaskError(
            f"{self._task.folder / 'env.py'}: `{name}` gives values that are not finite ({what}, in {rows} of "
            f"{len(value)} environments {when}); nothing can be trained on these: guard what it divides by, and the "
            "arguments of log and sqrt"
        )
