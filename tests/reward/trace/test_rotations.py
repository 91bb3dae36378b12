"""Rotations against `scipy.spatial.transform.Rotation`, whose quaternions are (x, y, z, w) unless told otherwise."""

import math
import re
from importlib.resources import files

import pytest
import torch
from scipy.spatial.transform import Rotation

from eureka.reward.trace import rotations as r
from eureka.reward.trace.offered import HELPERS
from eureka.reward.trace.source import Hooks, load

ROTATIONS = Rotation.random(200, rng=0)
OTHERS = Rotation.random(200, rng=1)
VECTORS = torch.randn(200, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def wxyz(rotation: Rotation) -> torch.Tensor:
    return torch.from_numpy(rotation.as_quat(scalar_first=True))


def same_rotation(quat: torch.Tensor, rotation: Rotation) -> None:
    """Up to the sign, which is free."""
    expected = wxyz(rotation)
    sign = torch.sign(torch.sum(quat * expected, dim=-1, keepdim=True))
    torch.testing.assert_close(quat * sign, expected)


def close(actual: torch.Tensor, expected: object) -> None:
    torch.testing.assert_close(actual, torch.as_tensor(expected, dtype=actual.dtype))


def test_products_and_inverses() -> None:
    a, b = wxyz(ROTATIONS), wxyz(OTHERS)
    same_rotation(r.quat_mul(a, b), ROTATIONS * OTHERS)
    same_rotation(r.quat_conjugate(a), ROTATIONS.inv())
    same_rotation(r.quat_inv(a), ROTATIONS.inv())
    same_rotation(r.quat_diff(a, b), ROTATIONS * OTHERS.inv())
    one = r.quat_mul(3.0 * a, r.quat_inv(3.0 * a))
    close(one, torch.tensor([1.0, 0.0, 0.0, 0.0]).expand(200, 4))
    close(r.quat_unit(3.0 * a), a)


def test_vectors_are_turned() -> None:
    a = wxyz(ROTATIONS)
    expected = ROTATIONS.apply(VECTORS.numpy())
    for turn in (r.quat_rotate, r.quat_apply):
        close(turn(a, VECTORS), expected)
    for turn in (r.quat_rotate_inverse, r.quat_apply_inverse):
        close(turn(a, VECTORS), ROTATIONS.inv().apply(VECTORS.numpy()))
    close(r.matrix_from_quat(a), ROTATIONS.as_matrix())
    for axis, unit in enumerate(((1, 0, 0), (0, 1, 0), (0, 0, 1))):
        close(r.quat_axis(a, axis), ROTATIONS.apply(unit))
        close(r.quat_rotate(a, torch.tensor(unit, dtype=torch.float64)), ROTATIONS.apply(unit))


def test_angles() -> None:
    a, b = wxyz(ROTATIONS), wxyz(OTHERS)
    expected = (ROTATIONS * OTHERS.inv()).magnitude()
    close(r.quat_diff_rad(a, b), expected)
    close(r.quat_diff_rad(-a, b), expected)
    close(r.quat_error_magnitude(a, a), torch.zeros(200))
    close(r.axis_angle_from_quat(a), ROTATIONS.as_rotvec())
    angle, axis = torch.linspace(-3, 3, 200, dtype=torch.float64), r.normalize(VECTORS)
    same_rotation(r.quat_from_angle_axis(angle, VECTORS), Rotation.from_rotvec((angle[:, None] * axis).numpy()))
    half_turn = r.quat_from_angle_axis(torch.tensor([math.pi / 2]), torch.tensor([0.0, 0.0, 1.0]))
    close(half_turn, [[math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)]])


def test_euler_angles() -> None:
    angles = torch.from_numpy(ROTATIONS.as_euler("xyz"))
    close(torch.stack(r.get_euler_xyz(wxyz(ROTATIONS)), dim=-1), angles)
    close(torch.stack(r.euler_xyz_from_quat(wxyz(ROTATIONS)), dim=-1), angles)
    same_rotation(r.quat_from_euler_xyz(*angles.unbind(-1)), ROTATIONS)
    yaw = Rotation.from_euler("z", angles[:, 2:].numpy())
    same_rotation(r.yaw_quat(wxyz(ROTATIONS)), yaw)
    close(r.quat_apply_yaw(wxyz(ROTATIONS), VECTORS), yaw.apply(VECTORS.numpy()))


def test_orders_of_components() -> None:
    gym = torch.from_numpy(ROTATIONS.as_quat())
    close(r.convert_quat(gym), wxyz(ROTATIONS))
    close(r.convert_quat(wxyz(ROTATIONS), to="xyzw"), gym)
    with pytest.raises(ValueError, match="wxyz"):
        r.convert_quat(gym, to="zyx")


def test_angles_are_wrapped_and_nothing_is_infinite() -> None:
    for wrap in (r.normalize_angle, r.wrap_to_pi):
        close(wrap(torch.tensor([0.5 + 4 * math.pi, -0.5, 1.5 * math.pi])), [0.5, -0.5, -0.5 * math.pi])
    zero = torch.zeros(1, 4)
    for value in (r.normalize(zero), r.quat_inv(zero), r.quat_diff_rad(zero, zero), r.axis_angle_from_quat(zero)):
        assert torch.isfinite(value).all()
    straight_up = torch.tensor([[0.7071069, 0.0, 0.7071069, 0.0]])
    assert torch.isfinite(torch.stack(r.get_euler_xyz(straight_up))).all()


def test_every_function_that_the_prompt_names_is_offered() -> None:
    contract = files("eureka.prompts").joinpath("contract.jinja2").read_text(encoding="utf-8")
    line = next(line for line in contract.splitlines() if "quat_mul" in line)
    names = re.findall(r"`(\w+)(?:\([^`]*\))?`", line)
    assert len(names) > 10
    assert set(names) <= set(HELPERS)


IMPORTS = [
    *("", "from isaacgym.torch_utils import *", "from isaaclab.utils.math import quat_mul, quat_conjugate"),
    "from omni.isaac.lab.utils.math import (\n    quat_mul, quat_conjugate\n)",
]
CALLS = {
    **dict.fromkeys(IMPORTS, "quat_mul(x, quat_conjugate(x))"),
    "import isaaclab.utils.math as m": "m.quat_mul(x, m.quat_conjugate(x))",
    "from isaaclab.utils import math as m": "m.quat_mul(x, m.quat_conjugate(x))",
    "from isaacgymenvs.utils.torch_jit_utils import quat_mul as mul": "mul(x, quat_conjugate(x))",
    "def quat_mul(a, b):\n    return quat_diff(a, quat_conjugate(b))": "quat_mul(x, quat_conjugate(x))",
}


@pytest.mark.parametrize("line", CALLS)
@pytest.mark.parametrize("inside", [False, True])
def test_isaacs_import_lines_give_these_functions(line: str, inside: bool) -> None:
    within = line.replace("\n", "\n    ") if inside and "*" not in line else ""
    before = "" if within else line
    source = f"{before}\ndef compute_reward(x):\n    {within}\n    return {CALLS[line]}, {{}}\n"
    total, _ = load(source, Hooks(lambda name, value: None, lambda: False)).call({"x": wxyz(ROTATIONS)})
    close(total, torch.tensor([1.0, 0.0, 0.0, 0.0]).expand(200, 4))
