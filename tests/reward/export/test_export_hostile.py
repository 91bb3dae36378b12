"""Names and texts of others in an exported module: escaped data that hides nothing and ends no string."""

from __future__ import annotations

import ast
import keyword

import pytest
import torch
from export_helpers import FIELDS, assert_same, batch, export, graph, load, script

from eureka.core.types import FieldSpec
from eureka.reward.export import export_reward
from eureka.reward.graph.runtime import compile_graph

A, S = {"input": "a"}, {"input": "s"}
#: Texts that would end a string, a comment or a line, or reorder what stands around them.
HOSTILE = (
    '"""\nimport os\n"""',
    "'''; raise SystemExit; '''",
    "\\",
    'ends with a backslash \\" and a quote "',
    "# type: (int, int) -> int",
    "# -*- coding: utf-7 -*-",
    "{x} %s \\N{BULLET} \\x41 \\u202e",
    "right-to-left \u202e override, isolate \u2066, mark \u200f, line \u2028 separator",
    "\x00\x07\x1b[31m\r\n\ttab",
    "שלום עולם",
    "e\u0301 combining, lone \ud800 surrogate, 😀 wide",
    "x" * 300,
)


# ---------------------------------------------------------------------------------------------- names


def test_names_hide_nothing(tmp_path):
    names = [
        "torch",
        "math",
        "sum",
        "print",
        "components",
        "a",
        "num_envs",
        "match",
        "__debug__",
        "w",
        "norm",
        "x",
        "x",
    ]
    nodes = [{"op": "add.Tensor", "args": [S, {"constant": "float"}], "name": names[0]}]
    for index, name in enumerate(names[1:]):
        nodes.append({"op": "mul.Tensor", "args": [{"node": index}, {"constant": "w"}], "name": name})
    nodes.append({"op": "full", "args": [[{"batch": 1}], 1.0], "kwargs": {"dtype": {"dtype": "float32"}}})
    nodes.append({"op": "add.Tensor", "args": [{"node": len(nodes) - 2}, {"node": len(nodes) - 1}]})
    text = graph(nodes, {"total": {"node": len(nodes) - 1}}, constants={"float": 0.5, "w": 1.5, "a": 2.0})
    written = export(text)
    module = load(written, tmp_path)
    assert_same(text, module, [batch(6)])
    targets = [n.targets[0].id for n in ast.walk(ast.parse(written)) if isinstance(n, ast.Assign)]
    assert len(set(targets)) == len(targets)
    taken = {
        "torch",
        "math",
        "F",
        "Dict",
        "Tuple",
        "sum",
        "print",
        "float",
        "__debug__",
        *module.INPUTS,
        "compute_reward",
    }
    assert not taken & set(targets)
    assert not any(keyword.iskeyword(t) or keyword.issoftkeyword(t) for t in targets)


def test_fields_with_names_that_the_module_needs(tmp_path):
    fields = tuple(
        FieldSpec(name, (), "float32", "", "", "") for name in ("torch", "print", "state", "num_envs", "sum")
    )
    nodes = [{"op": "add.Tensor", "args": [{"input": "torch"}, {"input": "print"}]}]
    for index, name in enumerate(("state", "num_envs", "sum")):
        nodes.append({"op": "add.Tensor", "args": [{"node": index}, {"input": name}]})
    nodes.append({"op": "ones", "args": [[{"batch": 1}]], "kwargs": {"dtype": {"dtype": "float32"}}})
    nodes.append({"op": "add.Tensor", "args": [{"node": 3}, {"node": 4}]})
    text = graph(nodes, {"all": {"node": 5}}, inputs=[f.name for f in fields])
    state = {f.name: torch.randn(4) for f in fields}
    module = load(export(text, fields), tmp_path)
    assert_same(text, module, [state])
    total, _ = script(module.compute_reward_from_state)(state)
    assert torch.equal(total, compile_graph(text)(state)[0])


# ---------------------------------------------------------------------------------------------- texts of others


def test_hostile_component_names(tmp_path):
    names = [text[:64] for text in HOSTILE if text[:64].isprintable()] + ["\U0001f600" * 64, "total", "1st", "?"]
    nodes = [{"op": "mul.Tensor", "args": [S, 0.5 + k]} for k in range(len(names))]
    text = graph(nodes, {name: {"node": k} for k, name in enumerate(names)}, total={"node": 3})
    written = export(text)
    assert max(map(len, written.splitlines())) <= 100
    module = load(written, tmp_path)
    assert list(module.COMPONENTS) == names
    assert_same(text, module, [batch(3)])


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_descriptions_and_provenance(hostile, tmp_path):
    plain = export(graph([{"op": "neg", "args": [A]}], {"x": {"node": 0}}, inputs=["a"]))
    fields = [FieldSpec("a", (3,), "float32", hostile, hostile, hostile), *FIELDS[1:]]
    text = graph([{"op": "neg", "args": [A]}], {"x": {"node": 0}}, inputs=["a"])
    written = export_reward(
        graph=text, task=hostile, candidate_id=hostile, fields=fields, provenance={hostile: hostile, "Score": "1"}
    )
    written.encode("utf-8")
    assert "# type" not in written
    assert not any(c in written for c in "\u202e\u2066\u200f\u2028\x00\x1b\r\u0301")
    assert max(map(len, written.splitlines())) <= 100
    assert _without_texts(written) == _without_texts(plain)
    module = load(written, tmp_path)
    assert hostile.replace("\ud800", "\ufffd") == module.TASK
    readable = " ".join(hostile.replace("\ud800", "\ufffd").split())
    assert readable in " ".join((module.__doc__ or "").split()) or len(hostile) > 100
    assert_same(text, module, [batch(3)])


def _without_texts(text: str) -> str:
    """Dump of a module without its docstrings and the name of its task."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef):
            node.body = [s for s in node.body[1:] if "TASK" not in ast.unparse(s)]
    return ast.dump(tree)
