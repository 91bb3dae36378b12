"""The State of an environment: its fields, and their values after each control step as one row of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import gymnasium
import numpy as np
import torch
from gymnasium import spaces

from eureka.core.errors import TaskError
from eureka.core.missing import what_failed
from eureka.core.types import FieldSpec
from eureka.trainers.gymnasium.metric import Transition
from eureka.trainers.gymnasium.page import ObservationTable, TableRow
from eureka.trainers.gymnasium.spaces import Leaf, bounds_text, dtype_of

ACTION = "action"
MOST_SCALARS = 32
"""Maximum size of an unnamed part of an observation that is split into single numbers; a larger one is a single
field."""

GOALS = ("achieved_goal", "desired_goal")
"""Parts of a goal-conditioned observation: each stays one field, because what counts is the distance between them."""


@dataclass(frozen=True)
class StateReader:
    """Reads the State of one control step, and splits rows of many steps into tensors.

    Attributes:
        fields: the State.
        read: function that returns the concatenated numbers of all fields of a transition.
    """

    fields: tuple[FieldSpec, ...]
    read: Callable[[Transition], np.ndarray] = field(repr=False)

    @property
    def width(self) -> int:
        """The number of values in a row."""
        return sum(math.prod(each.shape) for each in self.fields)

    def tensors(self, rows: np.ndarray, names: Collection[str] | None = None) -> dict[str, torch.Tensor]:
        """The fields of rows (num, width) by name, each (num, ...); only those in `names` if given.

        Called in every control step of a training with few rows, so its cost is the number of torch calls.
        """
        columns = torch.from_numpy(np.array(rows.T, order="C"))
        floats = columns.float()
        scalars = floats.unbind()
        state, at = {}, 0
        for each in self.fields:
            size = math.prod(each.shape)
            if names is None or each.name in names:
                if each.dtype == "float32" and not each.shape:
                    state[each.name] = scalars[at]
                else:
                    source = floats if each.dtype == "float32" else columns.to(getattr(torch, each.dtype))
                    part = source[at : at + size].T.reshape(len(rows), *each.shape)
                    state[each.name] = part.contiguous()
            at += size
        return state


# ---- from the spaces ---------------------------------------------------------------------------------------------


def state_of_spaces(
    env: gymnasium.Env[Any, Any], leaves: Sequence[Leaf], tables: Sequence[ObservationTable]
) -> StateReader:
    """The State of the observation after the action, and the action; named from the tables of the environment's
    page."""
    left = list(tables)
    fields: list[FieldSpec] = []
    for leaf in leaves:
        table = _table_of(leaf, left)
        if table is not None:
            left.remove(table)
        fields += _fields_of(leaf, table.rows if table else None, [each.name for each in fields])
    fields.append(_action_field(env.action_space))
    parts = tuple(leaves)

    if len(parts) == 1 and not parts[0].path and parts[0].space.shape and env.action_space.shape:

        def read(step: Transition) -> np.ndarray:
            observation, action = step.observation, step.action
            if observation.__class__ is action.__class__ is np.ndarray and observation.ndim == action.ndim == 1:
                return np.concatenate((observation, action))
            return np.concatenate((np.ravel(observation), np.ravel(action)))

    elif len(parts) == 1 and not parts[0].path:

        def read(step: Transition) -> np.ndarray:
            return np.concatenate((np.ravel(step.observation), np.ravel(step.action)), dtype=np.float64)

    else:

        def read(step: Transition) -> np.ndarray:
            values = [np.ravel(leaf.read(step.observation)) for leaf in parts]
            return np.concatenate((*values, np.ravel(step.action)), dtype=np.float64)

    return StateReader(tuple(fields), read)


def _table_of(leaf: Leaf, tables: Sequence[ObservationTable]) -> ObservationTable | None:
    """The table with one row for each number of a part; if several match, the one whose text names the part's key."""
    size = int(np.prod(leaf.space.shape or ()))
    fit = [table for table in tables if len(table.rows) == size and isinstance(leaf.space, spaces.Box)]
    if leaf.path and any(table.key for table in fit):
        fit = [table for table in fit if table.key == str(leaf.path[-1])]
    return fit[0] if fit else None


