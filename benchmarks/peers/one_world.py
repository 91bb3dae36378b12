"""The ant as a plain Gymnasium environment, one world at a time and as cheap as it can be made in Python.

For trainers that step such environments in processes of their own. It needs MuJoCo and numpy only, computes no contact
forces, and reads the model from a file that was compiled by the task.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium.spaces import Box


def save_model(model: mujoco.MjModel, path: Path) -> None:
    """Write a model for `AntWorld`, without the sensors that only contact forces need."""
    lean = copy.copy(model)
    lean.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_SENSOR.value
    mujoco.mj_saveModel(lean, str(path), None)


class AntWorld(gymnasium.Env[np.ndarray, np.ndarray]):
    """Observation, ends, start states and time limit of the task `ant`; the reward is that of `training.GRAPH`."""

    def __init__(self, path: Path, substeps: int, limit: int) -> None:
        self._model = mujoco.MjModel.from_binary_path(str(path))
        self._data = mujoco.MjData(self._model)
        self._substeps = substeps
        self._limit = limit
        self._step_s = self._model.opt.timestep * substeps
        self._clock = 0
        self.observation_space = Box(-np.inf, np.inf, (self._model.nq + self._model.nv - 2,))
        self.action_space = Box(-1.0, 1.0, (self._model.nu,))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """See `gymnasium.Env.reset`."""
        super().reset(seed=seed)
        del options
        mujoco.mj_resetData(self._model, self._data)
        self._data.qpos += self.np_random.uniform(-0.1, 0.1, self._model.nq)
        self._data.qvel += 0.1 * self.np_random.standard_normal(self._model.nv)
        mujoco.mj_forward(self._model, self._data)
        self._clock = 0
        return self._observation(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        """See `gymnasium.Env.step`."""
        data = self._data
        before = data.qpos[0]
        data.ctrl[:] = action
        mujoco.mj_step(self._model, data, self._substeps)
        self._clock += 1
        speed = (data.qpos[0] - before) / self._step_s
        reward = speed + 0.1 - 0.02 * float(action @ action)
        _, x, y, _ = data.qpos[3:7]
        height = data.qpos[2]
        terminated = bool(height < 0.2 or height > 1.2 or 1 - 2 * (x * x + y * y) < 0.2)
        return self._observation(), float(reward), terminated, self._clock >= self._limit, {}

    def _observation(self) -> np.ndarray:
        return np.concatenate([self._data.qpos[2:], self._data.qvel], dtype=np.float32)
