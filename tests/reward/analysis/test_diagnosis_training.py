"""What stands out in a Reflection's numbers, by hand."""

import math
from dataclasses import replace

import pytest

from eureka.core.diagnosis import DiagnosisKind
from eureka.core.types import ComponentReflection, Reflection
from eureka.reward.analysis.diagnosis import is_saturated, of_training, rise


def component(name: str, **changes: object) -> ComponentReflection:
    usual = ComponentReflection(
        name=name,
        points=(0.1, 0.2, 0.3),
        mean=0.2,
        minimum=-1.0,
        maximum=1.0,
        std=0.5,
        variance_share=0.5,
        active_fraction=0.9,
        metric_correlation=0.5,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def constant(name: str, value: float) -> ComponentReflection:
    """As training records it: the standard deviation of equal values may be off by rounding."""
    changes = {"mean": value, "minimum": value, "maximum": value, "std": 1e-9 * value, "active_fraction": 0.0}
    return component(name, **changes, variance_share=0.0, metric_correlation=None)


# A metric that rises and levels out, episodes of equal length, two components that share the work: nothing stands out.
SOUND = Reflection(
    candidate_id="g01-c01",
    source="",
    steps=(1, 2, 3, 4, 5, 6),
    metric_points=(0.0, 0.5, 1.0, 1.0, 1.0, 1.0),
    metric_max=1.1,
    metric_final=1.0,
    episode_length_points=(100.0,) * 6,
    total_points=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
    components=(component("a"), component("b")),
)


def kinds(**changes: object) -> set[DiagnosisKind]:
    return {diagnosis.kind for diagnosis in of_training(replace(SOUND, **changes))}  # type: ignore[arg-type]


def test_rise_is_from_the_first_third_to_the_last() -> None:
    assert rise((0.0, 2.0, 7.0, 1.0, 3.0, 5.0)) == pytest.approx((4.0 - 1.0) / 7.0)
    assert rise((-4.0, -2.0)) == pytest.approx(0.5)
    assert rise((5.0,)) == rise(()) == rise((0.0, 0.0)) == 0.0


def test_nothing_stands_out_where_all_is_well() -> None:
    assert of_training(SOUND) == ()


FLAT, FLAT_TOTAL = (1.0, 1.01, 1.0, 1.01, 1.0, 1.0), (0.3,) * 6


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (
            {"metric_points": (0.0,) * 6, "metric_max": 0.0, "metric_final": 0.0, "total_points": FLAT_TOTAL},
            {DiagnosisKind.METRIC_ZERO},
        ),
        ({"metric_points": FLAT, "metric_max": 1.0, "total_points": FLAT_TOTAL}, {DiagnosisKind.METRIC_FLAT}),
        ({"metric_points": FLAT, "metric_max": 1.0}, {DiagnosisKind.METRIC_FLAT, DiagnosisKind.REWARD_UP_METRIC_FLAT}),
        ({"metric_points": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)}, {DiagnosisKind.METRIC_RISING}),
        ({"metric_max": 2.0}, {DiagnosisKind.METRIC_FELL}),
        # Policies that explore ended at 1, the same without the noise of their actions at 0.7, and at 0.85.
        ({"metric_final": 0.7}, {DiagnosisKind.METRIC_NEEDS_NOISE}),
        ({"metric_final": 0.85}, {DiagnosisKind.METRIC_FELL}),
        (
            {"metric_points": (-6.0, -5.0, -3.0, -2.0, -1.0, -1.0), "metric_max": -1.0, "metric_final": -2.0},
            {DiagnosisKind.METRIC_NEEDS_NOISE},
        ),
        (
            {"metric_points": (1.0, 1.0, 0.8, 0.6, 0.4, 0.2), "metric_max": 1.0, "metric_final": 0.2},
            {DiagnosisKind.METRIC_FELL, DiagnosisKind.REWARD_UP_METRIC_FLAT},
        ),
        (
            {
                "metric_points": FLAT,
                "metric_max": 1.0,
                "total_points": FLAT_TOTAL,
                "episode_length_points": (100.0, 90.0, 70.0, 50.0, 30.0, 20.0),
            },
            {DiagnosisKind.METRIC_FLAT, DiagnosisKind.EPISODES_SHORTEN},
        ),
        # Nobody can say anything of curves that are not finite.
        ({"metric_points": (-math.inf, 1.0), "total_points": (math.nan, math.nan)}, set()),
        # A distance that nears 0 from below is no metric that stayed at zero.
        (
            {"metric_points": (-1.0, -0.5, -0.1, -1e-4, -1e-4, -1e-4), "metric_max": -1e-4, "metric_final": -1e-4},
            set(),
        ),
    ],
)
def test_training(changes: dict[str, object], found: set[DiagnosisKind]) -> None:
    assert kinds(**changes) == found


