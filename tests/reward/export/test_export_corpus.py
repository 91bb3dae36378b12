"""Rewards as language models write them come back as modules with the same values."""

from __future__ import annotations

import ast

import pytest
from export_helpers import assert_same, export, load
from reward_corpus import SANE
from reward_helpers import FIELDS, candidate, states

from eureka.reward.graph.parse import parse_graph
from eureka.reward.trace.child import trace
from eureka.reward.trace.wire import request, unpack


@pytest.mark.parametrize("name", SANE)
def test_equal_to_the_graph(name, tmp_path):
    inputs = candidate(SANE[name]).inputs
    batches = [{key: value for key, value in states(size, seed=size).items() if key in inputs} for size in (70, 80)]
    graph = str(unpack(trace(request(SANE[name], inputs, *batches, 128))).body["graph"])
    written = export(graph, FIELDS)
    assert max(map(len, written.splitlines())) <= 100
    assert_same(graph, load(written, tmp_path), [states(size, seed=size) for size in (1, 2, 65)])
    statements = next(n for n in ast.parse(written).body if isinstance(n, ast.FunctionDef)).body
    assert len(statements) <= len(parse_graph(graph).nodes) + 4
