"""The standalone reward module: readable, equal to its graph, and alone in the world."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from export_helpers import assert_same, batch, export, graph, load, script

from eureka.core.errors import EurekaError
from eureka.core.types import FieldSpec
from eureka.reward.export import export_reward
from eureka.reward.graph.runtime import compile_graph
from eureka.reward.trace.child import trace
from eureka.reward.trace.wire import request, unpack

A, B, S, M = ({"input": name} for name in "absm")
GOLDEN = Path(__file__).parent / "ant_reward.golden.txt"

ANT_FIELDS = (
    FieldSpec("forward_velocity", (), "float32", "m/s", "world", "progress along +x during the step"),
    FieldSpec(
        "torso_position", (3,), "float32", "m", "world", "centre of the torso; z is its height, 0.75 at the start"
    ),
    FieldSpec("up_projection", (), "float32", "1", "world", "z of the torso's up axis: 1 upright, -1 on its back"),
    FieldSpec(
        "joint_position",
        (8,),
        "float32",
        "rad",
        "joint",
        "hip and ankle angles: hip_4, ankle_4, hip_1, ankle_1, hip_2, ankle_2, hip_3, ankle_3 in the model's order",
    ),
    FieldSpec("contact_wrench", (13, 6), "float32", "N m, N", "world", "external torque and force on each body"),
    FieldSpec("action", (8,), "float32", "1", "joint", "torque command of this step"),
    FieldSpec("previous_action", (8,), "float32", "1", "joint", "torque command of the step before"),
)
ANT_SOURCE = '''
import torch
from typing import Dict, Tuple

def compute_reward(
    forward_velocity: torch.Tensor,
    torso_position: torch.Tensor,
    up_projection: torch.Tensor,
    joint_position: torch.Tensor,
    contact_wrench: torch.Tensor,
    action: torch.Tensor,
    previous_action: torch.Tensor,
) -> Tuple[torch.Tensor, Dict[str, torch.Tensor]]:
    """Runs forward, upright, with little effort."""
    forward_weight = 1.5
    target_height = 0.6
    height_temperature = 0.1
    smoothness_weight = 0.05

    forward_reward = forward_weight * torch.clamp(forward_velocity, max=4.0)
    height_error = torso_position[:, 2] - target_height
    posture_reward = torch.exp(-height_error ** 2 / height_temperature) * 0.5
    fallen = (torso_position[:, 2] < 0.3) | (up_projection < 0.2)
    alive_reward = torch.where(fallen, torch.zeros_like(forward_velocity), torch.ones_like(forward_velocity))
    effort = (action ** 2).sum(dim=-1)
    smoothness_penalty = -smoothness_weight * torch.norm(action - previous_action, dim=-1)
    at_limit = (joint_position.abs() > 1.2).float().mean(dim=-1)
    impact = torch.clamp(contact_wrench[:, :, 3:].norm(dim=-1).max(dim=-1).values - 100.0, min=0.0)
    total = forward_reward + posture_reward + alive_reward - 0.02 * effort + smoothness_penalty
    total = total - 0.1 * at_limit - 1e-3 * impact
    return total, {
        "forward": forward_reward,
        "posture": posture_reward,
        "alive": alive_reward,
        "effort": -0.02 * effort,
        "smoothness": smoothness_penalty,
        "joint limits (share)": -0.1 * at_limit,
    }
'''


def ant_state(num_envs: int, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {f.name: torch.randn((num_envs, *f.shape), generator=generator) * 2 for f in ANT_FIELDS}


@pytest.fixture(scope="module")
def ant_graph() -> str:
    names = tuple(field.name for field in ANT_FIELDS)
    answer = unpack(trace(request(ANT_SOURCE, names, ant_state(70), ant_state(80), 128))).body
    assert answer["ok"], answer
    return str(answer["graph"])


@pytest.fixture(scope="module")
def ant_module(ant_graph) -> str:
    provenance = {"Score": "2.31 m/s", "Metric access": "yes: program_search probed the metric", "Sandbox": "unsafe"}
    return export_reward(graph=ant_graph, task="ant", candidate_id="g02-c05", fields=ANT_FIELDS, provenance=provenance)


# ---------------------------------------------------------------------------------------------- what it says


def test_golden(ant_module):
    assert ant_module == GOLDEN.read_text(encoding="utf-8")


def test_the_text_depends_on_the_arguments_alone(ant_graph):
    assert export(ant_graph, ANT_FIELDS) == export(ant_graph, ANT_FIELDS)


def test_it_imports_torch_typing_and_math_only(ant_module):
    for text in (ant_module, export(graph([{"op": "gelu", "args": [S]}, {"op": "gt.Scalar", "args": [S, INF]}], TWO))):
        tree = ast.parse(text)
        modules = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        modules |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        assert modules <= {"torch", "torch.nn.functional", "typing", "math"}


INF = {"float": "inf"}
TWO = {"one": {"node": 0}, "two": {"node": 1}}


# ---------------------------------------------------------------------------------------------- what it computes


def test_equal_to_the_graph(ant_graph, ant_module, tmp_path):
    module = load(ant_module, tmp_path)
    assert tuple(field.name for field in ANT_FIELDS) == module.INPUTS
    assert_same(ant_graph, module, [ant_state(n, seed=n) for n in (1, 2, 64, 1000)])


def test_from_a_state_with_more_fields(ant_graph, ant_module, tmp_path):
    module = load(ant_module, tmp_path)
    state = ant_state(9) | {"unread": torch.zeros(9)}
    wanted, parts = compile_graph(ant_graph)(state)
    for function in (module.compute_reward_from_state, script(module.compute_reward_from_state)):
        total, components = function(state)
        assert torch.equal(total, wanted)
        assert all(torch.equal(components[key], parts[key]) for key in parts)


def test_constants_can_be_changed_by_the_caller(ant_module, tmp_path):
    module = load(ant_module, tmp_path)
    assert module.forward_weight == 1.5
    state = ant_state(9)
    _, plain = module.compute_reward(**state)
    _, doubled = script(module.compute_reward)(**state, forward_weight=3.0)
    assert torch.equal(doubled["forward"], 2.0 * plain["forward"])


def test_follows_the_device_of_its_inputs(tmp_path):
    nodes = [
        {"op": "full", "args": [[{"batch": 1}], 2.0], "kwargs": {"dtype": {"dtype": "float32"}}},
        {"op": "tensor", "args": [[1.0, 2.0, 3.0], [3]], "kwargs": {"dtype": {"dtype": "float32"}}},
        {"op": "mv", "args": [A, {"node": 1}]},
        {"op": "add.Tensor", "args": [{"node": 0}, {"node": 2}]},
    ]
    module = load(export(graph(nodes, {"sum": {"node": 3}}, inputs=["a"])), tmp_path)
    total, _ = module.compute_reward(torch.empty(5, 3, device="meta"))
    assert total.device.type == "meta"
    assert total.shape == (5,)


@pytest.mark.process
def test_runs_without_eureka(ant_module, tmp_path):
    """In another process that cannot import us, and with our folder out of sight."""
    (tmp_path / "reward.py").write_text(ant_module, encoding="utf-8")
    shapes = {field.name: field.shape for field in ANT_FIELDS}
    code = f"""