def test_components_are_named() -> None:
    components = (
        component("main", variance_share=0.95),
        component(
            "alive",
            mean=0.8,
            minimum=0.8,
            maximum=0.8,
            std=1e-9,
            active_fraction=0.0,
            variance_share=0.0,
            metric_correlation=None,
        ),
        component(
            "idle",
            mean=0.0,
            minimum=0.0,
            maximum=0.0,
            std=0.0,
            active_fraction=0.0,
            variance_share=0.0,
            metric_correlation=None,
        ),
        component("flat", std=1e-9, active_fraction=1.0, variance_share=0.0, metric_correlation=None),
        component("rare", active_fraction=0.005),
        component("small", variance_share=0.004),
        component("wrong", variance_share=0.04, metric_correlation=-0.5),
        component("effort", variance_share=0.04, metric_correlation=-0.5, maximum=0.0),
        component("unknown", variance_share=None, metric_correlation=None),
    )
    assert [(d.kind, d.component) for d in of_training(replace(SOUND, components=components))] == [
        (DiagnosisKind.COMPONENT_LEADS, "main"),
        (DiagnosisKind.COMPONENT_CONSTANT, "alive"),
        (DiagnosisKind.COMPONENT_RARE, "idle"),
        (DiagnosisKind.COMPONENT_FLAT, "flat"),
        (DiagnosisKind.COMPONENT_RARE, "rare"),
        (DiagnosisKind.COMPONENT_NEGLIGIBLE, "small"),
        (DiagnosisKind.COMPONENT_OPPOSES, "wrong"),
    ]


def test_a_lone_component_does_not_dominate_itself() -> None:
    alone = (
        component("main", variance_share=1.0),
        component("constant", minimum=0.2, maximum=0.2, std=0.0, active_fraction=0.0),
    )
    assert kinds(components=alone) == {DiagnosisKind.COMPONENT_CONSTANT}
    assert kinds(components=()) == set()


def test_a_component_that_ends_at_its_maximum_is_saturated() -> None:
    def ends(*points: float, minimum: float = 0.0, maximum: float = 1.0) -> bool:
        return is_saturated(component("a", points=points, minimum=minimum, maximum=maximum))

    assert ends(0.1, 0.9, 0.995)
    assert not ends(0.1, 0.9, 0.9)
    assert not ends(1.0, 1.0, 1.0, minimum=1.0)
    # A penalty that is no longer paid is what it is for.
    assert not ends(-1.0, -0.5, 0.0, minimum=-1.0, maximum=0.0)
    saturated = component("a", points=(0.1, 1.0))
    assert kinds(components=(saturated, component("b"))) == {DiagnosisKind.COMPONENT_SATURATED}


@pytest.mark.parametrize(("minimum", "is_negligible"), [(-0.5, False), (-0.4, True)])
def test_a_penalty_that_is_seldom_met_may_have_done_its_work(minimum: float, is_negligible: bool) -> None:
    # The other component varies by 0.5, and once this one cost as much.
    penalty = component("whirl", variance_share=0.004, maximum=0.0, minimum=minimum, std=0.01, points=(-0.01,) * 3)
    found = kinds(components=(component("main"), penalty))
    assert (DiagnosisKind.COMPONENT_NEGLIGIBLE in found) == is_negligible
