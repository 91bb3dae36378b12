"""Components as short expressions, by graphs that were traced from functions."""

import json
import re

import pytest
import torch
from export_helpers import FIELDS, batch

from eureka.reward.export.expressions import component_expressions
from eureka.reward.graph.format import GraphError
from eureka.reward.trace.trusted import trace_trusted

State = dict[str, torch.Tensor]
Outputs = tuple[torch.Tensor, dict[str, torch.Tensor]]


def short(state: State) -> Outputs:
    s, a = state["s"], state["a"]
    near_weight, near_scale = 0.5, 1 / 3
    distance = torch.norm(a, dim=-1)
    # The graph of a function that the host wrote has no names of variables or constants.
    near = near_weight * torch.exp(-distance / near_scale)
    return near - s, {"near": near, "still": -s}


def long(state: State) -> Outputs:
    soon = s = state["s"]
    for _ in range(30):
        soon = torch.sin(soon) + torch.cos(soon) * 0.25
    wave = torch.exp(soon) * s
    return wave, {"wave": wave}


def test_variables_are_written_out_and_constants_are_numbers() -> None:
    found = component_expressions(trace_trusted(short, FIELDS, batch(100)), FIELDS)
    assert set(found) == {"near", "still"}
    assert found["near"].startswith("0.5 * exp(-")
    assert "0.333" in found["near"]
    assert "distance" not in found["near"]
    assert found["still"] == "-s"


def test_what_would_be_long_stays_a_name_with_the_fields_that_it_reads() -> None:
    """The last of thirty sums is written out, its own two terms are not."""
    text = component_expressions(trace_trusted(long, FIELDS, batch(100)), FIELDS)["wave"]
    assert re.fullmatch(r"exp\(sin\((\w+)\(s\)\) \+ 0\.25 \* cos\(\1\(s\)\)\) \* s", text)


def rotated(state: State) -> Outputs:
    """The vector turned by a quaternion made of four columns, as a product of matrices that is written out."""
    a, b, s = state["a"], state["b"], state["s"]
    x, y, z, w = a[:, 0], a[:, 1], a[:, 2], s
    rows = [
        (1 - 2 * (y * y + z * z)) * b[:, 0] + 2 * (x * y - w * z) * b[:, 1] + 2 * (x * z + w * y) * b[:, 2],
        2 * (x * y + w * z) * b[:, 0] + (1 - 2 * (x * x + z * z)) * b[:, 1] + 2 * (y * z - w * x) * b[:, 2],
        2 * (x * z - w * y) * b[:, 0] + 2 * (y * z + w * x) * b[:, 1] + (1 - 2 * (x * x + y * y)) * b[:, 2],
    ]
    height = torch.stack(rows, dim=-1)[:, 2]
    near = torch.sigmoid(height / 0.25) * torch.exp(-height * height / 0.5)
    return near, {"near": near}


def test_what_a_long_value_is_made_of_is_not_written_out_in_part() -> None:
    """The candidate calls the turned vector's height `height`; its own terms, which the export would number, say
    nothing."""
    graph = json.loads(trace_trusted(rotated, FIELDS, batch(100)))
    (used,) = [node["args"][0]["node"] for node in graph["nodes"] if node["op"] == "sigmoid"]
    height = graph["nodes"][used]["args"][0]["node"]
    graph["nodes"][height]["name"] = "height"
    text = component_expressions(json.dumps(graph), FIELDS)["near"]
    assert text == "sigmoid(height(a, b, s) / 0.25) * exp(-height(a, b, s) * height(a, b, s) / 0.5)"


def test_a_text_that_is_no_graph_is_refused() -> None:
    with pytest.raises(GraphError):
        component_expressions("{}", FIELDS)


def deep(state: State) -> Outputs:
    before = last = state["s"]
    for _ in range(600):
        before, last = last, torch.sin(before + last)
    total = torch.exp(last) * last
    return total, {"total": total}


def test_a_long_chain_of_values_that_are_used_twice_is_read_once_each() -> None:
    # By walking every path there would be as many steps as the 600th Fibonacci number.
    text = component_expressions(trace_trusted(deep, FIELDS, batch(100)), FIELDS)["total"]
    assert "(s)" in text


def two_parts(state: State) -> Outputs:
    s, a = state["s"], state["a"]
    first = torch.exp(-(a[:, 0] * 0.125 + a[:, 1] * 0.25 + a[:, 2] * 0.375 + a[:, 0] * a[:, 1] * 0.625) / 0.75) * 0.0625
    second = torch.exp(
        -(s * 0.875 + torch.sin(s * 0.4375) * 0.21875 - torch.cos(s * 0.3125) * torch.tanh(s * 0.6875)) / 0.15625
    )
    both = first * second
    return both + first + second, {"both": both, "first": first, "second": second}


@pytest.mark.parametrize("name", ["aim", "zeal"])
@pytest.mark.parametrize(("component", "field", "other"), [("first", "a", "sin("), ("second", "s", "a[:, 2]")])
def test_a_name_of_the_candidate_stays_rather_than_one_that_the_export_invented(
    name: str, component: str, field: str, other: str
) -> None:
    """Each of the two values is used twice and short enough, both together are not: the one without a name of the
    candidate is written out, wherever the names stand in the alphabet."""
    graph = json.loads(trace_trusted(two_parts, FIELDS, batch(100)))
    (value,) = [each["value"] for each in graph["components"] if each["name"] == component]
    graph["nodes"][value["node"]]["name"] = name
    text = component_expressions(json.dumps(graph), FIELDS)["both"]
    assert f"{name}({field})" in text
    assert other in text