import sys, warnings
sys.modules["eureka"] = None
warnings.simplefilter("ignore")
sys.path.insert(0, {str(tmp_path)!r})
import reward, torch
state = {{name: torch.ones(4, *shape) for name, shape in {shapes!r}.items()}}
total, components = torch.jit.script(reward.compute_reward_from_state)(state)
assert torch.equal(total, reward.compute_reward(**state)[0])
print(tuple(total.shape), list(components))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("(4,) ['forward', 'posture'")


# ---------------------------------------------------------------------------------------------- how it is folded


def body(text: str) -> str:
    """The statements of `compute_reward`, without its docstring."""
    function = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef))
    return "\n".join(ast.unparse(statement) for statement in function.body[1:])


def test_single_uses_are_folded_and_names_are_kept():
    nodes = [
        {"op": "sub.Tensor", "args": [A, B]},
        {"op": "linalg_vector_norm", "args": [{"node": 0}, 2, [-1]], "name": "distance"},
        {"op": "mul.Tensor", "args": [{"node": 1}, {"constant": "slope", "negative": True}]},
        {"op": "exp", "args": [{"node": 2}]},
        {"op": "neg", "args": [{"node": 1}]},
        {"op": "add.Tensor", "args": [{"node": 3}, {"node": 4}]},
    ]
    text = graph(nodes, {"near": {"node": 3}, "way to go": {"node": 4}}, total={"node": 5}, constants={"slope": 2.0})
    assert body(export(text)).splitlines() == [
        "distance = torch.linalg.vector_norm(a - b, dim=-1)",
        "near = torch.exp(-slope * distance)",
        "way_to_go = -distance",
        "total = near + way_to_go",
        "components: Dict[str, torch.Tensor] = {'near': near, 'way to go': way_to_go}",
        "return (total, components)",
    ]


