"""What the numbers of a `task.yaml` may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

from eureka.core.errors import TaskError
from eureka.tasks.ppo import PPOConfig

_Rule = tuple[Callable[[Any], bool], str]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_COUNT: _Rule = (lambda x: isinstance(x, int) and not isinstance(x, bool) and x > 0, "a whole number above 0")
_ABOVE: _Rule = (lambda x: _is_number(x) and x > 0, "a number above 0")
_NOT_BELOW: _Rule = (lambda x: _is_number(x) and x >= 0, "a number that is not below 0")
_SHARE: _Rule = (lambda x: _is_number(x) and 0 <= x <= 1, "a number from 0 to 1")
_ACTIVATIONS = get_args(get_type_hints(PPOConfig)["activation"])

RULES: Mapping[str, _Rule] = {
    "max_episode_steps": _COUNT,
    "num_envs": _COUNT,
    "physics.timestep_s": _ABOVE,
    "physics.substeps": _COUNT,
    "physics.nconmax": (lambda x: x is None or _COUNT[0](x), _COUNT[1]),
    "physics.njmax": (lambda x: x is None or _COUNT[0](x), _COUNT[1]),
    "ppo.hidden": (
        lambda x: isinstance(x, list | tuple) and len(x) > 0 and all(map(_COUNT[0], x)),
        "a list of whole numbers above 0, such as [64, 64]",
    ),
    "ppo.activation": (lambda x: x in _ACTIVATIONS, f"one of {', '.join(_ACTIVATIONS)}"),
    "ppo.horizon": _COUNT,
    "ppo.epochs": _COUNT,
    "ppo.minibatches": _COUNT,
    "ppo.learning_rate": _ABOVE,
    "ppo.gamma": _SHARE,
    "ppo.gae_lambda": _SHARE,
    "ppo.clip": _ABOVE,
    "ppo.entropy": _NOT_BELOW,
    "ppo.value_weight": _NOT_BELOW,
    "ppo.max_grad_norm": _ABOVE,
    "ppo.initial_std": _ABOVE,
    "randomisation.push.speed_m_s": _ABOVE,
    "randomisation.push.every_s": _ABOVE,
}


def check_value(path: Path, name: str, value: Any) -> None:
    """One number of `path`, the `task.yaml`, by its dotted name.

    Raises:
        TaskError: it is out of its range.
    """
    if name in RULES:
        allowed, words = RULES[name]
        if not allowed(value):
            raise TaskError(f"{path}: `{name}` must be {words}, not {value!r}")


def check_steps(path: Path, steps: Any) -> None:
    """The control steps of a training, by budget.

    Raises:
        TaskError: it is no mapping of budgets to numbers of steps.
    """
    if not isinstance(steps, dict) or not steps:
        raise TaskError(f"{path}: `steps` must hold `budget: control steps` lines, such as `quick: 400000`")
    for budget, number in steps.items():
        if not _COUNT[0](number):
            raise TaskError(f"{path}: `steps.{budget}` must be {_COUNT[1]}, not {number!r}")


def check_rows(path: Path, num_envs: int, ppo: PPOConfig) -> None:
    """An update's rows can be cut into minibatches.

    Raises:
        TaskError: there are more minibatches than rows.
    """
    rows = num_envs * ppo.horizon
    if ppo.minibatches > rows:
        raise TaskError(
            f"{path}: `ppo.minibatches` is {ppo.minibatches}, more than an update's {rows} rows "
            f"({num_envs} worlds x {ppo.horizon} steps)"
        )


def factor_range(path: Path, name: str, span: Any) -> tuple[float, float]:
    """One range of `randomisation.factors`.

    Raises:
        TaskError: it is none, or the field cannot be scaled so.
    """
    where = f"{path}: `randomisation.factors.{name}`"
    if not isinstance(span, list) or len(span) != 2 or not all(map(_is_number, span)) or span[0] > span[1]:
        raise TaskError(f"{where} must be a range such as [0.8, 1.2], not {span!r}")
    if name == "opt.timestep":
        raise TaskError(f"{where} would change how long a control step is: set `physics.timestep_s` instead")
    if name in ("body_mass", "body_inertia") and span[0] <= 0:
        raise TaskError(f"{where} must be above 0, not {span!r}: MuJoCo cannot move a body without mass")
    return float(span[0]), float(span[1])
