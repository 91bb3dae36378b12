"""The graph's format: what is written is read back, and whatever is malformed is a GraphError and nothing else."""

import copy
import json
import random

import pytest
import torch
from reward_corpus import SANE
from reward_helpers import FIELDS, candidate, states

from eureka.reward.graph import format
from eureka.reward.graph.format import GraphError, format_graph
from eureka.reward.graph.operations import OPS
from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.runtime import RewardFunction, compile_graph
from eureka.reward.graph.verify import EagerRun, check

DOCUMENT = {
    "version": 1,
    "inputs": ["speed", "pose"],
    "constants": {"weight": 0.1, "power": 2},
    "nodes": [
        {"op": "mul.Tensor", "args": [{"input": "speed"}, {"constant": "weight"}], "line": 4, "name": "run"},
        {"op": "pow.Tensor_Scalar", "args": [{"input": "pose"}, {"constant": "power"}]},
        {"op": "sum.dim_IntList", "args": [{"node": 1}, [1]], "kwargs": {"dtype": {"dtype": "float32"}}},
        {"op": "max.dim", "args": [{"input": "pose"}, -1]},
        {"op": "tensor", "args": [[1.5, {"float": "inf"}], [2]], "kwargs": {"dtype": {"dtype": "float32"}}},
        {"op": "select.int", "args": [{"node": 4}, 0, 0]},
        {"op": "full", "args": [[{"batch": 1}], 0.25]},
        {"op": "mul.Tensor", "args": [{"node": 6}, {"constant": "weight", "negative": True}]},
        {"op": "add.Tensor", "args": [{"node": 0}, {"node": 2}], "kwargs": {"alpha": -0.5}},
        {"op": "add.Tensor", "args": [{"node": 8}, {"node": 3, "item": 0}]},
        {"op": "add.Tensor", "args": [{"node": 9}, {"node": 5}]},
        {"op": "add.Tensor", "args": [{"node": 10}, {"node": 7}]},
    ],
    "total": {"node": 11},
    "components": [{"name": "running \u2192", "value": {"node": 0}}, {"name": "speed", "value": {"input": "speed"}}],
}


def edited(edit) -> str:
    document = copy.deepcopy(DOCUMENT)
    edit(document)
    return json.dumps(document)


def put(*path_and_value):
    *path, key, value = path_and_value

    def edit(document):
        for step in path:
            document = document[step]
        document[key] = value

    return edit


def test_computes_by_hand():
    speed = torch.tensor([1.0, 2.0])
    pose = torch.tensor([[1.0, -3.0], [2.0, 0.5]])
    total, components = compile_graph(json.dumps(DOCUMENT))({"speed": speed, "pose": pose, "other": speed})
    # 0.1 speed - 0.5 sum(pose^2) + max(pose) + 1.5 - 0.1 * 0.25
    torch.testing.assert_close(
        total, torch.tensor([0.1 - 5.0 + 1.0 + 1.5 - 0.025, 0.2 - 0.5 * 4.25 + 2.0 + 1.5 - 0.025])
    )
    assert components.keys() == {"running \u2192", "speed"}
    torch.testing.assert_close(components["running \u2192"], 0.1 * speed)


def test_round_trip_is_exact():
    text = format_graph(parse_graph(json.dumps(DOCUMENT, indent=3)))
    assert format_graph(parse_graph(text)) == text
    assert json.loads(text) == DOCUMENT
    assert " " not in text.replace("running ", "")


def test_equal_graphs_have_equal_text():
    shuffled = json.dumps({key: DOCUMENT[key] for key in reversed(DOCUMENT)})
    assert format_graph(parse_graph(shuffled)) == format_graph(parse_graph(json.dumps(DOCUMENT)))


def test_results_on_the_device_of_the_inputs():
    function = compile_graph(json.dumps(DOCUMENT))
    total, _ = function({"speed": torch.empty(5, device="meta"), "pose": torch.empty(5, 2, device="meta")})
    assert total.device.type == "meta"
    assert total.shape == (5,)


