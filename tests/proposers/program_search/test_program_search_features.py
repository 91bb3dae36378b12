"""Units, shapes and frames decide what is rewarded and how."""

import pytest

from eureka.core.types import FieldSpec
from eureka.proposers.program_search.draw import library, preferences
from eureka.proposers.program_search.features import Dimension, alive_name, dimension, features
from eureka.proposers.program_search.source import Shaping


def spec(name: str, shape: tuple[int, ...], unit: str, frame: str = "", description: str = "") -> FieldSpec:
    return FieldSpec(name, shape, "float32", unit, frame, description)


def names(*state: FieldSpec) -> dict[str, str]:
    return {f.name: f.role for f in features(state)}


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("m", Dimension.LENGTH),
        ("m/s", Dimension.VELOCITY),
        ("m s^-1", Dimension.VELOCITY),
        ("m·s⁻¹", Dimension.VELOCITY),
        ("m/s²", Dimension.ACCELERATION),
        ("rad", Dimension.ANGLE),
        ("rad/s", Dimension.RATE),
        ("N m", Dimension.FORCE),
        ("N, N m", Dimension.FORCE),
        ("1", Dimension.UNITLESS),
        ("", Dimension.UNITLESS),
        ("dimensionless", Dimension.UNITLESS),
        ("furlong", Dimension.OTHER),
        ("m, rad", Dimension.OTHER),
    ],
)
def test_units(unit: str, expected: Dimension) -> None:
    assert dimension(spec("x", (), unit)) is expected


def test_dtypes_and_quaternions() -> None:
    assert dimension(FieldSpec("x", (), "bool", "m", "", "")) is Dimension.FLAG
    assert dimension(FieldSpec("x", (), "int64", "", "", "")) is Dimension.COUNT
    assert dimension(spec("x", (4,), "1", "world", "unit quaternion")) is Dimension.QUATERNION
    assert dimension(spec("x", (4,), "1", "world", "four cosines")) is Dimension.UNITLESS


def test_a_velocity_is_rewarded_along_each_axis_and_penalised_across() -> None:
    assert names(spec("v", (3,), "m/s", "world")) == {
        "v_x": "drive",
        "v_y": "drive",
        "v_z": "drive",
        "v_x_squared": "regulariser",
        "v_y_squared": "regulariser",
        "v_z_squared": "regulariser",
    }


def test_commands_joints_and_forces_are_only_penalised() -> None:
    state = (
        spec("u", (8,), "1"),
        spec("previous_u", (8,), "1"),
        spec("q", (8,), "rad", "joint"),
        spec("qd", (8,), "rad/s", "joint"),
        spec("f", (13, 6), "N, N m"),
        spec("t", (3,), "N m"),
        spec("spins", (5, 3), "rad/s", "world"),
    )
    assert names(*state) == {
        "u_squared": "regulariser",
        "u_change": "regulariser",
        "q_squared": "regulariser",
        "qd_squared": "regulariser",
        "f_norm": "regulariser",
        "t_norm": "regulariser",
        "spins_squared": "regulariser",
    }
    change = next(f for f in features(state) if f.name == "u_change")
    assert change.quantity == "torch.sum(torch.square(u - previous_u), dim=-1)"
    # A force's penalty saturates: an impact must not drown the rest.
    assert next(f for f in features(state) if f.name == "f_norm").shapings == (Shaping.TANH,)


def test_a_stated_range_says_what_is_a_large_value() -> None:
    (found,) = [
        f for f in features((spec("v", (), "m/s", "", "of the car, between -0.07 and 0.05"),)) if f.role == "drive"
    ]
    # Of a velocity without a range: 1, and 2, 3 or 4 m/s.
    assert found.typical == 0.07
    assert found.targets == (0.14, 0.21, 0.28)


