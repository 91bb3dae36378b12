"""Conversion of a MuJoCo environment of Gymnasium to a task folder, for `eureka init NAME --from-env ID`."""

from __future__ import annotations

import importlib.util
import inspect
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import gymnasium
from gymnasium.envs.mujoco import MujocoEnv

from eureka.core.errors import ConfigError, TaskError
from eureka.tasks.writing import TaskSource, read_model
from eureka.trainers.gymnasium.page import goal_sentence
from eureka.trainers.gymnasium.recipe import NO_LIMIT, EnvironmentRecipe, load_definition, time_limit

_STEPPED_BY = ("do_simulation", "_step_mujoco_simulation", "set_state")


def task_source(identity: str, folder: str) -> TaskSource:
    """The model, control step, time limit and sentence of an environment that `env=` can name.

    Raises:
        ConfigError: it is not a MuJoCo environment, or its Python code takes part in the physics.
        TaskError: its model differs from the file that it names.
    """
    definition = load_definition(EnvironmentRecipe(identity, folder=folder))
    env = definition.make()
    try:
        inner: Any = env.unwrapped
        reason = not_a_task(env)
        if reason:
            raise ConfigError(f"--from-env {identity}: {reason}; `eureka init NAME --env {identity}` works for it")
        path = Path(inner.fullpath)
        _, model = read_model(path)
        if (model.nq, model.nv, model.nu) != (inner.model.nq, inner.model.nv, inner.model.nu):
            raise TaskError(f"--from-env {identity}: it changes the model of {path} when it is made: use --env")
        return TaskSource(
            path=path,
            model=_packaged(path, type(inner)),
            sentence=goal_sentence(inspect.getdoc(type(inner)) or ""),
            substeps=int(inner.frame_skip),
            episode_steps=time_limit(env) or NO_LIMIT,
            gymnasium_id=identity if identity.rpartition(":")[2] in gymnasium.registry else "",
        )
    finally:
        env.close()


def not_a_task(env: gymnasium.Env[Any, Any]) -> str:
    """Why MuJoCo alone cannot step an environment; empty if it can."""
    inner = env.unwrapped
    if not isinstance(inner, MujocoEnv):
        return f"{type(inner).__name__} is no gymnasium.envs.mujoco.MujocoEnv"
    changed = [name for name in _STEPPED_BY if getattr(type(inner), name) is not getattr(MujocoEnv, name)]
    if changed:
        return f"its own `{changed[0]}` takes part in the physics, which a task folder would leave out"
    if inner.model.nmocap:
        return "its Python moves mocap bodies, which a task folder would leave out"
    return ""


def _packaged(path: Path, cls: type[Any]) -> str:
    """The path for task.yaml of a model that belongs to a package; empty if the model must be copied."""
    package = cls.__module__.partition(".")[0]
    if package not in packages_distributions():
        return ""  # a folder of the user's own, which may not be on the import path of later commands
    spec = importlib.util.find_spec(package)
    for folder in map(Path, (spec.submodule_search_locations or ()) if spec else ()):
        if package == "gymnasium" and path.parent == folder / "envs" / "mujoco" / "assets":
            return f"gymnasium:{path.name}"
        if path.is_relative_to(folder):
            return f"package:{package}/{path.relative_to(folder).as_posix()}"
    return ""
