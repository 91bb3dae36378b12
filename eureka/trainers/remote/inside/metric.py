"""The metric of a policy in a manager-based environment: a value per step, and its reduction over an episode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from eureka.trainers.remote.inside.simulators import RewardManagerSimulator, SimulatorError
from eureka.trainers.remote.inside.state import entities

LINEAR_TOLERANCE = 0.25
ANGULAR_TOLERANCE = 0.25
"""m/s and rad/s within which a velocity counts as tracked."""


@dataclass(frozen=True)
class RemoteMetric:
    """A metric with its description.

    Attributes:
        name: as `metric=` names it, such as `tracking.twist`.
        reduce: reduction of an episode's values: `sum`, `mean`, `last`, `max`, or `share`: the sum over the time limit,
            so that an episode that ended early counts as failed for the rest.
        chosen: why it was chosen, if the user did not name it.
    """

    name: str
    description: str
    unit: str
    reduce: str
    lowest: float | None = None
    highest: float | None = None
    chosen: str = ""


def choose_metric(env: Any, human: Any, wanted: str | None) -> RemoteMetric:
    """The requested metric, or the default: tracking if there is a velocity command, success if ManiSkill knows it,
    else the task's return.

    Args:
        human: the reward manager of the task's own table.

    Raises:
        SimulatorError: there is no such metric; the message lists the available ones.
    """
    found = _metrics(env, human)
    if wanted is not None:
        if wanted not in found:
            raise SimulatorError(f"metric={wanted}: there is no such metric in this task; there are {', '.join(found)}")
        return found[wanted]
    own = getattr(env, "default_metric", None)
    default = next((name for name in found if name.startswith("tracking.") or name == own), "return")
    others = ", ".join(name for name in found if name != default)
    why = f"nobody named a metric, so it is {default}" + (f"; metric= names another: {others}" if others else "")
    return RemoteMetric(**{**vars(found[default]), "chosen": why})


def _metrics(env: Any, human: Any) -> dict[str, RemoteMetric]:
    found = []
    for name in _velocity_commands(env):
        text = (
            f"share of the time limit in which the velocity is within {LINEAR_TOLERANCE:g} m/s and the turning rate "
            f"within {ANGULAR_TOLERANCE:g} rad/s of the command {name}"
        )
        found.append(RemoteMetric(f"tracking.{name}", text, "share of the time", "share", 0.0, 1.0))
    manager: Any = getattr(env, "metrics_manager", None)
    for name in getattr(manager, "active_terms", ()):
        cfg = manager.cfg[name]
        reduce = str(getattr(cfg, "reduce", "mean"))
        text = f"the task's own metric {name}, its {reduce} over an episode"
        bounds = getattr(cfg, "lowest", None), getattr(cfg, "highest", None)
        found.append(RemoteMetric(f"metrics.{name}", text, str(getattr(cfg, "unit", name)), reduce, *bounds))
    for name in env.termination_manager.active_terms:
        if not env.termination_manager.get_term_cfg(name).time_out:
            text = f"share of episodes that do not end by {name}"
            found.append(RemoteMetric(f"termination.{name}", text, "share of episodes", "last", 0.0, 1.0))
    own = "the return of the task's own reward table: the sum over an episode, as its manager scales it"
    found.append(RemoteMetric("return", own, "return", "sum"))
    for name in human.active_terms:
        text = f"the term {name} of the task's reward table, its mean over an episode"
        found.append(RemoteMetric(f"reward.{name}", text, name, "mean"))
    return {metric.name: metric for metric in found}


def _velocity_commands(env: Any) -> list[str]:
    manager: Any = getattr(env, "command_manager", None)
    names = list(getattr(manager, "active_terms", None) or ())
    return [name for name in names if "Velocity" in type(manager.get_term(name)).__name__]


class MetricReader:
    """Computes the value of a metric in a step, (num_envs,).

    Args:
        human: the reward manager of the task's own table, which is also computed if the metric needs it.
    """

    def __init__(self, simulator: RewardManagerSimulator, env: Any, human: Any, metric: RemoteMetric) -> None:
        self._env, self._human, self.metric = env, human, metric
        kind, _, self._of = metric.name.partition(".")
        self.needs_human = kind in ("return", "reward")
        self.after_step = kind == "metrics"
        self._read = {
            "tracking": self._tracking,
            "metrics": self._metrics,
            "termination": self._termination,
            "return": self._return,
            "reward": self._reward,
        }[kind]
        self._scales = simulator.scales(env)

    def __call__(self) -> torch.Tensor:
        return self._read().float().clone()

    def _tracking(self) -> torch.Tensor:
        env = self._env
        command = env.command_manager.get_command(self._of)
        cfg = env.command_manager.get_term(self._of).cfg
        name: str = getattr(cfg, "entity_name", "") or cfg.asset_name
        data = entities(env.scene)[name].data
        linear, angular = (_tensor(_any(data, kind)) for kind in ("lin_vel_b", "ang_vel_b"))
        near = (command[:, :2] - linear[:, :2]).norm(dim=1) <= LINEAR_TOLERANCE
        return near & ((command[:, 2] - angular[:, 2]).abs() <= ANGULAR_TOLERANCE)

    def _metrics(self) -> torch.Tensor:
        manager = self._env.metrics_manager
        return manager._step_values[:, manager.active_terms.index(self._of)]

    def _termination(self) -> torch.Tensor:
        return ~self._env.termination_manager.get_term(self._of)

    def _return(self) -> torch.Tensor:
        return self._human._reward_buf

    def _reward(self) -> torch.Tensor:
        index = self._human.active_terms.index(self._of)
        return self._human._step_reward[:, index]


def _any(data: Any, kind: str) -> Any:
    return getattr(data, f"root_link_{kind}") if hasattr(data, f"root_link_{kind}") else getattr(data, f"root_{kind}")


def _tensor(value: Any) -> torch.Tensor:
    return value if isinstance(value, torch.Tensor) else value.torch


class EpisodeValues:
    """Accumulates the per-step values of every environment until its episode ends."""

    def __init__(self, num_envs: int, limit: int, reduce: str, device: Any) -> None:
        self._limit, self._reduce = limit, reduce
        self._sum = torch.zeros(num_envs, dtype=torch.float64, device=device)
        self._last = torch.zeros(num_envs, device=device)
        self._max = torch.full((num_envs,), -torch.inf, device=device)
        self._steps = torch.zeros(num_envs, dtype=torch.int64, device=device)

    def add(self, value: torch.Tensor, done: torch.Tensor) -> list[tuple[int, float, int]]:
        """Add a step; returns environment, value and length of the episodes that ended with it."""
        self._sum += value
        self._last = value
        self._max = torch.maximum(self._max, value)
        self._steps += 1
        ended = done.nonzero().flatten().tolist()
        finished = [(index, self._value(index), int(self._steps[index])) for index in ended]
        self._sum[done] = 0.0
        self._max[done] = -torch.inf
        self._steps[done] = 0
        return finished

    @torch.inference_mode()
    def restart(self) -> None:
        """Discard the unfinished episodes."""
        self._sum.zero_()
        self._max.fill_(-torch.inf)
        self._steps.zero_()

    def _value(self, index: int) -> float:
        if self._reduce == "last":
            return float(self._last[index])
        if self._reduce == "max":
            return float(self._max[index])
        whole = float(self._sum[index])
        return {"sum": whole, "mean": whole / int(self._steps[index]), "share": whole / self._limit}[self._reduce]
