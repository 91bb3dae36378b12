"""How components enter a total, read from graphs whose answer is known by hand."""

import pytest
from analysis_graphs import ACTION, F32, HEIGHT, RUNNING, SPEED, graph, node

from eureka.reward.analysis.structure import ComponentEntry, structure, terms
from eureka.reward.graph.format import InputRef, NodeRef


def test_reads_weights_and_what_is_not_reported():
    found = structure(graph(*RUNNING))
    assert found.reads == ("speed", "height", "action")
    assert found.component_reads == {"speed": ("speed",), "effort": ("action",)}
    assert found.entries == {"speed": ComponentEntry(1.0, False), "effort": ComponentEntry(-0.1, False)}
    (missing,) = found.unreported
    assert (missing.value, missing.weight, missing.name, missing.reads) == (
        InputRef("height"),
        1.0,
        "height",
        ("height",),
    )
    assert found.constant == 0.0


def test_a_component_that_trains_nothing():
    nodes = [("exp", [HEIGHT]), ("abs", [SPEED])]
    found = structure(graph(nodes, node(1), {"speed": node(1), "height": node(0)}))
    assert found.entries["height"] == ComponentEntry(None, False)
    assert not found.entries["height"].reaches
    assert found.reads == ("speed",)
    assert found.unreported == ()


def test_a_term_that_is_written_once_more_to_report_it():
    terms = [("exp", [HEIGHT]), ("mul.Tensor", [node(0), {"constant": "weight"}])]
    again = [("exp", [HEIGHT]), ("mul.Tensor", [node(3), {"constant": "weight"}])]
    nodes = [*terms, ("add.Tensor", [node(1), SPEED]), *again]
    found = structure(graph(nodes, node(2), {"height": node(4), "speed": SPEED}, {"weight": 0.1}))
    assert found.entries == {"height": ComponentEntry(1.0, False), "speed": ComponentEntry(1.0, False)}
    assert found.unreported == ()


def test_a_total_that_is_shaped_after_its_sum():
    nodes = [("add.Tensor", [SPEED, HEIGHT]), ("exp", [SPEED]), ("add.Tensor", [node(0), node(1)]), ("tanh", [node(2)])]
    found = structure(graph(nodes, node(3), {"exp": node(1)}))
    assert found.entries == {"exp": ComponentEntry(None, True)}
    assert found.unreported == ()


def test_a_field_is_no_report_of_what_is_made_of_it():
    found = structure(graph([("exp", [SPEED])], node(0), {"speed": SPEED}))
    assert found.entries == {"speed": ComponentEntry(None, False)}
    assert [u.line for u in found.unreported] == [10]


def test_components_that_share_a_term_enter_as_they_are():
    """0.5 (1 - height) and -2 height: the total is 0.5 - 2.5 height."""
    survival = [("rsub.Scalar", [HEIGHT, 1.0]), ("mul.Tensor", [node(0), 0.5])]
    failure = [("mul.Tensor", [HEIGHT, -2.0]), ("add.Tensor", [node(1), node(2)])]
    found = structure(graph([*survival, *failure], node(3), {"survival": node(1), "failure": node(2)}))
    assert found.entries == {"survival": ComponentEntry(1.0, False), "failure": ComponentEntry(1.0, False)}
    assert found.unreported == ()
    assert found.constant == 0.0


def test_components_that_share_a_term_beside_one_that_trains_nothing_and_a_total_that_is_scaled():
    survival = [("rsub.Scalar", [HEIGHT, 1.0]), ("mul.Tensor", [node(0), 0.5])]
    failure = [("mul.Tensor", [HEIGHT, -2.0]), ("add.Tensor", [node(1), node(2)])]
    nodes = [*survival, *failure, ("mul.Tensor", [node(3), 0.25]), ("exp", [SPEED])]
    found = structure(graph(nodes, node(4), {"survival": node(1), "failure": node(2), "idle": node(5)}))
    assert found.entries["survival"] == found.entries["failure"] == ComponentEntry(0.25, False)
    assert not found.entries["idle"].reaches
    assert found.constant == 0.0


