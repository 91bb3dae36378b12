"""The description of a task for a language model: its configuration, and facts of its bodies and joints.

The rewards are no part of it, unless a search is to start from them.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from eureka.trainers.remote.inside.environment import OpenEnvironment
from eureka.trainers.remote.inside.reward_terms import TableTerms
from eureka.trainers.remote.inside.state import entities, term_field

SHOWN = ("actions", "observations", "commands", "terminations", "events", "curriculum")
"""The parts of the configuration that a model is always shown; never `rewards`, and no metric."""
_MOST_LINES = 400
_MOST_LINES_OF_A_TERM = 60
_MOST_TEXT = 160
_SKIPPED = ("debug_vis", "viz", "noise", "visualizer")


def describe(environment: OpenEnvironment) -> dict[str, Any]:
    """The task's description as data for the other end of the wire."""
    env, metric = environment.env, environment.metric
    return {
        "fields": [dataclasses.asdict(field) for field in environment.reader.fields],
        "configuration": "\n".join(_configuration(environment)),
        "facts": list(_facts(env)),
        "sentence": str(getattr(env, "sentence", "")),
        "metric": dataclasses.asdict(metric),
        "control_step_s": float(env.step_dt),
        "episode_steps": int(env.max_episode_length),
        "num_envs": int(env.num_envs),
        "rollout_steps": int(environment.agent.num_steps_per_env),
        "iterations": int(environment.agent.max_iterations),
        "discount": float(environment.agent.algorithm.gamma),
        "scales": environment.simulator.scales(env),
        "table": [
            {"name": name, "field": term_field(name), "weight": weight}
            for name, weight in (environment.table.weights if environment.table is not None else {}).items()
        ],
    }


def _configuration(environment: OpenEnvironment) -> Iterator[str]:
    cfg, env = environment.cfg, environment.env
    rewards = "with its rewards at the end" if environment.table is not None else "without its rewards"
    if hasattr(env, "shown"):
        yield f"# The source of {environment.request.task}, {rewards}."
        yield from env.shown
        if environment.table is not None:
            yield from _rewards(environment.table)
        return
    yield f"# The configuration of {environment.request.task} (manager-based), {rewards}."
    yield f"control step: {env.step_dt:.6g} s; an episode lasts at most {cfg.episode_length_s:g} s"
    names = ", ".join(entities(env.scene))
    yield f"scene: {names}"
    yield from _sections(cfg)
    if environment.table is not None:
        yield from _rewards(environment.table)


def _sections(cfg: Any) -> Iterator[str]:
    lines = 0
    for section in SHOWN:
        part = getattr(cfg, section, None)
        told = list(_lines(part, 1)) if part is not None else []
        if told:
            yield f"{section}:"
            for line in told:
                lines += 1
                if lines > _MOST_LINES:
                    yield "  ..."
                    return
                yield line


def _rewards(table: TableTerms) -> Iterator[str]:
    """The task's own reward table: each term with its weight, its parameters and the source of what computes it."""
    yield "rewards: the task's own, the sum of weight x term; the State has every term's value"
    for name, weight in table.weights.items():
        function = table.function(name)
        yield f"  {name}: weight {weight:g}, {term_field(name)} in the State"
        yield from _lines(table.params(name), 2)
        source = _source(function)
        yield from (f"    {line}".rstrip() for line in source[:_MOST_LINES_OF_A_TERM])
        if len(source) > _MOST_LINES_OF_A_TERM:
            yield "    ..."


def _source(function: Any) -> list[str]:
    """The lines of a function, or of an instance's class; none where they are not to be had."""
    try:
        return inspect.getsource(function if inspect.isroutine(function) else type(function)).splitlines()
    except (OSError, TypeError):
        return []


def _lines(value: Any, depth: int) -> Iterator[str]:
    """A nested configuration as indented lines."""
    margin = "  " * depth
    for name, part in _items(value):
        if name.startswith("_") or name in _SKIPPED or part is None or depth > 6:
            continue
        inner = list(_items(part)) if not callable(part) else []
        if inner:
            yield f"{margin}{name}:"
            yield from _lines(part, depth + 1)
        elif not isinstance(part, dict):
            yield f"{margin}{name}: {_text(part)}"


def _items(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(str(key), part) for key, part in value.items()]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = [(field, getattr(value, field.name)) for field in dataclasses.fields(value)]
        kept = [
            (field, part) for field, part in parts if not (_is_default(field, part) and _is_library(type(value), field))
        ]
        return [(field.name, part) for field, part in kept]
    return []


def _is_library(cls: type, field: dataclasses.Field[Any]) -> bool:
    """Whether a field's default was set by the simulator rather than the task, which may be written as defaults."""
    owner = next((base for base in cls.__mro__ if field.name in vars(base).get("__annotations__", {})), cls)
    return owner.__module__.split(".")[0] in ("mjlab", "isaaclab")


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    """Whether a configuration keeps a field's default; these fields, which are most of the lines, are omitted."""
    made = field.default_factory
    default = made() if made is not dataclasses.MISSING else field.default
    return type(value) is type(default) and not isinstance(value, torch.Tensor) and bool(value == default)


def _text(value: Any) -> str:
    if inspect.isfunction(value) or inspect.isclass(value):
        said = (inspect.getdoc(value) or "").split("\n")[0]
        return f"{value.__name__}" + (f"  # {said[:_MOST_TEXT]}" if said else "")
    return " ".join(str(value).split())[:_MOST_TEXT]


def _facts(env: Any) -> Iterator[str]:
    yield from getattr(env, "facts", ())
    for name, entity in entities(env.scene).items():
        joints = [str(joint) for joint in getattr(entity, "joint_names", ()) or ()]
        data = entity.data
        limits = _row(getattr(data, "joint_pos_limits", None))
        start = _row(getattr(data, "default_joint_pos", None))
        if joints and limits is not None and len(limits) == len(joints):
            told = [
                f"{joint} {low:.3g} to {high:.3g}" for joint, (low, high) in zip(joints, limits.tolist(), strict=True)
            ]
            yield f"joint limits of {name}: {', '.join(told)}"
        if joints and start is not None and len(start) == len(joints):
            told = [f"{joint} {value:.3g}" for joint, value in zip(joints, start.tolist(), strict=True)]
            yield f"joints of {name} in the default pose: {', '.join(told)}"
        mass = _row(getattr(data, "body_mass", None))
        if mass is not None and mass.dim() == 1:
            yield f"mass of {name}: {float(mass.sum()):.4g} kg"


def _row(value: Any) -> torch.Tensor | None:
    value = value if isinstance(value, torch.Tensor) else getattr(value, "torch", None)
    return value[0].cpu() if isinstance(value, torch.Tensor) and value.dim() > 1 else None
