"""The State of a manager-based environment that a reward may read: named numbers with units and frames.

The names are those that mjlab and Isaac Lab document for the data of their entities, sensors, commands and actions. A
task has those that can be read: of a suitable type, with one row per environment, and not too many numbers.

Nothing but torch is imported: this file runs in the simulator's interpreter, under Python 3.10 or newer, and is copied
as it is into exported packages. Of the environment it uses `num_envs`, `scene`, `command_manager`, `action_manager`,
`termination_manager`, `episode_length_buf` and `step_dt`; and `quantities`, where it lists its own.
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

TERM = "term_"
"""What the names of fields begin with that are terms of the task's own reward table."""
MAX_NUMBERS = 192
"""Quantities with more numbers per environment, such as a height scan, are omitted."""


class StateReadingError(Exception):
    """The State cannot be read; the text is one sentence."""


@dataclass(frozen=True)
class Quantity:
    """A documented attribute of an entity's data.

    Attributes:
        name: name of the field, after the entity's name and an underscore.
        attributes: its documented attributes; the first existing one is used.
        moving: only of entities whose root can move.
    """

    name: str
    attributes: tuple[str, ...]
    unit: str
    frame: str
    text: str
    moving: bool = False
    per: str = ""


ENTITY_QUANTITIES = (
    Quantity("root_pos", ("root_link_pos_w", "root_pos_w"), "m", "environment", "position of the root", True),
    Quantity("root_quat", ("root_link_quat_w", "root_quat_w"), "1", "world", "orientation of the root, w x y z", True),
    Quantity("root_lin_vel_w", ("root_link_lin_vel_w", "root_lin_vel_w"), "m/s", "world", "velocity of the root", True),
    Quantity(
        "root_ang_vel_w", ("root_link_ang_vel_w", "root_ang_vel_w"), "rad/s", "world", "turning rate of the root", True
    ),
    Quantity("root_lin_vel_b", ("root_link_lin_vel_b", "root_lin_vel_b"), "m/s", "body", "velocity of the root", True),
    Quantity(
        "root_ang_vel_b", ("root_link_ang_vel_b", "root_ang_vel_b"), "rad/s", "body", "turning rate of the root", True
    ),
    Quantity(
        "projected_gravity",
        ("projected_gravity_b",),
        "1",
        "body",
        "direction of gravity, 0 0 -1 where the root is level",
        True,
    ),
    Quantity("joint_pos", ("joint_pos",), "rad or m", "joint", "positions of the joints", per="joint_names"),
    Quantity("joint_vel", ("joint_vel",), "rad/s or m/s", "joint", "velocities of the joints", per="joint_names"),
    Quantity("joint_acc", ("joint_acc",), "rad/s2 or m/s2", "joint", "accelerations of the joints", per="joint_names"),
    Quantity(
        "joint_force",
        ("qfrc_actuator", "applied_torque"),
        "N m or N",
        "joint",
        "what the actuators apply to the joints",
        per="joint_names",
    ),
    Quantity(
        "body_pos", ("body_link_pos_w", "body_pos_w"), "m", "environment", "positions of the bodies", per="body_names"
    ),
    Quantity(
        "body_lin_vel_w",
        ("body_link_lin_vel_w", "body_lin_vel_w"),
        "m/s",
        "world",
        "velocities of the bodies",
        per="body_names",
    ),
    Quantity("site_pos", ("site_pos_w",), "m", "environment", "positions of the sites", per="site_names"),
)

CONTACT_QUANTITIES = (
    Quantity("contact", ("found",), "1", "", "whether each is in contact"),
    Quantity("force", ("force", "net_forces_w"), "N", "as the sensor is configured", "contact force on each"),
    Quantity("current_air_time", ("current_air_time",), "s", "", "for how long each has been in the air"),
    Quantity("last_air_time", ("last_air_time",), "s", "", "how long each was in the air the last time"),
    Quantity("current_contact_time", ("current_contact_time",), "s", "", "for how long each has been in contact"),
    Quantity("last_contact_time", ("last_contact_time",), "s", "", "how long each was in contact the last time"),
    Quantity("heights", ("heights",), "m", "world", "heights above the terrain"),
    Quantity("distances", ("distances",), "m", "", "distances along the rays"),
)