def test_constants_are_accounted_for():
    nodes = [("full", [[{"batch": 1}], 0.5], F32), ("add.Tensor", [SPEED, 2.5]), ("add.Tensor", [node(1), node(0)])]
    found = structure(graph(nodes, node(2), {"speed": SPEED, "alive": node(0)}))
    assert found.entries == {"speed": ComponentEntry(1.0, False), "alive": ComponentEntry(1.0, False)}
    assert found.constant == 2.5
    assert found.unreported == ()


TERMS = {
    "alpha": ([("add.Tensor", [SPEED, HEIGHT], {"alpha": 3})], {"speed": 1, "height": 3}, 0),
    "minus": ([("sub.Tensor", [SPEED, HEIGHT], {"alpha": 3})], {"speed": 1, "height": -3}, 0),
    "from a number": ([("rsub.Scalar", [SPEED, 4, 2])], {"speed": -2}, 4),
    "from a tensor": ([("rsub.Tensor", [SPEED, HEIGHT])], {"speed": -1, "height": 1}, 0),
    "negated": ([("neg", [SPEED])], {"speed": -1}, 0),
    "twice": ([("add.Tensor", [SPEED, SPEED])], {"speed": 2}, 0),
    "cancelled": ([("sub.Tensor", [SPEED, SPEED]), ("add.Tensor", [node(0), HEIGHT])], {"speed": 0, "height": 1}, 0),
    "a negative constant": ([("mul.Tensor", [SPEED, {"constant": "w", "negative": True}])], {"speed": -0.5}, 0),
    "divided": ([("div.Tensor", [SPEED, 4])], {"speed": 0.25}, 0),
    "a number first": ([("mul.Tensor", [SPEED, 2]), ("add.Tensor", [node(0), 1.5])], {"speed": 2}, 1.5),
    "by a constant tensor": (
        [("scalar_tensor", [3.0], F32), ("mul.Tensor", [node(0), SPEED])],
        {"speed": 3},
        0,
    ),
    "stacked": ([("stack", [[SPEED, HEIGHT], -1]), ("sum.dim_IntList", [node(0), [1]])], {"speed": 1, "height": 1}, 0),
    "mean of a stack": ([("stack", [[SPEED, HEIGHT]]), ("mean.dim", [node(0), [0]])], {"speed": 0.5, "height": 0.5}, 0),
}


@pytest.mark.parametrize("case", TERMS)
def test_terms(case):
    nodes, weights, constant = TERMS[case]
    last = graph(nodes, node(len(nodes) - 1), {"speed": SPEED}, constants={"w": 0.5})
    found = terms(last, last.total)
    assert {ref.name: weight for ref, weight in found.terms.items()} == weights
    assert found.constant == constant


LEAVES = {
    "a product": [("mul.Tensor", [SPEED, HEIGHT])],
    "divided by a field": [("div.Tensor", [SPEED, HEIGHT])],
    "divided by zero": [("div.Tensor", [SPEED, 0])],
    "another sum": [("sum.dim_IntList", [ACTION, [1]])],
    "a stack along the other dimension": [("stack", [[SPEED, HEIGHT], 1]), ("sum.dim_IntList", [node(0), [0]])],
}


@pytest.mark.parametrize("case", LEAVES)
def test_what_is_no_sum_is_a_term(case):
    nodes = LEAVES[case]
    last = graph(nodes, node(len(nodes) - 1), {"speed": SPEED})
    assert terms(last, last.total).terms == {NodeRef(len(nodes) - 1): 1.0}


def test_a_sum_that_doubles_at_every_step_takes_no_time():
    nodes = [("add.Tensor", [SPEED, HEIGHT])] + [("add.Tensor", [node(k), node(k)]) for k in range(900)]
    last = graph(nodes, node(900), {"speed": SPEED})
    assert terms(last, last.total).terms == {InputRef("speed"): 2.0**900, InputRef("height"): 2.0**900}