def test_the_two_goals_of_an_environment_are_read_by_their_distance_alone() -> None:
    state = (spec("achieved_goal", (2,), "m"), spec("desired_goal", (2,), "m"), spec("x", (), "m"), spec("y", (), "m"))
    (distance,) = [f for f in features(state) if "goal" in f.quantity]
    assert distance.quantity == "torch.linalg.vector_norm(achieved_goal - desired_goal, dim=-1)"
    assert distance.is_goal
    # Shares of 1, 0.3 and 0.3 where nothing else is known but that the metric moves with none of them.
    lib = library(state, {"x": 0.0, "y": 0.0})
    assert preferences(lib, lib.drives) == pytest.approx([0.3, 0.3, 1.0], abs=1e-5)
    alone = (spec("achieved_goal", (2,), "m"), spec("desired_goal", (3,), "m"))
    assert not [f for f in features(alone) if f.is_goal]


def test_positions_and_angles_are_only_rewarded_as_bounded_nearness() -> None:
    found = features((spec("p", (), "m", "world"), spec("angle", (), "rad")))
    assert [(f.name, f.shapings) for f in found if f.role == "drive"] == [
        ("p_reward", (Shaping.EXP, Shaping.GAUSSIAN)),
        ("angle_reward", (Shaping.EXP, Shaping.GAUSSIAN)),
    ]
    assert [f.targets for f in found if f.role == "drive"] == [(0.0,), (0.0,)]


def test_projections_flags_counts_and_quaternions() -> None:
    state = (
        spec("up", (), "1", "world"),
        spec("direction", (3,), "1", "world"),
        FieldSpec("touching", (), "bool", "", "", ""),
        FieldSpec("feet", (4,), "bool", "", "", ""),
        FieldSpec("hits", (), "int64", "", "", ""),
        spec("q1", (4,), "1", "world", "quaternion (w, x, y, z)"),
        spec("q2", (4,), "1", "world", "quaternion (x, y, z, w)"),
    )
    found = {f.name: f.quantity for f in features(state)}
    assert found == {
        "up_reward": "up",
        "direction_x": "direction[:, 0]",
        "direction_y": "direction[:, 1]",
        "direction_z": "direction[:, 2]",
        "touching_reward": "touching.float()",
        "feet_reward": "torch.mean(feet.float(), dim=-1)",
        "hits_reward": "hits.float()",
        "q1_up": "1.0 - 2.0 * (torch.square(q1[:, 1]) + torch.square(q1[:, 2]))",
        "q2_up": "1.0 - 2.0 * (torch.square(q2[:, 0]) + torch.square(q2[:, 1]))",
    }


def test_distances_join_positions_of_one_frame() -> None:
    state = (
        spec("hand", (3,), "m", "world"),
        spec("cup", (3,), "m", "world"),
        spec("lid", (3,), "m", "body"),
    )
    distances = [f.quantity for f in features(state) if "hand - " in f.quantity or " - lid" in f.quantity]
    assert distances == ["torch.linalg.vector_norm(hand - cup, dim=-1)"]


def test_names_collide_with_nothing() -> None:
    state = (
        spec("a", (3,), "m/s", "world"),
        spec("a_x", (), "m"),
        spec("a_y_weight", (), "m"),
        spec("alive", (), "1"),
        spec("w", (), "m"),
        spec("w_reward", (), "m"),
        spec("x" * 64, (), "m"),
    )
    found = [f.name for f in features(state)]
    assert len(set(found)) == len(found)
    assert not set(found) & {s.name for s in state}
    assert {"a_x_term", "a_y_term", "a_z"} <= set(found)
    assert alive_name(state) == "alive_term"
    assert max(len(name) for name in found) <= 48 + len("_term")


def test_correlations_belong_to_columns() -> None:
    state = (spec("v", (2,), "m/s", "world"), FieldSpec("feet", (2,), "bool", "", "", ""), spec("p", (), "m"))
    lib = library(state, {"v[0]": 0.9, "v[1]": -0.1, "feet[0]": 0.2, "feet[1]": 0.4, "p": float("nan")})
    found = {f.name: lib.correlation_of(f) for f in lib.features}
    assert found == {
        "v_x": 0.9,
        "v_y": -0.1,
        "v_x_squared": 0.9,
        "v_y_squared": -0.1,
        "feet_reward": pytest.approx(0.3),
        "p_reward": 0.0,
    }
    # What the metric moves with is not penalised.
    assert [f.name for f in lib.regularisers] == ["v_y_squared"]
