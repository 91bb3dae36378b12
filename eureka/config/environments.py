"""The kinds of environment that `env=` may name, recognised by the form of the value."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path


class EnvironmentKind(StrEnum):
    """Where an environment comes from, which decides the trainer: each has an entry of
    `eureka.trainers.registry.TRAINERS`."""

    TASK = "task"
    """A MuJoCo task folder, named by `task=`."""
    GYMNASIUM = "gymnasium"
    MJLAB = "mjlab"
    ISAACLAB = "isaaclab"
    MANISKILL = "maniskill"


PREFIXED = tuple(kind for kind in EnvironmentKind if kind not in (EnvironmentKind.TASK, EnvironmentKind.GYMNASIUM))
"""Kinds written with a prefix: `env=mjlab:ID`."""


def kind_of(env: str | None) -> EnvironmentKind:
    """The kind of a value of `env=`; a task if there is none."""
    if env is None:
        return EnvironmentKind.TASK
    prefix, colon, _ = env.partition(":")
    return EnvironmentKind(prefix) if colon and prefix in PREFIXED else EnvironmentKind.GYMNASIUM


def without_prefix(env: str) -> str:
    """The environment's own id: `ID` of `mjlab:ID`."""
    return env.partition(":")[2] if kind_of(env) in PREFIXED else env


def is_file(env: str) -> bool:
    """Whether a value is the path of a Python file."""
    return env.endswith(".py")


def short_name(env: str) -> str:
    """The name of an environment in folders and headings: `lander` for `path/lander.py`, `Reach` for `arms:Reach`."""
    name = Path(env).stem if is_file(env) else env.rpartition(":")[2]
    return re.sub(r"[^\w.+-]", "_", name).strip(".") or "environment"


def names_code(value: object) -> bool:
    """Whether a value of `env=`, of `env.wrappers=` or of `trainer=` makes Python import what it names.

    A file or `module:name` does; the id of a registered environment or trainer does not.
    """
    return isinstance(value, str) and (is_file(value) or (":" in value and kind_of(value) not in PREFIXED))
