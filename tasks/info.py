"""`task.yaml` as typed data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import yaml

from eureka.core.errors import TaskError
from eureka.tasks.ppo import PPOConfig
from eureka.tasks.ranges import check_rows, check_steps, check_value, factor_range

FITNESSES = ("metric", "preference")


@dataclass(frozen=True)
class Physics:
    """How the model is stepped.

    `timestep_s` is MuJoCo's step in seconds and `substeps` the number of them in one control step. `solver` is the
    constraint solver, the model's own where it is left out. `nconmax` contacts per world and `njmax` constraint rows
    are what physics=warp makes room for; where they are left out, what the model can need.
    """

    integrator: str
    timestep_s: float
    substeps: int
    solver: str | None = None
    nconmax: int | None = None
    njmax: int | None = None


@dataclass(frozen=True)
class Push:
    """Sudden changes of a free base's velocity, of `speed_m_s` in a random horizontal direction, on average every
    `every_s` seconds of each world."""

    speed_m_s: float
    every_s: float


@dataclass(frozen=True)
class Randomisation:
    """Domain randomisation (Tobin et al. 2017): what differs from episode to episode.

    `factors` are ranges by the name of an MjModel field (`body_mass`, `geom_friction`, `actuator_gainprm`,
    `opt.gravity`, ...): every episode multiplies the whole field by one number drawn evenly from its range. Masses take
    their inertias along.
    """

    factors: Mapping[str, tuple[float, float]]
    push: Push | None = None


@dataclass(frozen=True)
class TaskInfo:
    """A task folder's `task.yaml`.

    Attributes:
        name: the folder's name.
        description: the sentence that the model is given.
        model: `gymnasium:ant.xml` for a body of the installed Gymnasium, or a file in the folder.
        max_episode_steps: the time limit in control steps.
        outputs: extra MjData fields that the State reads, such as `cfrc_ext`.
        gymnasium_id: the Gymnasium environment with this body, where there is one.
        camera: the camera of the model that videos are filmed with; by default one beside the body.
        physics: integrator and time steps.
        num_envs: worlds per group.
        steps: control steps per training for every budget.
        ppo: the task's hyper-parameters.
        randomisation: what differs between episodes, in training and evaluation alike.
        fitness: `metric`, or `preference` for a task that has none: a person's preferences decide in its place.
        evidence: what was measured for the numbers above, in words, for people.
    """

    name: str
    description: str
    model: str
    max_episode_steps: int
    physics: Physics
    num_envs: int
    steps: Mapping[str, int]
    ppo: PPOConfig
    outputs: tuple[str, ...] = ()
    gymnasium_id: str | None = None
    camera: str | None = None
    randomisation: Randomisation = Randomisation({})
    fitness: str = "metric"
    evidence: str = "none given"

    @property
    def has_metric(self) -> bool:
        """Whether a task metric decides, and not a person."""
        return self.fitness == "metric"


def read_info(folder: Path) -> TaskInfo:
    """Read `folder/task.yaml`.

    Raises:
        TaskError: the file is missing, is not YAML, or lacks a key, has an unknown one or one of a wrong type.
    """
    path = folder / "task.yaml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TaskError(
            f"{path}: cannot be read ({error.strerror}); a task folder holds task.yaml and env.py"
        ) from error
    except yaml.YAMLError as error:
        raise TaskError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(raw, dict):
        raise TaskError(f"{path}: expected `key: value` lines, found {type(raw).__name__}")
    values = {**raw, "name": folder.name}
    values["physics"] = _build(Physics, values.get("physics"), path, "physics.")
    ppo = values.get("ppo") or {}
    if isinstance(ppo, dict) and isinstance(ppo.get("hidden"), list):
        ppo = {**ppo, "hidden": tuple(ppo["hidden"])}
    values["ppo"] = _build(PPOConfig, ppo, path, "ppo.")
    values["randomisation"] = _randomisation(values.get("randomisation") or {}, path)
    values["outputs"] = tuple(values.get("outputs") or ())
    info: TaskInfo = _build(TaskInfo, values, path, "")
    if info.fitness not in FITNESSES:
        raise TaskError(f"{path}: `fitness` must be {' or '.join(FITNESSES)}, not {info.fitness!r}")
    check_steps(path, info.steps)
    check_rows(path, info.num_envs, info.ppo)
    return info


def _randomisation(raw: Any, path: Path) -> Randomisation:
    push = raw.get("push") if isinstance(raw, dict) else None
    values = {"factors": {}, **raw} if isinstance(raw, dict) else raw
    if push is not None:
        values["push"] = _build(Push, push, path, "randomisation.push.")
    made: Randomisation = _build(Randomisation, values, path, "randomisation.")
    factors = made.factors or {}
    if not isinstance(factors, dict):
        raise TaskError(f"{path}: `randomisation.factors` must hold `field: [low, high]` lines")
    return replace(made, factors={name: factor_range(path, name, span) for name, span in factors.items()})


def _build(cls: type[Any], values: Any, path: Path, prefix: str) -> Any:
    """Make `cls` from a mapping, with every key and type checked."""
    if not isinstance(values, dict):
        raise TaskError(f"{path}: `{prefix.rstrip('.')}` must hold `key: value` lines")
    known = {f.name: f for f in fields(cls)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise TaskError(f"{path}: unknown key `{prefix}{unknown[0]}`; known keys: {', '.join(sorted(known))}")
    for name, value in values.items():
        wanted = str(known[name].type)
        kinds: dict[str, tuple[type, ...]] = {
            "int": (int,),
            "int | None": (int, type(None)),
            "float": (int, float),
            "str": (str,),
            "str | None": (str, type(None)),
        }
        if wanted in kinds and (not isinstance(value, kinds[wanted]) or isinstance(value, bool)):
            raise TaskError(f"{path}: `{prefix}{name}` must be of type {wanted}, not {value!r}")
        check_value(path, f"{prefix}{name}", value)
    try:
        return cls(**values)
    except TypeError as error:
        missing = str(error).split("argument")[-1].strip(" s:")
        raise TaskError(f"{path}: missing {prefix}{missing}") from error
