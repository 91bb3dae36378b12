"""Programs as source and back; what each template computes, by hand."""

import math
from collections.abc import Callable

import pytest
import torch

from eureka.proposers.program_search.source import Program, Shaping, Term, parse, render

VELOCITY = Term("v_x", "v[:, 0]", Shaping.EXP, 2.0, target=-3.0, scale=0.5)
EFFORT = Term("a_squared", "torch.sum(torch.square(a), dim=-1)", Shaping.LINEAR, -0.02)
ALIVE = Term("alive", "", Shaping.LINEAR, 0.1)
PROGRAM = Program((VELOCITY, EFFORT, ALIVE))

SOURCE = """\
import torch


def compute_reward(
    v: torch.Tensor,
    a: torch.Tensor,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    v_x_weight = 2.0
    v_x_target = -3.0
    v_x_temperature = 0.5
    a_squared_weight = -0.02
    alive_weight = 0.1

    v_x = v_x_weight * torch.exp(-torch.abs(v[:, 0] - v_x_target) / v_x_temperature)
    a_squared = a_squared_weight * torch.sum(torch.square(a), dim=-1)
    alive = alive_weight * torch.ones_like(v_x)
    total = v_x + a_squared + alive
    return total, {
        "v_x": v_x,
        "a_squared": a_squared,
        "alive": alive,
    }
"""


def test_source_reads_as_a_person_would_write_it() -> None:
    assert render(PROGRAM) == SOURCE
    assert parse(SOURCE) == PROGRAM


def test_spacing_and_comments_do_not_matter() -> None:
    assert parse(SOURCE.replace("\n\n", "\n").replace("v_x_weight = 2.0", "v_x_weight = 2.0  # strong")) == PROGRAM


@pytest.mark.parametrize(
    "change",
    [
        ("total = v_x + a_squared + alive", "total = v_x + a_squared"),
        ("v_x_weight * torch.exp", "torch.exp"),
        ("v_x_weight * torch.exp", "alive_weight * torch.exp"),
        ("torch.square(a)", "torch.square(b)"),
        ("torch.square(a)", "torch.square(v_x)"),
        ("    total", "    total = 0\n    total"),
        ("import torch\n", "import torch\nx = 1\n"),
        ("v_x_target = -3.0", "v_x_target = -3.0 * 2"),
        ("    return total, {", "    return total, {{"),
        ("def compute_reward(", "class A("),
    ],
)
def test_foreign_code_is_not_taken_for_a_program(change: tuple[str, str]) -> None:
    assert change[0] in SOURCE
    assert parse(SOURCE.replace(*change)) is None


def test_a_quantity_may_be_any_expression_of_fields() -> None:
    program = parse(SOURCE.replace("torch.square(a)", "torch.abs(a + 1)"))
    assert program is not None
    assert program.terms[1].quantity == "torch.sum(torch.abs(a + 1), dim=-1)"
    assert program.fields == ["v", "a"]


def test_no_function_and_deep_nesting_are_foreign() -> None:
    assert parse("") is None
    assert parse("def compute_reward(a):\n    return a\n") is None
    assert parse(f"def compute_reward(a):\n    r = {'+'.join(['a'] * 20000)}\n    return r\n") is None


STATE = {
    "s": torch.tensor([0.5, -2.0]),
    "b": torch.tensor([True, False]),
    "n": torch.tensor([[1, 0], [1, 1]]),
    "v": torch.tensor([[3.0, 4.0], [0.0, 1.0]]),
    "w": torch.tensor([[0.0, 0.0], [0.0, 3.0]]),
    "m": torch.tensor([[[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 1.0]]]),
    # Upright, and turned by 180 degrees about x: (w, x, y, z).
    "q": torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]),
}
QUANTITIES = {
    "s": [0.5, -2.0],
    "v[:, 1]": [4.0, 1.0],
    "b.float()": [1.0, 0.0],
    "torch.mean(n.float(), dim=-1)": [0.5, 1.0],
    "torch.square(s)": [0.25, 4.0],
    "torch.square(v[:, 1])": [16.0, 1.0],
    "torch.sum(torch.square(v), dim=-1)": [25.0, 1.0],
    "torch.sum(torch.square(m), dim=(-2, -1))": [25.0, 1.0],
    "torch.linalg.vector_norm(v, dim=-1)": [5.0, 1.0],
    "torch.linalg.vector_norm(m, dim=(-2, -1))": [5.0, 1.0],
    "torch.square(s - s)": [0.0, 0.0],
    "torch.sum(torch.square(v - w), dim=-1)": [25.0, 4.0],
    "torch.linalg.vector_norm(v - w, dim=-1)": [5.0, 2.0],
    "1.0 - 2.0 * (torch.square(q[:, 1]) + torch.square(q[:, 2]))": [1.0, -1.0],
}


def execute(program: Program, state: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Run the search's own code (in a test; the package never does)."""
    namespace: dict[str, object] = {}
    exec(render(program), namespace)
    return namespace["compute_reward"](**{f: state[f] for f in program.fields})  # type: ignore[operator, no-any-return]


@pytest.mark.parametrize("quantity", QUANTITIES, ids=str)
@pytest.mark.parametrize("shaping", Shaping)
def test_values_by_hand(quantity: str, shaping: Shaping) -> None:
    formulas: dict[Shaping, Callable[[float], float]] = {
        Shaping.LINEAR: lambda x: 2.0 * x,
        Shaping.TANH: lambda x: 2.0 * math.tanh(x / 4.0),
        Shaping.EXP: lambda x: 2.0 * math.exp(-abs(x - 1.5) / 4.0),
        Shaping.GAUSSIAN: lambda x: 2.0 * math.exp(-(((x - 1.5) / 4.0) ** 2)),
    }
    formula = formulas[shaping]
    target = 1.5 if shaping in (Shaping.EXP, Shaping.GAUSSIAN) else None
    term = Term("r", quantity, shaping, 2.0, target, None if shaping is Shaping.LINEAR else 4.0)
    program = Program((term, ALIVE))
    assert parse(render(program)) == program
    total, components = execute(program, STATE)
    expected = [formula(x) for x in QUANTITIES[quantity]]
    torch.testing.assert_close(components["r"], torch.tensor(expected))
    torch.testing.assert_close(total, torch.tensor(expected) + 0.1)


def test_long_lines_are_broken() -> None:
    name = "velocity_of_the_left_front_wheel_x"
    term = Term(name, "velocity_of_the_left_front_wheel[:, 0]", Shaping.GAUSSIAN, 1.0, 2.0, 0.5)
    source = render(Program((term,)))
    assert f"    {name} = {name}_weight * (\n        torch.exp(" in source
    assert parse(source) == Program((term,))
