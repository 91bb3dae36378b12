"""Chooses the quantities of a State that are worth rewarding, and how, by unit, shape and frame alone.

A drive is what a reward may be about (a velocity along an axis, a distance to zero, an upright projection, a flag);
a regulariser is what is worth a small penalty (efforts, rates, forces, sideways motion).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from eureka.core.types import FieldSpec
from eureka.proposers.program_search.source import Shaping


class Dimension(StrEnum):
    """The physical dimension of a field."""

    LENGTH = "length"
    VELOCITY = "velocity"
    ACCELERATION = "acceleration"
    ANGLE = "angle"
    RATE = "rate"
    FORCE = "force"
    UNITLESS = "unitless"
    QUATERNION = "quaternion"
    FLAG = "flag"
    COUNT = "count"
    OTHER = "other"


_UNITS = {
    "m": Dimension.LENGTH,
    "m/s": Dimension.VELOCITY,
    "m/s^2": Dimension.ACCELERATION,
    "rad/s^2": Dimension.ACCELERATION,
    "rad": Dimension.ANGLE,
    "rad/s": Dimension.RATE,
    "N": Dimension.FORCE,
    "Nm": Dimension.FORCE,
    "": Dimension.UNITLESS,
    "1": Dimension.UNITLESS,
    "-": Dimension.UNITLESS,
}
_SPATIAL_FRAMES = ("world", "body", "torso", "base", "local", "global", "root", "site")
_GOALS = ("achieved_goal", "desired_goal")
_PREVIOUS = ("previous", "prev", "last")
_RESERVED = ("torch", "total", "compute_reward")
# Leaves room for the constants' suffixes within the 64 characters that a reward graph allows for a name.
_MAX_NAME = 48
_AXES = {2: "xy", 3: "xyz"}
# Maximum length of a vector whose components are used one by one; longer ones are joints or actuators.
_MAX_AXES = 3


@dataclass(frozen=True)
class Feature:
    """A quantity, and what may be made of it.

    `typical` is a large but ordinary value, in the quantity's unit: weights are given in reward per typical value.
    `directed`: more of it (or less, for the opposite sign) is better; otherwise nearer to the target is better.
    `has_best`: one value is the best by nature, as a distance's zero or a projection's end, so that on samples far
    from it nothing need correlate with the metric.
    `is_goal`: it is the distance that a goal-conditioned environment is about.
    `correlation_keys` are its columns' keys in a MetricProbe, empty where a linear correlation says nothing about it.
    """

    name: str
    quantity: str
    role: Literal["drive", "regulariser"]
    typical: float
    shapings: tuple[Shaping, ...]
    directed: bool = False
    has_best: bool = False
    is_goal: bool = False
    targets: tuple[float, ...] = (0.0,)
    temperatures: tuple[float, ...] = ()
    saturations: tuple[float, ...] = ()
    max_weight: float = float("inf")
    correlation_keys: tuple[str, ...] = ()

    @property
    def is_effort(self) -> bool:
        """Whether it penalises a command, which is given in units of its range."""
        return self.max_weight < float("inf")


@dataclass(frozen=True)
class _Traits:
    """The possible shapings of drives of one dimension; numbers in the field's unit."""

    typical: float
    shapings: tuple[Shaping, ...]
    directed: bool
    targets: tuple[float, ...]
    temperatures: tuple[float, ...]
    saturations: tuple[float, ...] = ()
    is_projection: bool = False

    def within(self, spec: FieldSpec) -> _Traits:
        """The same in proportion to the range that a field's description states; unchanged where it states none."""
        stated = _STATED_RANGE.search(spec.description)
        largest = max(abs(float(stated[1])), abs(float(stated[2]))) if stated else 0.0
        if not largest:
            return self
        factor = largest / self.typical

        def scaled(values: tuple[float, ...]) -> tuple[float, ...]:
            return tuple(float(f"{value * factor:.3g}") for value in values)

        return replace(
            self,
            typical=largest,
            targets=scaled(self.targets),
            temperatures=scaled(self.temperatures),
            saturations=scaled(self.saturations),
        )


