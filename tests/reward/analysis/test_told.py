"""What a graph shows beside the numbers of a training, on graphs whose answer is known by hand."""

from dataclasses import replace

from analysis_graphs import F32, HEIGHT, RUNNING, SPEED, node, text

from eureka.core.types import Finding, FindingKind, Reflection
from eureka.reward.analysis.told import with_graph

RISING = Finding(FindingKind.METRIC_RISING)
REFLECTION = Reflection("g01-c01", "", (1,), (1.0,), 1.0, 1.0, (1.0,), (1.0,), (), (RISING,))


def added(*graph):
    return with_graph(REFLECTION, text(*graph)).findings


def test_what_a_total_is_made_of():
    # speed + height - 0.1 effort, of which height is not reported.
    assert added(*RUNNING) == (RISING, Finding(FindingKind.TERM_UNREPORTED, "height"))


def test_a_constant_and_terms_without_a_name_are_told_once():
    nodes = [
        ("exp", [HEIGHT]),
        ("abs", [HEIGHT]),
        ("add.Tensor", [node(0), node(1)]),
        ("add.Tensor", [node(2), SPEED]),
        ("add.Tensor", [node(3), 2.5]),
    ]
    assert added(nodes, node(4), {"speed": SPEED}) == (RISING, Finding(FindingKind.TERM_UNREPORTED))


def test_nothing_else_is_said_of_what_trains_nothing():
    said = (RISING, Finding(FindingKind.COMPONENT_DOMINATES, "height"), Finding(FindingKind.COMPONENT_FLAT, "speed"))
    found = with_graph(
        replace(REFLECTION, findings=said),
        text([("full", [[{"batch": 1}], 0.5], F32)], SPEED, {"speed": SPEED, "height": HEIGHT}),
    )
    assert found.findings == (
        RISING,
        Finding(FindingKind.COMPONENT_FLAT, "speed"),
        Finding(FindingKind.COMPONENT_UNUSED, "height"),
    )


def test_nothing_is_added_where_all_is_reported():
    assert added([("add.Tensor", [SPEED, HEIGHT])], node(0), {"speed": SPEED, "height": HEIGHT}) == (RISING,)