def test_no_gradients():
    speed = torch.ones(3, requires_grad=True)
    total, _ = compile_graph(json.dumps(DOCUMENT))({"speed": speed, "pose": torch.ones(3, 2)})
    assert not total.requires_grad


def test_inputs_of_any_strides():
    function = compile_graph(json.dumps(DOCUMENT))
    pose = torch.randn(2, 6).T
    speed = torch.randn(12)[::2]
    straight = function({"speed": speed.contiguous(), "pose": pose.contiguous()})
    assert torch.equal(function({"speed": speed, "pose": pose})[0], straight[0])


MALFORMED = {
    "not json": "{",
    "not an object": "[]",
    "null": "null",
    "number": "1e999",
    "nan": '{"version": NaN}',
    "deep": "[" * 200_000,
    "deep object": '{"a":' * 100_000,
    "long": " " * (format.MAX_BYTES + 1),
    "huge integer": json.dumps(DOCUMENT).replace("0.25", "9" * 5000),
    "infinite number": json.dumps(DOCUMENT).replace("0.25", "1e999"),
    "key twice": json.dumps(DOCUMENT).replace('"version": 1', '"version": 1, "version": 1'),
    "lone surrogate name": edited(put("components", 0, "name", "\ud800")),
    "no total": edited(lambda d: d.pop("total")),
    "extra key": edited(put("code", "import os")),
    "version 2": edited(put("version", 2)),
    "version true": edited(put("version", True)),
    "no inputs": edited(put("inputs", [])),
    "inputs twice": edited(put("inputs", ["speed", "pose", "pose"])),
    "input is code": edited(put("inputs", ["speed", "pose", "a=__import__('os')"])),
    "input is a keyword": edited(put("inputs", ["speed", "pose", "class"])),
    "input is a number": edited(put("inputs", ["speed", "pose", 3])),
    "input long": edited(put("inputs", ["speed", "pose", "a" * 65])),
    "constants a list": edited(put("constants", [])),
    "constant text": edited(put("constants", "weight", "0.1")),
    "constant true": edited(put("constants", "weight", True)),
    "constant big": edited(put("constants", "weight", 2**60)),
    "constant name": edited(put("constants", "a b", 1.0)),
    "constants many": edited(put("constants", {f"c{i}": 1.0 for i in range(format.MAX_CONSTANTS + 1)})),
    "nodes a dict": edited(put("nodes", {})),
    "nodes many": edited(put("nodes", [DOCUMENT["nodes"][0]] * (format.MAX_NODES + 1))),
    "unknown op": edited(put("nodes", 0, "op", "from_file")),
    "random op": edited(put("nodes", 0, "op", "randn")),
    "in-place op": edited(put("nodes", 0, "op", "mul_.Tensor")),
    "memory op": edited(put("nodes", 0, "op", "as_strided")),
    "index op": edited(put("nodes", 0, "op", "index.Tensor")),
    "dunder op": edited(put("nodes", 0, "op", "__class__")),
    "op a number": edited(put("nodes", 0, "op", 7)),
    "op a list": edited(put("nodes", 0, "op", ["mul.Tensor"])),
    "node a list": edited(put("nodes", 0, [])),
    "node extra key": edited(put("nodes", 0, "text", "")),
    "args a dict": edited(put("nodes", 0, "args", {})),
    "args too many": edited(put("nodes", 0, "args", [{"input": "speed"}] * 3)),
    "args missing": edited(put("nodes", 0, "args", [{"input": "speed"}])),
    "kwargs a list": edited(put("nodes", 0, "kwargs", [])),
    "kwarg unknown": edited(put("nodes", 0, "kwargs", {"out": {"input": "speed"}})),
    "kwarg twice": edited(put("nodes", 0, "kwargs", {"other": 1.0})),
    "kwarg device": edited(put("nodes", 6, "kwargs", {"device": 0})),
    "line zero": edited(put("nodes", 0, "line", 0)),
    "line text": edited(put("nodes", 0, "line", "4")),
    "name code": edited(put("nodes", 0, "name", "x; import os")),
    "name unicode": edited(put("nodes", 0, "name", "\u00e9")),
    "forward ref": edited(put("nodes", 0, "args", 0, {"node": 1})),
    "ref to itself": edited(put("nodes", 0, "args", 0, {"node": 0})),
    "negative ref": edited(put("nodes", 2, "args", 0, {"node": -1})),
    "float ref": edited(put("nodes", 2, "args", 0, {"node": 0.0})),
    "bool ref": edited(put("nodes", 2, "args", 0, {"node": False})),
    "ref with two keys": edited(put("nodes", 2, "args", 0, {"node": 0, "input": "speed"})),
    "item of one value": edited(put("nodes", 9, "args", 1, {"node": 8, "item": 0})),
    "no item of several": edited(put("nodes", 9, "args", 1, {"node": 3})),
    "item out of range": edited(put("nodes", 9, "args", 1, {"node": 3, "item": 2})),
    "unknown input": edited(put("nodes", 0, "args", 0, {"input": "height"})),
    "input a list": edited(put("nodes", 0, "args", 0, {"input": ["speed"]})),
    "unknown constant": edited(put("nodes", 0, "args", 1, {"constant": "w"})),
    "constant a list": edited(put("nodes", 0, "args", 1, {"constant": []})),
    "negative false": edited(put("nodes", 0, "args", 1, {"constant": "weight", "negative": False})),
    "empty reference": edited(put("nodes", 0, "args", 0, {})),
    "unknown reference": edited(put("nodes", 0, "args", 0, {"file": "/etc/passwd"})),
    "two references": edited(put("nodes", 0, "args", 0, {"batch": 1, "dtype": "bool"})),
    "batch zero": edited(put("nodes", 6, "args", 0, [{"batch": 0}])),
    "batch huge": edited(put("nodes", 6, "args", 0, [{"batch": 10**9}])),
    "batch as a number": edited(put("nodes", 0, "args", 1, {"batch": 1})),
    "size huge": edited(put("nodes", 6, "args", 0, [2**40])),
    "unknown dtype": edited(put("nodes", 2, "kwargs", "dtype", {"dtype": "complex64"})),
    "dtype as text": edited(put("nodes", 2, "kwargs", "dtype", "float32")),
    "unknown float": edited(put("nodes", 0, "args", 1, {"float": "1e400"})),
    "free text": edited(put("nodes", 0, "args", 1, "weight")),
    "nested lists": edited(put("nodes", 2, "args", 1, [[1]])),
    "long list": edited(put("nodes", 2, "args", 1, [1] * (format.MAX_LIST + 1))),
    "tensor for dims": edited(put("nodes", 2, "args", 1, {"node": 0})),
    "float for dims": edited(put("nodes", 2, "args", 1, [1.0])),
    "null for a tensor": edited(put("nodes", 0, "args", 0, None)),
    "number for a tensor": edited(put("nodes", 3, "args", 0, 1.0)),
    "literal shape": edited(put("nodes", 4, "args", 1, [3])),
    "literal values": edited(put("nodes", 4, "args", 0, [True, 1.0])),
    "literal dtype": edited(put("nodes", 4, "kwargs", {})),
    "literal args": edited(put("nodes", 4, "args", [[1.0]])),
    "literal not a list": edited(put("nodes", 4, "args", 0, 1.0)),
    "literal overflow": edited(
        lambda d: d["nodes"][4].update(args=[[300, 1], [2]], kwargs={"dtype": {"dtype": "uint8"}})
    ),
    "literal huge": edited(put("nodes", 4, "args", 0, [0.0] * (format.MAX_TENSOR_VALUES + 1))),
    "total a number": edited(put("total", 1.0)),
    "total unknown": edited(put("total", {"node": 12})),
    "no components": edited(put("components", [])),
    "components a dict": edited(put("components", {"run": {"node": 0}})),
    "components many": edited(
        put("components", [{"name": str(i), "value": {"node": 0}} for i in range(format.MAX_COMPONENTS + 1)])
    ),
    "component twice": edited(put("components", [DOCUMENT["components"][0]] * 2)),
    "component unprintable": edited(put("components", 0, "name", "a\x1b[31m")),
    "component long": edited(put("components", 0, "name", "a" * 65)),
    "component number": edited(put("components", 0, "name", 3)),
    "component constant": edited(put("components", 0, "value", {"constant": "weight"})),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_is_a_graph_error(case):
    with pytest.raises(GraphError) as caught:
        compile_graph(MALFORMED[case])
    assert len(str(caught.value)) < 400


def test_mutations_are_graph_errors_or_problems(verifier):
    """Random edits of real graphs: whatever is accepted by the parser runs, or is a Problem."""
    generator = random.Random(0)
    names = ["legged_gym_tracking", "reductions", "reshapes", "in_place_on_fresh", "matrices"]
    documents = [json.loads(verifier.verify(candidate(SANE[name])).graph) for name in names]
    values = [None, True, -1, 0, 1, 7, 2**31, -(2**31), 0.5, 1e300, "floor", [], [0], [-1, 2], {"node": 0}]
    values += [{"batch": 1}, {"batch": 4096}, {"dtype": "bool"}, {"float": "nan"}, {"input": "dof_pos"}]
    state = states(8)
    parsed = 0
    for _ in range(800):
        document = copy.deepcopy(generator.choice(documents))
        for _ in range(generator.randint(1, 3)):
            node = generator.choice(document["nodes"])
            if generator.random() < 0.4:
                node["op"] = generator.choice(sorted(OPS))
            elif node["args"]:
                node["args"][generator.randrange(len(node["args"]))] = generator.choice(values)
        try:
            graph = parse_graph(json.dumps(document))
        except GraphError:
            continue
        parsed += 1
        names = graph.inputs
        zeros = torch.zeros(8)
        run = EagerRun({name: state[name] for name in names}, zeros, (zeros,) * len(graph.components))
        check(graph, FIELDS, [run, run])
    assert parsed > 30


def test_text_of_the_graph_never_reaches_the_code():
    """Names and text are data: the generated code has our own names only, whatever the graph's are."""
    document = copy.deepcopy(DOCUMENT)
    document["components"][0]["name"] = "');__import__('os').abort()#"
    function = compile_graph(json.dumps(document))
    code = function._function.__code__
    assert all(name[0] in "fcksvnd" for name in (*code.co_varnames, *code.co_names))
    function({"speed": torch.ones(2), "pose": torch.ones(2, 2)})


def test_table_is_pure():
    forbidden = (
        "rand",
        "dropout",
        "bernoulli",
        "multinomial",
        "file",
        "set_",
        "resize",
        "strided",
        "gather",
        "scatter.",
    )
    for name, operation in OPS.items():
        assert not any(word in name for word in forbidden), name
        base, _, overload = name.partition(".")
        target = getattr(getattr(torch.ops.aten, base), overload or "default")
        assert not target._schema.is_mutable, name
        assert torch.Tag.nondeterministic_seeded not in target.tags, name
        assert torch.Tag.dynamic_output_shape not in target.tags, name
        assert {p.kind for p in operation.parameters} <= {
            "Tensor",
            "number",
            "float",
            "int",
            "bool",
            "ScalarType",
            "str",
        }


def test_reward_function_describes_itself():
    function = compile_graph(json.dumps(DOCUMENT))
    assert isinstance(function, RewardFunction)
    assert function.inputs == ("speed", "pose")
    assert function.components == ("running \u2192", "speed")
    assert function.graph.constants == {"weight": 0.1, "power": 2}