_LINEAR, _TANH, _EXP, _GAUSSIAN = Shaping.LINEAR, Shaping.TANH, Shaping.EXP, Shaping.GAUSSIAN
_PROJECTION = _Traits(1.0, (_LINEAR, _EXP), True, (1.0,), (0.25, 0.5, 1.0), is_projection=True)
# Saturations are far above ordinary values: otherwise, for example, no policy would exceed a velocity of 1 m/s.
_DRIVES = {
    Dimension.VELOCITY: _Traits(1.0, (_LINEAR, _TANH, _EXP), True, (2.0, 3.0, 4.0), (1.0, 2.0, 4.0), (3.0, 5.0, 10.0)),
    Dimension.RATE: _Traits(2.0, (_TANH, _EXP), True, (2.0, 4.0, 6.0), (2.0, 4.0), (4.0, 8.0)),
    Dimension.UNITLESS: _PROJECTION,
    Dimension.LENGTH: _Traits(1.0, (_EXP, _GAUSSIAN), False, (0.0,), (0.1, 0.25, 0.5, 1.0)),
    Dimension.ANGLE: _Traits(1.0, (_EXP, _GAUSSIAN), False, (0.0,), (0.1, 0.2, 0.5)),
    Dimension.OTHER: _Traits(1.0, (_TANH, _EXP), True, (1.0,), (0.5, 1.0, 2.0), (1.0, 3.0)),
    Dimension.COUNT: _Traits(1.0, (_TANH,), True, (1.0,), (1.0,), (5.0, 20.0)),
    Dimension.FLAG: _Traits(1.0, (_LINEAR,), True, (1.0,), (1.0,)),
}
_STATED_RANGE = re.compile(r"\bbetween (-?[\d.e+-]+) and (-?[\d.e+-]+)$")
"""Pattern of the range at the end of a bounded number's description."""
_DISTANCE = _Traits(1.0, (_EXP, _LINEAR), False, (0.0,), (0.05, 0.1, 0.25, 0.5))
_PENALTY_TYPICAL = {
    Dimension.VELOCITY: 1.0,
    Dimension.RATE: 3.0,
    Dimension.UNITLESS: 0.5,
    Dimension.ANGLE: 0.5,
    Dimension.ACCELERATION: 20.0,
}
_MAX_EFFORT_WEIGHT = 0.05


def dimension(spec: FieldSpec) -> Dimension:
    """The dimension of a field, by dtype and unit; mixed units count as a force if one of them is one."""
    if spec.dtype == "bool":
        return Dimension.FLAG
    if spec.dtype == "int64":
        return Dimension.COUNT
    if spec.shape[-1:] == (4,) and "quat" in f"{spec.unit} {spec.frame} {spec.description}".lower():
        return Dimension.QUATERNION
    found = {_UNITS.get(_normal(part), Dimension.OTHER) for part in spec.unit.split(",")}
    if Dimension.FORCE in found:
        return Dimension.FORCE
    return found.pop() if len(found) == 1 else Dimension.OTHER


def _normal(unit: str) -> str:
    unit = unit.strip().replace("²", "^2").replace("⁻¹", "^-1").replace("⁻²", "^-2").replace("**", "^")
    unit = (
        unit.replace("·", " ").replace("*", " ").replace(" s^-1", "/s").replace(" s^-2", "/s^2").replace("/s2", "/s^2")
    )
    return {"unitless": "1", "none": "1", "dimensionless": "1", "meter": "m"}.get(unit.lower(), unit.replace(" ", ""))


def features(state: Sequence[FieldSpec]) -> tuple[Feature, ...]:
    """Every feature of a State table, in the table's order, with component names that collide with nothing."""
    alive = alive_name(state)
    taken = {spec.name for spec in state} | {*_RESERVED, alive, *_constant_names(alive)}
    found = []
    for feature in _all(state):
        name = _free(feature.name[:_MAX_NAME], taken)
        taken |= {name, *_constant_names(name)}
        found.append(replace(feature, name=name))
    return tuple(found)


