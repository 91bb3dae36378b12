"""Reward graphs of functions that the host trusts: a task's own human-written reward, and its metric as a reward.

They are recorded in this process, since they are the user's own code, and must pass the same checks as a candidate's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from eureka.core.types import FieldSpec
from eureka.reward.graph.format import Graph, InputRef, format_graph, references
from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.verify import EagerRun, check
from eureka.reward.trace.explain import TraceFailure
from eureka.reward.trace.lower import live, lower
from eureka.reward.trace.record import Outputs, State, checked, record, small_batches
from eureka.reward.trace.recorder import Recorder


class UntraceableError(ValueError):
    """A function that cannot be traced to a graph; the text says why, and what to do."""


def trace_trusted(function: Callable[[State], Outputs], fields: Sequence[FieldSpec], state: State) -> str:
    """The graph's canonical text; its inputs are the fields that the function reads.

    Args:
        function: takes State fields by name, each (num_envs, ...), and returns a total and components, (num_envs,)
            each.
        state: recorded transitions, every field of `fields`; `record.MIN_ROWS` rows or more.

    Raises:
        UntraceableError: the function depends on values in Python, mixes environments, or is not finite on `state`.
    """

    def call(values: State) -> Outputs:
        return checked(function(values), len(next(iter(values.values()))))

    try:
        with torch.no_grad():
            small = small_batches({field.name: state[field.name] for field in fields})
            recordings = [record(Recorder(batch, counts=False), call, batch) for batch in small]
            graph = _narrowed(lower(tuple(small[0]), *recordings))
            total, components = call({name: value.clone() for name, value in state.items()})
    except TraceFailure as failure:
        raise UntraceableError(f"{failure.message}. {failure.remedy}".strip()) from failure
    problem = check(graph, fields, [EagerRun(state, total, tuple(components.values()))])
    if problem is not None:
        raise UntraceableError(f"{problem.message}. {problem.remedy}".strip())
    return format_graph(graph)


def same_total(first: str, second: str) -> bool:
    """Whether two graphs compute their totals by the same operations, so that trainings with them are the same."""
    return _total_alone(first) == _total_alone(second)


def _total_alone(text: str) -> Graph:
    graph = live(replace(parse_graph(text), components=()))
    nodes = tuple(replace(node, line=None, name=None) for node in graph.nodes)
    return _narrowed(replace(graph, nodes=nodes))


def _narrowed(graph: Graph) -> Graph:
    """The graph with only the inputs that it reads; with its first one if it reads none."""
    arguments = [a for node in graph.nodes for a in (*node.args, *(value for _, value in node.kwargs))]
    results = [graph.total, *(component.value for component in graph.components)]
    read = {ref.name for value in [*arguments, *results] for ref in references(value) if isinstance(ref, InputRef)}
    return replace(graph, inputs=tuple(name for name in graph.inputs if name in read) or graph.inputs[:1])
