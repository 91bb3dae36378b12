"""Describes another interpreter for the user."""

from __future__ import annotations

from collections.abc import Mapping

from eureka.core.errors import ConfigError
from eureka.trainers.remote.interpreter import Interpreter
from eureka.trainers.remote.packages import DISTRIBUTIONS, TRIED, requirement


def describe_interpreter(key: str, python: str, environment: Mapping[str, str]) -> str:
    """One line with versions and device of the interpreter that `key` names, or why it cannot be used.

    Args:
        key: `mjlab.python`, `isaaclab.python` or `maniskill.python`.
    """
    simulator = key.partition(".")[0]
    try:
        interpreter = Interpreter(key, python, environment)
        try:
            about = interpreter.about()
        finally:
            interpreter.close()
    except ConfigError as error:
        return str(error)
    found = about["packages"].get(DISTRIBUTIONS[simulator])
    tried = ", ".join(TRIED[simulator])
    if found is None:
        state = f"no {simulator}: {python} -m pip install '{requirement(simulator)}'"
    else:
        state = f"{simulator} {found}" + ("" if found in TRIED[simulator] else f", which was not tried ({tried} was)")
    trains = about["packages"].get("rsl-rl-lib")
    return "; ".join(
        [
            f"Python {about['python']}, torch {about['torch']}",
            state,
            f"rsl_rl {trains}" if trains else "no rsl_rl, which trains: pip install rsl-rl-lib",
            f"gpu {about['device']}" if about["device"] else "no GPU that its torch can use",
        ]
    )
