"""Graphs of functions that the host trusts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from reward_helpers import FIELDS, states

from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.runtime import compile_graph
from eureka.reward.trace.trusted import UntraceableError, same_total, trace_trusted

State = Mapping[str, torch.Tensor]
Function = Callable[[State], tuple[torch.Tensor, dict[str, torch.Tensor]]]
STATE = states(128)
VECTOR = next(field.name for field in FIELDS if len(field.shape) == 1 and field.dtype == "float32")


def squared(state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    size = state[VECTOR].square().sum(dim=-1)
    return -2.0 * size, {"size": size}


def test_it_reads_what_the_function_reads_and_computes_the_same() -> None:
    graph = trace_trusted(squared, FIELDS, STATE)
    assert parse_graph(graph).inputs == (VECTOR,)
    other = states(77)
    total, components = compile_graph(graph)(other)
    assert torch.equal(total, squared(other)[0])
    assert torch.equal(components["size"], squared(other)[1]["size"])


def test_a_constant_reward_has_one_input() -> None:
    def constant(state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        one = torch.ones(len(state[VECTOR]))
        return one, {"one": one}

    graph = trace_trusted(constant, FIELDS, STATE)
    assert len(parse_graph(graph).inputs) == 1
    assert compile_graph(graph)(STATE)[0].eq(1).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda total: total.mean().expand_as(total), "combines all environments into one value"),
        (lambda total: total.sqrt().log(), "is NaN on"),
        (lambda total: total + float(total.max()), "reads a number out of a tensor"),
        (lambda total: torch.stack([total, total], dim=1), r"must be a tensor of shape \(num_envs,\)"),
    ],
)
def test_what_no_graph_can_hold_is_refused(change: Callable[[torch.Tensor], torch.Tensor], said: str) -> None:
    def changed(state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        total, components = squared(state)
        return change(total), components

    with pytest.raises(UntraceableError, match=said):
        trace_trusted(changed, FIELDS, STATE)


def test_same_totals() -> None:
    def renamed(state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        total, components = squared(state)
        return total, {"other": components["size"] + 1.0, "total": total}

    def scaled(state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        total, components = squared(state)
        return 3.0 * total, components

    first = trace_trusted(squared, FIELDS, STATE)
    assert same_total(first, trace_trusted(renamed, FIELDS, STATE))
    assert not same_total(first, trace_trusted(scaled, FIELDS, STATE))
