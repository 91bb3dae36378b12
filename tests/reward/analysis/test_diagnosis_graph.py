"""What a graph shows beside the numbers of a training, on graphs whose answer is known by hand."""

from dataclasses import replace

from analysis_graphs import F32, HEIGHT, RUNNING, SPEED, graph, node

from eureka.core.diagnosis import Diagnosis, DiagnosisKind
from eureka.core.types import Reflection
from eureka.reward.analysis.diagnosis import with_structure
from eureka.reward.analysis.structure import structure

RISING = Diagnosis(DiagnosisKind.METRIC_RISING)
REFLECTION = Reflection("g01-c01", "", (1,), (1.0,), 1.0, 1.0, (1.0,), (1.0,), (), (RISING,))


def added(*of):
    found = with_structure(REFLECTION, structure(graph(*of))).diagnoses
    assert found[0] == RISING
    return [(d.kind, d.component, d.fields, d.line, dict(d.numbers)) for d in found[1:]]


def test_what_a_total_is_made_of():
    # speed + height - 0.1 effort, of which height is not reported.
    assert added(*RUNNING) == [(DiagnosisKind.TERM_UNREPORTED, "height", (), None, {"share": None})]


def test_a_constant_and_terms_without_a_name_are_told_once():
    nodes = [
        ("exp", [HEIGHT]),
        ("abs", [HEIGHT]),
        ("add.Tensor", [node(0), node(1)]),
        ("add.Tensor", [node(2), SPEED]),
        ("add.Tensor", [node(3), 2.5]),
    ]
    assert added(nodes, node(4), {"speed": SPEED}) == [
        (DiagnosisKind.TERM_UNREPORTED, "", ("height",), 10, {"share": None}),
        (DiagnosisKind.CONSTANT_UNREPORTED, "", (), None, {"constant": 2.5}),
    ]


def test_nothing_else_is_said_of_what_trains_nothing():
    said = (
        RISING,
        Diagnosis(DiagnosisKind.COMPONENT_DOMINATES, component="height"),
        Diagnosis(DiagnosisKind.COMPONENT_FLAT, component="speed"),
    )
    found = with_structure(
        replace(REFLECTION, diagnoses=said),
        structure(graph([("full", [[{"batch": 1}], 0.5], F32)], SPEED, {"speed": SPEED, "height": HEIGHT})),
    )
    assert found.diagnoses == (
        RISING,
        Diagnosis(DiagnosisKind.COMPONENT_FLAT, component="speed"),
        Diagnosis(DiagnosisKind.COMPONENT_UNUSED, component="height"),
    )


def test_nothing_is_added_where_all_is_reported():
    assert added([("add.Tensor", [SPEED, HEIGHT])], node(0), {"speed": SPEED, "height": HEIGHT}) == []