def test_a_variable_that_is_assigned_again_is_one_sum():
    nodes = [
        {"op": "add.Tensor", "args": [S, 1.0], "name": "total"},
        {"op": "mul.Tensor", "args": [S, 2.0]},
        {"op": "add.Tensor", "args": [{"node": 0}, {"node": 1}], "name": "total"},
        {"op": "exp", "args": [{"node": 2}]},
        {"op": "sub.Tensor", "args": [{"node": 2}, {"node": 3}], "name": "total"},
    ]
    written = body(export(graph(nodes, {"total": {"node": 4}})))
    assert written.splitlines()[:2] == ["total = s + 1.0 + 2.0 * s", "total_2 = total - torch.exp(total)"]


def test_parts_of_parts_are_one_subscript():
    nodes = [
        {"op": "slice.Tensor", "args": [{"input": "q"}, 1, 0, 2]},
        {"op": "select.int", "args": [{"node": 0}, -1, -1]},
        {"op": "select.int", "args": [{"input": "q"}, 2, 0]},
        {"op": "select.int", "args": [{"node": 2}, 1, 1]},
        {"op": "unbind.int", "args": [{"input": "r"}, -2]},
        {"op": "select.int", "args": [{"node": 4, "item": 2}, 1, 0]},
        {"op": "select.int", "args": [{"node": 0}, 1, 0]},
    ]
    values = {key: {"node": index} for key, index in (("ab", 1), ("cd", 3), ("ef", 5), ("gh", 6))}
    written = body(export(graph(nodes, values)))
    for part in ("q[:, :2, -1]", "q[:, 1, 0]", "r[:, 2, 0]", "q[:, :2][:, 0]"):
        assert part in written


def test_where_takes_plain_numbers_only_where_types_and_shapes_stay(tmp_path):
    fill = {"op": "full", "args": [[{"batch": 1}, 3], 5]}
    single = {"op": "scalar_tensor", "args": [0.1]}
    kinds = ({"dtype": "float32"}, {"dtype": "float64"}, {"dtype": "int64"})
    nodes = [{**node, "kwargs": {"dtype": kind}} for node in (fill, single) for kind in kinds[:2]]
    nodes += [
        {"op": "gt.Scalar", "args": [S, 0]},
        {"op": "unsqueeze", "args": [{"node": 4}, -1]},
        {"op": "where.self", "args": [M, {"node": 0}, {"node": 2}], "name": "both"},
        {"op": "where.self", "args": [M, {"node": 1}, {"node": 2}], "name": "double"},
        {"op": "where.self", "args": [{"node": 5}, {"node": 0}, {"node": 2}], "name": "wider"},
        {"op": "where.self", "args": [M, {"node": 2}, {"input": "i"}], "name": "integer"},
        {"op": "where.self", "args": [M, A, {"node": 2}], "name": "one"},
    ]
    text = graph(nodes, {name: {"node": 6 + k} for k, name in enumerate(("u", "v", "w", "x", "y"))})
    written = export(text)
    assert "both = torch.where(m, 5.0, 0.1)" in written
    assert "one = torch.where(m, a, 0.1)" in written
    assert "wider = torch.where(mask.unsqueeze(-1), 5.0" not in written
    assert_same(text, load(written, tmp_path), [batch(5)])


