"""A common interface to mjlab, Isaac Lab and ManiSkill: their tasks, environments and runners.

All differences between them are handled here, and in `maniskill`. Imported only in their interpreter.
"""

from __future__ import annotations

import copy
import difflib
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, Protocol

import torch


class SimulatorError(Exception):
    """A failure of the simulator; the text is one sentence."""


class RewardManagerSimulator(Protocol):
    """A simulator with reward managers, or what stands for them.

    Attributes:
        package: the name of its installed package.
        quaternions: order of its quaternions, `wxyz` or `xyzw`.
        scales: whether its reward manager multiplies rewards by the control step.
    """

    package: str
    quaternions: str

    def configs(self, task: str) -> tuple[Any, Any]:
        """The configurations of the environment and of the runner, as fresh copies."""
        ...

    def make(self, cfg: Any, task: str, device: str) -> Any: ...
    def wrap(self, env: Any, agent: Any) -> Any: ...
    def runner(self, vec_env: Any, agent: Any, task: str, device: str) -> Any: ...
    def reward_manager(self, terms: Any, env: Any) -> Any: ...
    def reward_term(self, function: Callable[..., torch.Tensor], params: Mapping[str, Any]) -> Any: ...
    def scales(self, env: Any) -> bool: ...
    def close(self) -> None: ...


def installed(package: str) -> str | None:
    """The version of a package; `unknown` if it does not report one, None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown" if find_spec(package) is not None else None


def unknown_task(package: str, task: str, tasks: list[str]) -> SimulatorError:
    """An error with one sentence, which suggests similar ids."""
    near = difflib.get_close_matches(task, tasks, n=3, cutoff=0.5)
    shown = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(tasks[:20])}"
    return SimulatorError(f"{package} has no task {task}; {shown}")


def require_motions(task: str, commands: Any) -> None:
    """Raise SimulatorError if a command of a tracking task names no motion file, or one that is not there."""
    for name, command in dict(commands or {}).items():
        file = getattr(command, "motion_file", None)
        if file is not None and not os.path.isfile(file):
            said = f"its motion file {file} is not there" if file else "its configuration names no motion file"
            raise SimulatorError(
                f"{task} tracks a motion, and {said}: register a task of your own, with "
                f"cfg.commands[{name!r}].motion_file set, through mjlab's entry point mjlab.tasks"
            )


class Mjlab:
    """mjlab, 1.6."""

    package = "mjlab"
    quaternions = "wxyz"

    def __init__(self) -> None:
        os.environ.setdefault("MJLAB_WARP_QUIET", "1")
        import mjlab.tasks  # noqa: F401  # registers the tasks
        from mjlab.tasks import registry

        self._registry = registry

    def configs(self, task: str) -> tuple[Any, Any]:
        tasks = list(self._registry.list_tasks())
        if task not in tasks:
            raise unknown_task(self.package, task, tasks)
        return self._registry.load_env_cfg(task), self._registry.load_rl_cfg(task)

    def make(self, cfg: Any, task: str, device: str) -> Any:
        from mjlab.envs import ManagerBasedRlEnv

        require_motions(task, cfg.commands)
        return ManagerBasedRlEnv(cfg=cfg, device=device)

    def wrap(self, env: Any, agent: Any) -> Any:
        from mjlab.rl import RslRlVecEnvWrapper

        return RslRlVecEnvWrapper(env, clip_actions=agent.clip_actions)

    def runner(self, vec_env: Any, agent: Any, task: str, device: str) -> Any:
        from dataclasses import asdict

        from mjlab.rl import MjlabOnPolicyRunner

        runner_class = self._registry.load_runner_cls(task) or MjlabOnPolicyRunner
        return runner_class(vec_env, asdict(agent), None, device)

    def reward_manager(self, terms: Any, env: Any) -> Any:
        from mjlab.managers.reward_manager import RewardManager

        return RewardManager(terms, env, scale_by_dt=self.scales(env))

    def reward_term(self, function: Callable[..., torch.Tensor], params: Mapping[str, Any]) -> Any:
        from mjlab.managers.reward_manager import RewardTermCfg

        return RewardTermCfg(func=function, weight=1.0, params=dict(params))

    def scales(self, env: Any) -> bool:
        return bool(getattr(env.cfg, "scale_rewards_by_dt", True))

    def close(self) -> None:
        pass


class IsaacLab:
    """Isaac Lab, 3.0; without Isaac Sim if the task's physics does not need it."""

    package = "isaaclab"

    def __init__(self) -> None:
        import gymnasium
        import isaaclab_tasks  # noqa: F401  # registers the tasks

        try:
            from isaaclab.cli import load_external_tasks
        except ImportError:
            pass
        else:
            load_external_tasks()
        self._gymnasium = gymnasium
        self._launched = ExitStack()
        major = (installed("isaaclab") or "3").split(".")[0]
        self.quaternions = "wxyz" if major.isdigit() and int(major) < 3 else "xyzw"

    def configs(self, task: str) -> tuple[Any, Any]:
        from isaaclab_tasks.utils import resolve_task_config

        registered = self._gymnasium.registry
        tasks = sorted(name for name, spec in registered.items() if "env_cfg_entry_point" in spec.kwargs)
        if task not in tasks:
            raise unknown_task("Isaac Lab", task, tasks)
        if "rsl_rl_cfg_entry_point" not in registered[task].kwargs:
            raise SimulatorError(f"{task} has no configuration for rsl_rl, which trains here")
        env_cfg, agent = resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=())
        if not hasattr(env_cfg, "rewards"):
            raise SimulatorError(
                f"{task} is of the direct workflow, which has no reward manager: search on a manager-based task, or "
                "give it a reward by `eureka export --to isaaclab`"
            )
        return env_cfg, agent

    def make(self, cfg: Any, task: str, device: str) -> Any:
        from isaaclab.app import launch_simulation

        cfg.sim.device = device
        self._launched.enter_context(launch_simulation(cfg, {"device": device, "headless": True}))
        return self._gymnasium.make(task, cfg=cfg).unwrapped

    def wrap(self, env: Any, agent: Any) -> Any:
        from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper

        return RslRlVecEnvWrapper(env, clip_actions=agent.clip_actions)

    def runner(self, vec_env: Any, agent: Any, task: str, device: str) -> Any:
        from isaaclab_rl.rsl_rl import create_rsl_rl_runner, handle_deprecated_rsl_rl_cfg

        del task
        agent = handle_deprecated_rsl_rl_cfg(copy.deepcopy(agent), version("rsl-rl-lib"))
        agent.device = device
        return create_rsl_rl_runner(vec_env, agent, log_dir=None)

    def reward_manager(self, terms: Any, env: Any) -> Any:
        from isaaclab.managers import RewardManager

        return RewardManager(terms, env)

    def reward_term(self, function: Callable[..., torch.Tensor], params: Mapping[str, Any]) -> Any:
        from isaaclab.managers import RewardTermCfg

        return RewardTermCfg(func=function, weight=1.0, params=dict(params))

    def scales(self, env: Any) -> bool:
        del env
        return True

    def close(self) -> None:
        self._launched.close()


def _maniskill() -> RewardManagerSimulator:
    from eureka.trainers.remote.inside.maniskill import ManiSkill

    return ManiSkill()


SIMULATORS: Mapping[str, Callable[[], RewardManagerSimulator]] = {
    "mjlab": Mjlab,
    "isaaclab": IsaacLab,
    "maniskill": _maniskill,
}
"""Simulators by the prefix of `env=`."""
