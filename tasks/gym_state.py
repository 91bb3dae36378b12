"""A task's State, read from a running Gymnasium environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from eureka.core.errors import TaskError
from eureka.physics import Snapshot
from eureka.tasks.rng import Rng

if TYPE_CHECKING:
    from eureka.tasks.base import Task


class GymState:
    """Follows one Gymnasium MuJoCo environment and gives the task's State after every step of it.

        reader = task.state_from_gym(env)
        env.reset(seed=0)
        reader.reset()
        env.step(action)
        state = reader.step(action)        # fields of shape (1, ...)

    It reads `qpos`, `qvel`, `ctrl` and the task's outputs from `env.unwrapped.data` and keeps the task's carry.

    Raises:
        TaskError: the environment has no MuJoCo data, another body than the task, or another control step.
    """

    def __init__(self, task: Task, env: Any) -> None:
        base = env.unwrapped
        if not hasattr(base, "data") or not hasattr(base, "model"):
            raise TaskError(f"task `{task.info.name}` reads its State from MuJoCo data, which {base} does not have")
        if (base.model.nq, base.model.nv, base.model.nu) != (task.model.nq, task.model.nv, task.model.nu):
            raise TaskError(
                f"{base} has another body than task `{task.info.name}`: their qpos, qvel or ctrl differ in size"
            )
        self._task = task
        self._env = base
        if not np.isclose(base.dt, task.control_timestep_s):
            raise TaskError(
                f"{base} has a control step of {base.dt} s, not the {task.control_timestep_s} s of `{task.info.name}`; "
                "set the environment's frame_skip"
            )
        low, high = base.model.actuator_ctrlrange.T
        self._middle, self._half_range = (high + low) / 2, (high - low) / 2
        self._rng = Rng.from_seed(0)
        self.reset()

    def reset(self) -> Any:
        """Call after `env.reset`: starts the episode's carry, and gives the State of the start."""
        sim = self._snapshot()
        self._carry = self._task.start(sim, self._rng)
        return self._task.read_state(sim, self._carry, torch.zeros(1, self._task.num_actions))

    def step(self, action: np.ndarray) -> Any:
        """Call after `env.step(action)`: the State that a reward of that step reads, before any automatic reset.

        The State's action is the control that reached the engine, whatever wrappers made of `action` on the way; where
        the task's actions are no controls (see `Task.control`), it is `action` itself, within -1 and 1.
        """
        if self._task.has_own_control:
            taken = torch.as_tensor(np.asarray(action, dtype=np.float32))
        else:
            taken = torch.from_numpy((self._env.data.ctrl - self._middle) / self._half_range).float()
        scaled = taken[None].clamp(-1, 1)
        sim = self._snapshot()
        self._carry = self._task.advance(self._carry, sim, scaled, self._rng)
        return self._task.read_state(sim, self._carry, scaled)

    def _snapshot(self) -> Snapshot:
        data = self._env.data
        outputs = {name: torch.tensor(getattr(data, name))[None] for name in self._task.info.outputs}
        return Snapshot(torch.tensor(data.qpos)[None], torch.tensor(data.qvel)[None], outputs)
