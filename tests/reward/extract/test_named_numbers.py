"""Numbers that a source names: found, and written anew with everything else left as it is."""

import pytest

from eureka.reward.extract.named_numbers import named_numbers, with_numbers

SOURCE = """import torch

GRAVITY: float = 9.81  # "ä" before a number moves bytes, not characters: GRAVITY = 1


def compute_reward(speed, scale=2, *, bias=-0.5):
    "ä"; weight = 1.5
    cost = -3
    twice = 1.0
    twice = 2.0
    total = weight * speed / scale
    for step in range(3):
        total = total + step
    a, b = 1.0, 2.0
    flag = True
    return total, {"speed": total}
"""


def test_what_is_given_one_number_once_is_found() -> None:
    assert named_numbers(SOURCE) == {"GRAVITY": 9.81, "scale": 2.0, "bias": -0.5, "weight": 1.5, "cost": -3.0}
    assert named_numbers("def f(:") == {}


def test_numbers_are_replaced_and_nothing_else_is() -> None:
    changed = with_numbers(SOURCE, {"weight": 0.75, "bias": -1.25, "scale": 4.0, "cost": 1e-05})
    expected = SOURCE.replace("weight = 1.5", "weight = 0.75").replace("bias=-0.5", "bias=-1.25")
    assert changed == expected.replace("scale=2", "scale=4.0").replace("cost = -3", "cost = 1e-05")
    assert with_numbers("a = 1\r\nb = 2\r\n", {"b": 3.0}) == "a = 1\r\nb = 3.0\r\n"
    with pytest.raises(KeyError):
        with_numbers(SOURCE, {"twice": 3.0})


def test_numbers_that_no_float_holds_are_left_out() -> None:
    assert named_numbers(f"huge = {'9' * 400}\nendless = 1e999\nweight = 2\n") == {"weight": 2.0}
