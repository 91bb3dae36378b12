"""What user code asked for and did not find is said with what is there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import gymnasium
import pytest

from eureka.core.missing import MissingOutput, near_attributes, what_failed


@dataclass(frozen=True)
class Carry:
    target: float = 0.0
    previous: float = 0.0


def said(ask: Any) -> str:
    with pytest.raises((AttributeError, LookupError, ArithmeticError)) as raised:
        ask()
    return what_failed(raised.value)


def test_a_missing_field_is_said_with_those_that_are_there() -> None:
    assert said(lambda: Carry().targe) == (  # type: ignore[attr-defined]
        "asks Carry for `targe`, which it does not have; it has `target`, `previous`; did you mean `target`?"
    )
    assert said(lambda: math.hypo(2)).endswith("; did you mean `hypot`?")  # type: ignore[attr-defined]


def test_other_errors_are_told_as_python_tells_them() -> None:
    assert said(lambda: 1 / 0) == "raised ZeroDivisionError: division by zero"
    assert said(lambda: {}["a"]) == "raised KeyError: 'a'"


def test_what_a_wrapper_hides_is_said_to_lie_inside() -> None:
    env = gymnasium.Wrapper(gymnasium.make("CartPole-v1"))
    assert said(lambda: env.gravity).endswith("; did you mean `env.unwrapped.gravity`?")  # type: ignore[attr-defined]
    assert said(lambda: env.gravty).endswith("; did you mean `env.unwrapped.gravity`?")  # type: ignore[attr-defined]


def test_quantities_of_the_simulator_are_named_in_task_yaml() -> None:
    sim = SimpleNamespace(qpos=0, qvel=0, output=None)
    assert said(lambda: sim.xpos) == (
        "asks SimpleNamespace for `xpos`, which it does not have; did you mean `qpos`? (other fields of MjData: "
        'sim.output("xpos"), with outputs: [xpos] in task.yaml)'
    )
    assert str(MissingOutput("site_xpo", ["site_xpos"])) == (
        'asks for sim.output("site_xpo"), and task.yaml has outputs: [site_xpos]; did you mean `site_xpos`? '
        "(fields of MjData that are named there can be read)"
    )


def test_an_error_without_its_object_has_no_near_names() -> None:
    assert near_attributes(AttributeError("no such thing")) == []
    assert near_attributes(ValueError("other")) == []
