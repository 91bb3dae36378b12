"""`task.yaml` as typed data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import yaml
from annotated_types import MinLen

from eureka.core.errors import TaskError
from eureka.core.ranges import Count, Positive
from eureka.core.serialize import DecodeError, read_data
from eureka.tasks.ppo import PPOConfig


@dataclass(frozen=True)
class Physics:
    """How the model is stepped.

    `timestep_s` is MuJoCo's step in seconds and `substeps` the number of them in one control step. `solver` is the
    constraint solver, the model's own where it is left out. `nconmax` (contacts per world) and `njmax` (constraint
    rows) are the capacities for physics=warp; if omitted, the maximum that the model can need.
    """

    integrator: Literal["euler", "rk4", "implicit", "implicitfast"]
    timestep_s: Positive
    substeps: Count
    solver: Literal["pgs", "cg", "newton"] | None = None
    nconmax: Count | None = None
    njmax: Count | None = None


@dataclass(frozen=True)
class Push:
    """Random changes of a free base's velocity, of `speed_m_s` in a random horizontal direction, on average every
    `every_s` seconds of each world.
    """

    speed_m_s: Positive
    every_s: Positive


@dataclass(frozen=True)
class Randomisation:
    """Domain randomisation (Tobin et al. 2017): what differs from episode to episode.

    `factors` are ranges by the name of an MjModel field (`body_mass`, `geom_friction`, `actuator_gainprm`,
    `opt.gravity`, ...): every episode multiplies the whole field by one number drawn evenly from its range. Inertias
    are scaled with masses.
    """

    factors: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    push: Push | None = None

    def __post_init__(self) -> None:
        for name, (low, high) in self.factors.items():
            if low > high:
                raise ValueError(f"the range of `{name}` must be one such as [0.8, 1.2], not [{low}, {high}]")
            if name == "opt.timestep":
                raise ValueError(f"`{name}` would change how long a control step is: set `physics.timestep_s` instead")
            if name in ("body_mass", "body_inertia") and low <= 0:
                raise ValueError(f"the range of `{name}` must be above 0: MuJoCo cannot move a body without mass")


@dataclass(frozen=True)
class Learned:
    """The result of trainings with the human-written reward: the mean `score` over `seeds` trainings, in the metric's
    `unit`, after `steps` control steps each.
    """

    score: float
    unit: str
    steps: Count
    seeds: Count


@dataclass(frozen=True)
class TaskInfo:
    """A task folder's `task.yaml`.

    Attributes:
        name: the folder's name.
        description: the sentence that the model is given.
        model: `gymnasium:ant.xml` for a body of the installed Gymnasium, `package:metaworld/assets/...` for one of
            another installed package, or a file in the folder.
        max_episode_steps: the time limit in control steps.
        outputs: extra MjData fields that the State reads, such as `cfrc_ext`.
        gymnasium_id: the Gymnasium environment with this body, where there is one.
        camera: the camera of the model that videos are filmed with; by default one at the side of the body.
        physics: integrator and time steps.
        num_envs: worlds per group.
        steps: control steps per training for every budget.
        ppo: the task's hyper-parameters.
        randomisation: what differs between episodes, in training and evaluation alike.
        fitness: `metric`, or `preference` for a task that has none: a person's preferences decide in its place.
        learned: what its human-written reward reached here.
        tried: what was tried where that reward has not learned the task here yet.
        evidence: what was measured for the numbers above, in words, for people.
    """

    name: str
    description: str
    model: str
    max_episode_steps: Count
    physics: Physics
    num_envs: Count
    steps: Annotated[Mapping[str, Count], MinLen(1)]
    ppo: PPOConfig = field(default_factory=PPOConfig)
    outputs: tuple[str, ...] = ()
    gymnasium_id: str | None = None
    camera: str | None = None
    randomisation: Randomisation = field(default_factory=Randomisation)
    fitness: Literal["metric", "preference"] = "metric"
    learned: Learned | None = None
    tried: str | None = None
    evidence: str = "none given"

    def __post_init__(self) -> None:
        rows = self.num_envs * self.ppo.horizon
        if self.ppo.minibatches > rows:
            raise ValueError(
                f"`ppo.minibatches` is {self.ppo.minibatches}, more than an update's {rows} rows "
                f"({self.num_envs} worlds x {self.ppo.horizon} steps)"
            )

    @property
    def status(self) -> str:
        """The task's status: `learns` with the score of the human-written reward, `runs` if it has not learned, or
        unknown.
        """
        if self.learned is not None:
            score, unit = self.learned.score, self.learned.unit
            return f"learns, {score:.0%} {unit}" if unit.startswith("of the ") else f"learns, {score:.3g} {unit}"
        return "runs" if self.tried is not None else "not said"

    @property
    def has_metric(self) -> bool:
        """Whether the task has a metric, rather than a person's preferences."""
        return self.fitness == "metric"


def read_info(folder: Path) -> TaskInfo:
    """Read `folder/task.yaml`.

    Raises:
        TaskError: the file is missing, is not YAML, lacks a key, or has an unknown one or a value that is not allowed.
    """
    path = folder / "task.yaml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise TaskError(
            f"{path}: cannot be read ({error.strerror}); a task folder holds task.yaml and env.py"
        ) from error
    except yaml.YAMLError as error:
        raise TaskError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(raw, dict):
        raise TaskError(f"{path}: expected `key: value` lines, found {type(raw).__name__}")
    given = {key: value for key, value in raw.items() if value is not None}
    try:
        return read_data(TaskInfo, {**given, "name": folder.name})
    except DecodeError as error:
        raise TaskError(f"{path}: {error}") from error