def alive_name(state: Sequence[FieldSpec]) -> str:
    """The name of the constant component."""
    return _free("alive", {spec.name for spec in state})


def _constant_names(name: str) -> tuple[str, ...]:
    return tuple(f"{name}_{suffix}" for suffix in ("weight", "target", "scale", "temperature"))


def _free(name: str, taken: set[str]) -> str:
    while not taken.isdisjoint({name, *_constant_names(name)}):
        name += "_term"
    return name


def _all(state: Sequence[FieldSpec]) -> Iterator[Feature]:
    previous = _previous_of(state)
    goals = _goals_of(state)
    for spec in state:
        if spec.name in previous.values() or spec in goals:
            continue
        yield from _drives(spec)
        yield from _regularisers(spec)
        if spec.name in previous and len(spec.shape) <= 1:
            yield _penalty(spec, _squared(f"{spec.name} - {previous[spec.name]}", spec.shape), f"{spec.name}_change")
    yield from _distances([spec for spec in state if spec.name not in previous.values()])


def _previous_of(state: Sequence[FieldSpec]) -> dict[str, str]:
    """The fields that hold a value of one step before, by field: the same name with "previous" at one end."""
    by_name = {spec.name: spec for spec in state if spec.dtype == "float32"}
    pairs = {}
    for spec in by_name.values():
        for word in _PREVIOUS:
            old = next((by_name[n] for n in (f"{word}_{spec.name}", f"{spec.name}_{word}") if n in by_name), None)
            if old is not None and old.shape == spec.shape:
                pairs[spec.name] = old.name
    return pairs


def _goals_of(state: Sequence[FieldSpec]) -> list[FieldSpec]:
    """The achieved and the desired goal of a goal-conditioned environment; empty if there is no such pair."""
    goals = [spec for spec in state if spec.name in _GOALS and len(spec.shape) == 1]
    return goals if len(goals) == len(_GOALS) and goals[0].shape == goals[1].shape else []


def _drive(quantity: str, name: str, traits: _Traits, keys: tuple[str, ...]) -> Feature:
    return Feature(
        name=name,
        quantity=quantity,
        role="drive",
        typical=traits.typical,
        shapings=traits.shapings,
        directed=traits.directed,
        has_best=not traits.directed or traits.is_projection,
        targets=traits.targets,
        temperatures=traits.temperatures,
        saturations=traits.saturations,
        correlation_keys=keys,
    )


def _drives(spec: FieldSpec) -> Iterator[Feature]:
    kind, name = dimension(spec), spec.name
    if kind is Dimension.QUATERNION and spec.shape == (4,):
        letters = re.sub("[^a-z]", "", f"{spec.unit} {spec.frame} {spec.description}".lower())
        x, y = (0, 1) if "xyzw" in letters else (1, 2)
        # The z component of the body's z axis in the world, from the two middle parts of a unit quaternion.
        up = f"1.0 - 2.0 * (torch.square({name}[:, {x}]) + torch.square({name}[:, {y}]))"
        yield _drive(up, f"{name}_up", _PROJECTION, ())
    if kind not in _DRIVES:
        return
    traits = _DRIVES[kind]
    if spec.dtype != "float32":
        if len(spec.shape) <= 1:
            quantity = f"torch.mean({name}.float(), dim=-1)" if spec.shape else f"{name}.float()"
            keys = tuple(f"{name}[{i}]" for i in range(spec.shape[0])) if spec.shape else (name,)
            yield _drive(quantity, f"{name}_reward", traits, keys)
    elif spec.shape == ():
        yield _drive(name, f"{name}_reward", traits.within(spec), (name,))
    elif len(spec.shape) == 1 and spec.shape[0] <= _MAX_AXES and (kind is not Dimension.UNITLESS or _is_spatial(spec)):
        for i in range(spec.shape[0]):
            yield _drive(f"{name}[:, {i}]", f"{name}_{_axis(spec, i)}", traits, (f"{name}[{i}]",))