SENSOR_UNITS = {
    "accelerometer": ("m/s2", "sensor"),
    "gyro": ("rad/s", "sensor"),
    "velocimeter": ("m/s", "sensor"),
    "force": ("N", "sensor"),
    "torque": ("N m", "sensor"),
    "touch": ("N", ""),
    "framepos": ("m", "as the sensor is configured"),
    "framequat": ("1", "as the sensor is configured"),
    "framelinvel": ("m/s", "as the sensor is configured"),
    "frameangvel": ("rad/s", "as the sensor is configured"),
    "subtreecom": ("m", "world"),
    "subtreelinvel": ("m/s", "world"),
    "subtreeangmom": ("kg m2/s", "world"),
}
"""Units by kind of MuJoCo sensor; for others the unit is unknown."""


@dataclass(frozen=True)
class Field:
    """One field of the State. `shape` is without the leading num_envs; `dtype` is float32, bool or int64."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    unit: str
    frame: str
    description: str


Read = Callable[[], Any]


class ManagerStateReader:
    """Reads the State of an environment.

    Args:
        env: a manager-based environment, unwrapped.
        quaternions: the simulator's order of quaternions, `wxyz` or `xyzw`; rewards get w x y z.
        file: the user's own Python file, see `own_fields`.
        table: `TableTerms` of the task's own reward table, whose terms become fields; None for no such fields.

    Raises:
        StateReadingError: the file does not provide the fields that it declares.
    """

    def __init__(self, env: Any, quaternions: str = "wxyz", file: str | None = None, table: Any = None) -> None:
        self._env = env
        self._quaternions = quaternions
        self._reads: dict[str, Read] = {}
        self.fields: list[Field] = []
        self._own: Callable[[Any], Mapping[str, torch.Tensor]] = lambda _: {}
        for name, entity in entities(env.scene).items():
            self._entity(name, entity)
        for name, sensor in dict(getattr(env.scene, "sensors", None) or {}).items():
            self._sensor(name, sensor)
        self._managers()
        for name, read, unit, frame, text in getattr(env, "quantities", ()):
            self._add(name, read, unit, frame, text)
        for name in table.weights if table is not None else ():
            field = term_field(name)
            self._reads[field] = partial(table.value, name)
            text = f"the term {name} of the task's own reward table, before its weight"
            self.fields.append(Field(field, (), "float32", "1", "", text))
        if file is not None:
            self._file(file)

    def read(self, names: Collection[str] | None = None) -> dict[str, torch.Tensor]:
        """The current State, each field (num_envs, ...) in its own memory: all fields, or only these."""
        wanted = self._reads if names is None else names
        state = {name: self._value(read) for name, read in self._reads.items() if name in wanted}
        if self._own_names and (names is None or not state.keys() >= set(names)):
            given = self._own(self._env)
            state.update({name: _plain(given[name]).clone() for name in self._own_names})
        return state

    # ---- what there is ---------------------------------------------------------------------------------------------

    def _value(self, read: Read) -> torch.Tensor:
        value = _plain(read())
        return value.clone() if value.is_contiguous() else value.contiguous()

    def _add(self, name: str, read: Read, unit: str, frame: str, text: str) -> None:
        """Add a quantity if it can be read; those that a simulator lacks for this task are omitted."""
        name = identifier(name)
        try:
            value = self._value(read)
        except (AttributeError, KeyError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError):
            return
        if value.dim() < 1 or value.shape[0] != self._env.num_envs or name in self._reads:
            return
        if not 1 <= value[0].numel() <= MAX_NUMBERS:
            return
        self._reads[name] = read
        self.fields.append(Field(name, tuple(value.shape[1:]), _dtype(value), unit, frame, text))

    def _entity(self, name: str, entity: Any) -> None:
        fixed = bool(getattr(entity, "is_fixed_base", False))
        for quantity in ENTITY_QUANTITIES:
            if quantity.moving and fixed:
                continue
            names = [str(part) for part in getattr(entity, quantity.per, ()) or ()] if quantity.per else []
            text = f"{quantity.text} of {name}" if not names else f"{quantity.text} of {name}: {', '.join(names)}"
            read = self._attribute(entity, quantity)
            self._add(f"{name}_{quantity.name}", read, quantity.unit, quantity.frame, text)

    def _attribute(self, entity: Any, quantity: Quantity) -> Read:
        def read() -> torch.Tensor:
            value = _first(entity.data, quantity.attributes)
            if quantity.frame == "environment":
                origins = _plain(self._env.scene.env_origins)
                return value - (origins if value.dim() == 2 else origins[:, None])
            if quantity.name == "root_quat" and self._quaternions == "xyzw":
                return value[:, [3, 0, 1, 2]]
            return value

        return read

    def _sensor(self, name: str, sensor: Any) -> None:
        prefix = f"sensor_{name}"
        kind = str(getattr(getattr(sensor, "cfg", None), "sensor_type", ""))
        unit, frame = SENSOR_UNITS.get(kind, ("", ""))
        names = [
            str(part) for part in getattr(sensor, "primary_names", None) or getattr(sensor, "body_names", ()) or ()
        ]
        of = f": {', '.join(names)}" if names else f" of the sensor {name}"
        if isinstance(_peek(lambda: _plain(sensor.data)), torch.Tensor):
            self._add(prefix, lambda: sensor.data, unit, frame, f"the sensor {name}" + (f", a {kind}" if kind else ""))
            return
        for quantity in CONTACT_QUANTITIES:

            def read(quantity: Quantity = quantity) -> torch.Tensor:
                value = _first(sensor.data, quantity.attributes)
                return value > 0 if quantity.name == "contact" else value

            self._add(f"{prefix}_{quantity.name}", read, quantity.unit, quantity.frame, quantity.text + of)

    def _managers(self) -> None:
        env = self._env
        commands: Any = getattr(env, "command_manager", None)
        for name in getattr(commands, "active_terms", None) or ():

            def read(name: str = name) -> torch.Tensor:
                return commands.get_command(name)

            is_velocity = "Velocity" in type(_peek(partial(commands.get_term, name))).__name__
            unit, frame = ("m/s, m/s, rad/s", "body") if is_velocity else ("", "")
            text = "wanted velocity forward, to the left, and turning rate" if is_velocity else f"the command {name}"
            self._add(f"command_{name}", read, unit, frame, text)
        # The managers may replace their tensors, so these are looked up at every reading.
        actions = ", ".join(map(str, getattr(getattr(env, "action_manager", None), "active_terms", ())))
        self._add("action", lambda: env.action_manager.action, "1", "", f"the policy's action: {actions}")
        self._add("previous_action", lambda: env.action_manager.prev_action, "1", "", "the action of the step before")
        ended = "whether this step ended the episode, other than by the time limit"
        if not hasattr(env, "quantities"):  # where a success ends an episode, this would tell the metric
            self._add("terminated", lambda: env.termination_manager.terminated, "1", "", ended)
            self._add("terminated", lambda: env.reset_terminated, "1", "", ended)  # of the direct workflow
        passed = "time since the episode began"
        self._add("episode_time", lambda: env.episode_length_buf.float() * env.step_dt, "s", "", passed)

    # ---- the user's own --------------------------------------------------------------------------------------------

    _own_names: tuple[str, ...] = ()

    def _file(self, file: str) -> None:
        declared, self._own = own_fields(file)
        given = dict(self._own(self._env))
        for name, what in declared.items():
            self._reads.pop(name, None)
            self.fields = [field for field in self.fields if field.name != name]
            if what is None:
                continue
            if name not in given:
                raise StateReadingError(f"{file}: FIELDS names {name}, and state(env) does not give it")
            value = _plain(given[name])
            if not isinstance(value, torch.Tensor) or value.dim() < 1 or value.shape[0] != self._env.num_envs:
                shape = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
                raise StateReadingError(
                    f"{file}: {name} must be a tensor with a row for each of the {self._env.num_envs} environments, "
                    f"and it is {shape}"
                )
            self.fields.append(Field(name, tuple(value.shape[1:]), _dtype(value), *what))
            self._own_names = (*self._own_names, name)


def entities(scene: Any) -> dict[str, Any]:
    """The bodies of a scene that have data, by name: mjlab's entities, or Isaac Lab's articulations and objects."""
    found: dict[str, Any] = {}
    for kind in ("entities", "articulations", "rigid_objects"):
        found.update(getattr(scene, kind, None) or {})
    return {name: entity for name, entity in found.items() if name != "terrain"}


def own_fields(file: str) -> tuple[dict[str, tuple[str, str, str] | None], Callable[[Any], Any]]:
    """The `FIELDS` and the function `state(env)` of a user's file.

    `FIELDS` maps a name to (unit, frame, description), or to None to remove a field; `state(env)` returns a tensor
    (num_envs, ...) for every name that is not None.

    Raises:
        StateReadingError: the file lacks them, or they are invalid.
    """
    try:
        module = runpy.run_path(file)
    except Exception as error:
        raise StateReadingError(f"{file}: it fails when it is run: {type(error).__name__}: {error}") from error
    fields, function = module.get("FIELDS"), module.get("state")
    if not isinstance(fields, dict) or not callable(function):
        raise StateReadingError(f"{file}: it must define FIELDS = {{name: (unit, frame, description)}} and state(env)")
    for name, what in fields.items():
        is_told = isinstance(what, (tuple, list)) and len(what) == 3 and all(isinstance(part, str) for part in what)
        if not (isinstance(name, str) and name.isidentifier() and (what is None or is_told)):
            raise StateReadingError(
                f"{file}: FIELDS[{name!r}] must be (unit, frame, description), three texts, or None"
            )
    return {name: None if what is None else tuple(what) for name, what in fields.items()}, function


def term_field(name: str) -> str:
    """The field that holds a term of the task's own reward table."""
    return identifier(f"{TERM}{name}")


def identifier(name: str) -> str:
    """A name as an identifier: `robot_imu_lin_vel` for `robot/imu_lin_vel`."""
    text = re.sub(r"\W+", "_", name).strip("_")
    return f"_{text}" if text[:1].isdigit() else text


def _peek(read: Read) -> Any:
    """The result of `read`, None if it cannot be read."""
    try:
        return read()
    except (AttributeError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError):
        return None


def _first(data: Any, attributes: tuple[str, ...]) -> torch.Tensor:
    """The first of these attributes that holds a tensor."""
    for attribute in attributes:
        value = _plain(getattr(data, attribute, None))
        if isinstance(value, torch.Tensor):
            return value
    raise AttributeError(attributes[0])


def _plain(value: Any) -> Any:
    """A tensor as float32, bool or int64; Isaac Lab wraps its arrays, which have a tensor as `.torch`."""
    if not isinstance(value, torch.Tensor) and hasattr(value, "torch"):
        value = value.torch
    if not isinstance(value, torch.Tensor):
        return value
    if value.dtype in (torch.float32, torch.bool, torch.int64):
        return value
    return value.float() if value.is_floating_point() else value.long()


def _dtype(value: torch.Tensor) -> str:
    return str(value.dtype).rpartition(".")[2]
