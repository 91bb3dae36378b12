"""Replaces an environment's reward by a reward graph, evaluated once per step for all environments together."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnvWrapper

from eureka.reward.graph.runtime import compile_graph
from eureka.trainers.gymnasium.environment import EPISODE_METRIC, STATE, STEP_METRIC, surely_finite
from eureka.trainers.gymnasium.settings import METRIC, OWN
from eureka.trainers.gymnasium.state import StateReader
from eureka.trainers.statistics import ComponentRecorder

_RECENT_EPISODES = 32


class NotFiniteError(Exception):
    """A reward became NaN or infinite; the message names its components."""


class RewardMeter:
    """Computes a reward on rows of the State, and records its components and the metric.

    Args:
        graph: the reward's JSON text, or `own` or `metric`.
        num_envs: number of environments that step together.

    Attributes:
        recorder: moments and curves; None before the first `end_rollout`.
    """

    def __init__(self, graph: str, reader: StateReader, num_envs: int) -> None:
        self._kind = graph if graph in (OWN, METRIC) else ""
        self._reward = None if self._kind else compile_graph(graph)
        self._reader = reader
        self._lengths = np.zeros(num_envs, dtype=int)
        self._rows: list[tuple[torch.Tensor, Mapping[str, torch.Tensor]]] = []
        self._metrics: list[float] = []
        self._recent: deque[tuple[float, int]] = deque(maxlen=_RECENT_EPISODES)
        self.recorder: ComponentRecorder | None = None

    def rewards(self, own: np.ndarray, dones: np.ndarray, infos: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """The reward of every environment for this step, (num_envs,).

        Raises:
            NotFiniteError: the graph returned NaN or an infinite value.
        """
        self._lengths += 1
        if dones.any():
            for index in map(int, np.flatnonzero(dones)):
                self._recent.append((float(infos[index][EPISODE_METRIC]), int(self._lengths[index])))
                self._lengths[index] = 0
        metric = [info[STEP_METRIC] for info in infos]
        components: Mapping[str, torch.Tensor] = {}
        if self._reward is None:
            total = torch.tensor(metric if self._kind == METRIC else own, dtype=torch.float32)
        else:
            rows = np.concatenate([info[STATE] for info in infos], dtype=np.float64).reshape(len(infos), -1)
            total, components = self._reward(self._reader.tensors(rows, self._reward.inputs))
        paid = total.numpy().astype(np.float64)
        if not surely_finite(paid) and not np.isfinite(paid).all():
            broken = [f"`{name}`" for name, value in components.items() if not bool(value.isfinite().all())]
            raise NotFiniteError(f"component {', '.join(broken)}" if broken else "the total")
        self._rows.append((total, components))
        self._metrics += metric
        return paid

    def end_rollout(self) -> tuple[float, float]:
        """Add the recorded rollout to the statistics; returns the mean metric and length of recent episodes."""
        totals, parts = zip(*self._rows, strict=True)
        metric = torch.tensor(self._metrics, dtype=torch.float32)
        self._rows, self._metrics = [], []
        self.recorder = self.recorder or ComponentRecorder(tuple(parts[0]))
        joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        self.recorder.add(torch.cat(totals), joined, metric)
        if not self._recent:
            return 0.0, 0.0
        values, lengths = zip(*self._recent, strict=True)
        return float(np.mean(values)), float(np.mean(lengths))

    def state_dict(self) -> dict[str, Any]:
        """The recorded data, for a checkpoint."""
        recorder = self.recorder
        kept = {"components": list(recorder.components), **recorder.state_dict()} if recorder else {}
        return {"recorder": kept, "recent": [list(pair) for pair in self._recent]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the data of `state_dict`."""
        if state["recorder"]:
            self.recorder = ComponentRecorder(tuple(state["recorder"]["components"]))
            self.recorder.load_state_dict(state["recorder"])
        self._recent.extend((value, length) for value, length in state["recent"])


class RewardedVecEnv(VecEnvWrapper):
    """Gives a meter's rewards in place of the environments' own, on the State after the action and before any reset."""

    def __init__(self, venv: DummyVecEnv, meter: RewardMeter) -> None:
        super().__init__(venv)
        self._meter = meter
        self._envs: list[Any] = list(venv.envs)

    def reset(self) -> Any:
        return self.venv.reset()

    def step_wait(self) -> Any:
        observation, own, dones, infos = self.venv.step_wait()
        rewards = self._meter.rewards(own, dones, [env.latest for env in self._envs])
        return observation, rewards, dones, infos