def test_long_expressions_are_cut_and_laid_out(tmp_path):
    """A sum of 40 terms, a nest of 60 functions, a stack of 100 values; bitwise in the same order."""
    nodes: list[dict] = [{"op": "select.int", "args": [A, 1, 0]}]
    for k in range(40):
        nodes.append({"op": "mul.Tensor", "args": [S, 0.1 * (k - 3)]})
        nodes.append({"op": "add.Tensor", "args": [{"node": len(nodes) - 2}, {"node": len(nodes) - 1}]})
    first = len(nodes) - 1
    nodes += [{"op": ("tanh", "abs", "neg", "sin")[k % 4], "args": [{"node": first + k}]} for k in range(60)]
    second = len(nodes) - 1
    nodes.append({"op": "stack", "args": [[{"node": 1}] * 50 + [{"node": second}] + [S] * 49, 1]})
    nodes.append({"op": "sum.dim_IntList", "args": [{"node": second + 1}, [1]]})
    values = [k / 7 for k in range(200)]
    nodes.append({"op": "tensor", "args": [values, [200]], "kwargs": {"dtype": {"dtype": "float32"}}})
    nodes.append({"op": "sum", "args": [{"node": second + 3}]})
    nodes.append({"op": "add.Tensor", "args": [{"node": second + 2}, {"node": second + 4}]})
    text = graph(nodes, {"terms": {"node": first}, "nest": {"node": second}, "end": {"node": len(nodes) - 1}})
    written = export(text)
    assert max(map(len, written.splitlines())) <= 100
    assert_same(text, load(written, tmp_path), [batch(4)])


CHAINS = {
    "functions": {"op": "neg", "args": [None]},
    "slices": {"op": "slice.Tensor", "args": [None, 0, 0]},
    "splits": {"op": "split.Tensor", "args": [None, 10_000]},
    "sums": {"op": "add.Tensor", "args": [None, 1.0]},
}


@pytest.mark.parametrize("name", CHAINS)
def test_the_longest_graphs(name, tmp_path):
    """800 operations, each on the one before: no expression nests too deep for Python."""
    node = CHAINS[name]
    item = {"item": 0} if name == "splits" else {}
    chain = [{**node, "args": [{"node": k - 1, **item} if k else S, *node["args"][1:]]} for k in range(800)]
    text = graph(chain, {"end": {"node": 799, **item}})
    state = batch(3)
    total, _ = load(export(text), tmp_path).compute_reward(*state.values())
    assert torch.equal(total, compile_graph(text)(state)[0])


@pytest.mark.parametrize("seed", range(6))
def test_long_names_are_laid_out(seed, tmp_path):
    """Operators of every precedence over names of 60 characters."""
    generator = torch.Generator().manual_seed(seed)
    nodes: list[dict] = [{"op": "neg", "args": [S], "name": "y" * 60}, {"op": "abs", "args": [S], "name": "z" * 60}]
    nodes.append({"op": "mul.Tensor", "args": [{"node": 0}, {"constant": "k" * 64, "negative": True}]})
    usable = [0, 1, 2]
    ops = ["add.Tensor", "sub.Tensor", "mul.Tensor", "div.Tensor", "remainder.Tensor", "pow.Tensor_Scalar", "atan2"]
    ops += ["neg", "clamp", "gt.Tensor"]
    for _ in range(60):
        op = ops[int(torch.randint(len(ops), (), generator=generator))]
        recent = usable[-4:]
        x, y = ({"node": recent[int(k)]} for k in torch.randint(len(recent), (2,), generator=generator))
        args = {"neg": [x], "clamp": [x, -1.0, 1.0], "pow.Tensor_Scalar": [x, 2]}.get(op, [x, y])
        nodes.append({"op": op, "args": args})
        if op == "gt.Tensor":
            cast = {"dtype": {"dtype": "float32"}}
            nodes.append({"op": "_to_copy", "args": [{"node": len(nodes) - 1}], "kwargs": cast})
        usable.append(len(nodes) - 1)
    text = graph(nodes, {"w" * 60: {"node": usable[-1]}}, constants={"k" * 64: 0.5})
    written = export(text)
    assert max(map(len, written.splitlines())) <= 100
    assert_same(text, load(written, tmp_path), [batch(4)])


# ---------------------------------------------------------------------------------------------- refusals


def test_a_graph_of_another_task_is_refused():
    text = graph([{"op": "neg", "args": [{"input": "speed"}]}], {"x": {"node": 0}}, inputs=["speed"])
    with pytest.raises(EurekaError, match=r"g01-c02 reads 'speed', which is no field of the State of task demo"):
        export(text)


@pytest.mark.parametrize("text", ["", "{}", graph([{"op": "mm", "args": [A, A]}], {"x": {"node": 0}})])
def test_what_is_no_graph_is_refused(text):
    with pytest.raises(EurekaError, match=r"the reward graph of g01-c02 cannot be exported: "):
        export(text)