def _fields_of(leaf: Leaf, table: Sequence[TableRow] | None, used: Sequence[str]) -> list[FieldSpec]:
    space, shape = leaf.space, tuple(leaf.space.shape or ())
    where = f"`{leaf.name}` of the observation" if leaf.path else "the observation"
    if table is not None and leaf.name in GOALS:
        units = dict.fromkeys(row.unit for row in table)
        said = _joined("; ".join(row.description for row in table), bounds_text(space))
        return [FieldSpec(leaf.name, shape, "float32", ", ".join(units), "", said)]
    if table is not None:
        return [
            FieldSpec(
                row.name if row.name not in used else f"{leaf.name}_{row.name}",
                (),
                "float32",
                row.unit,
                "",
                _joined(row.description, bounds_text(space, i)),
            )
            for i, row in enumerate(table)
        ]
    is_vector = isinstance(space, spaces.Box) and len(shape) == 1
    if is_vector and not leaf.path and shape[0] <= MOST_SCALARS:
        return [
            FieldSpec(f"obs_{i}", (), "float32", "1", "", f"observation {i} after the action{_comma(space, i)}")
            for i in range(shape[0])
        ]
    said = f"{where} after the action{_comma(space)}"
    return [FieldSpec(leaf.name, shape, dtype_of(space), "1", "", said)]  # type: ignore[arg-type]


def _comma(space: gymnasium.Space[Any], index: int | None = None) -> str:
    bounds = bounds_text(space, index)
    return f", {bounds}" if bounds else ", without bounds"


def _joined(*texts: str) -> str:
    return ", ".join(filter(None, texts))


def _action_field(space: gymnasium.Space[Any]) -> FieldSpec:
    each = "each number " if isinstance(space, spaces.Box) else ""
    said = _joined("the action", f"{each}{bounds_text(space)}" if bounds_text(space) else "")
    shape = tuple(space.shape or ())
    shape = (int(np.prod(shape)),) if shape or isinstance(space, spaces.Box) else ()
    return FieldSpec(ACTION, shape, dtype_of(space), "1", "", said)  # type: ignore[arg-type]


# ---- from a file's own function ----------------------------------------------------------------------------------


def state_of_function(
    function: Callable[[Transition], Mapping[str, Any]], said: Mapping[str, Any], example: Transition, where: str
) -> StateReader:
    """A file's `state(step)` as a State: named numbers or arrays, the same in every step.

    Args:
        said: unit and description of fields by name; a single text is the description.
        example: a step to learn names and shapes from.

    Raises:
        TaskError: the function raises, or does not return a mapping of names to numbers.
    """
    values = _call(function, example, where)
    fields = tuple(_own_field(name, value, said.get(name), where) for name, value in values.items())
    unknown = sorted(set(said) - set(values))
    if unknown:
        raise TaskError(f"`fields` describes `{unknown[0]}`, which `state` does not give; it gives {', '.join(values)}")
    shapes = {each.name: each.shape for each in fields}

    def read(step: Transition) -> np.ndarray:
        given = function(step)
        if given.keys() != shapes.keys():
            raise TaskError(f"`state` gave {', '.join(given)}, and in the first step {', '.join(shapes)}")
        parts = []
        for name, value in given.items():
            array = np.asarray(value, dtype=np.float64)
            if array.shape != shapes[name]:
                raise TaskError(
                    f"`state` gave `{name}` with the shape {array.shape}, and in the first step it was {shapes[name]}"
                )
            parts.append(array.ravel())
        return np.concatenate(parts)

    return StateReader(fields, read)


def _call(function: Callable[[Transition], Mapping[str, Any]], step: Transition, where: str) -> Mapping[str, Any]:
    try:
        values = function(step)
    except Exception as error:
        raise TaskError(f"`state` {what_failed(error)} {where}") from error
    if not isinstance(values, Mapping) or not values:
        raise TaskError(f"`state` must return {{name: number or array}}, and gave {type(values).__name__}")
    return values


def _own_field(name: Any, value: Any, said: Any, where: str) -> FieldSpec:
    if not isinstance(name, str) or not name.isidentifier():
        raise TaskError(f"`state` gives a field `{name}`: names are Python names, such as `height`")
    try:
        array = np.asarray(value)
        array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TaskError(f"`state` gives `{name}` as {type(value).__name__}, and numbers are needed {where}") from error
    dtype: Literal["float32", "bool", "int64"] = "float32"
    if array.dtype == np.bool_:
        dtype = "bool"
    elif np.issubdtype(array.dtype, np.integer) and array.dtype.itemsize > 1:
        dtype = "int64"
    unit, description = said if isinstance(said, tuple | list) else ("1", said or "")
    return FieldSpec(name, array.shape, dtype, str(unit), "", str(description))