def _axis(spec: FieldSpec, index: int) -> str:
    return _AXES[spec.shape[0]][index] if spec.shape[0] in _AXES and _is_spatial(spec) else str(index)


def _is_spatial(spec: FieldSpec) -> bool:
    return any(word in spec.frame.lower() for word in _SPATIAL_FRAMES)


def _squared(expression: str, shape: tuple[int, ...]) -> str:
    """The sum of squares of a field of this shape."""
    square = f"torch.square({expression})"
    return f"torch.sum({square}, dim={'-1' if len(shape) == 1 else '(-2, -1)'})" if shape else square


def _penalty(spec: FieldSpec, quantity: str, name: str, keys: tuple[str, ...] = (), columns: int = 0) -> Feature:
    """A quadratic penalty of `columns` columns, all of the field's where that is 0.

    `typical` is what the sum of squares comes to at the dimension's typical value.
    """
    kind = dimension(spec)
    columns = columns or math.prod(spec.shape)
    return Feature(
        name=name,
        quantity=quantity,
        role="regulariser",
        typical=columns * _PENALTY_TYPICAL.get(kind, 1.0) ** 2,
        shapings=(Shaping.LINEAR,),
        max_weight=_MAX_EFFORT_WEIGHT if kind is Dimension.UNITLESS else float("inf"),
        correlation_keys=keys,
    )


def _regularisers(spec: FieldSpec) -> Iterator[Feature]:
    kind, name = dimension(spec), spec.name
    if kind is Dimension.FORCE and 1 <= len(spec.shape) <= 2:
        # Contact forces span orders of magnitude, so the penalty saturates to keep an impact from dominating.
        norm = f"torch.linalg.vector_norm({name}, dim={'-1' if len(spec.shape) == 1 else '(-2, -1)'})"
        forces = (100.0, 300.0, 1000.0)
        yield Feature(f"{name}_norm", norm, "regulariser", 1.0, (_TANH,), saturations=forces)
    if kind not in _PENALTY_TYPICAL:
        return
    is_direction = kind is Dimension.UNITLESS and _is_spatial(spec)
    moves = kind in (Dimension.VELOCITY, Dimension.RATE, Dimension.ACCELERATION)
    if spec.shape == () and moves:
        yield _penalty(spec, _squared(name, ()), f"{name}_squared", (name,))
    elif len(spec.shape) == 1 and kind is Dimension.VELOCITY and spec.shape[0] <= _MAX_AXES:
        for i in range(spec.shape[0]):
            axis = f"{name}_{_axis(spec, i)}_squared"
            yield _penalty(spec, _squared(f"{name}[:, {i}]", ()), axis, (f"{name}[{i}]",), columns=1)
    elif (len(spec.shape) == 2 and moves) or (len(spec.shape) == 1 and not is_direction):
        yield _penalty(spec, _squared(name, spec.shape), f"{name}_squared")


def _distances(state: Sequence[FieldSpec]) -> Iterator[Feature]:
    """The distance between two positions given in the same frame, and between the two goals of an environment that has
    them: by Gymnasium's convention they are of one kind, whatever their unit."""
    goals = _goals_of(state)
    if goals:
        distance = f"torch.linalg.vector_norm({goals[0].name} - {goals[1].name}, dim=-1)"
        yield replace(_drive(distance, "goal_distance", _DISTANCE, ()), is_goal=True)
    points = [s for s in state if dimension(s) is Dimension.LENGTH and s.shape in ((2,), (3,)) and _is_spatial(s)]
    for i, a in enumerate(points):
        for b in points[i + 1 :]:
            if a.shape == b.shape and a.frame == b.frame:
                distance = f"torch.linalg.vector_norm({a.name} - {b.name}, dim=-1)"
                yield _drive(distance, f"{a.name}_to_{b.name}", _DISTANCE, ())
