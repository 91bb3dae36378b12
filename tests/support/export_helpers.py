"""Graphs, exported modules and their comparison, shared by the tests of export."""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from eureka.core.types import FieldSpec
from eureka.reward.export import export_reward
from eureka.reward.graph.runtime import compile_graph

FIELDS = (
    FieldSpec("a", (3,), "float32", "m", "world", "a vector"),
    FieldSpec("b", (3,), "float32", "m", "world", "another"),
    FieldSpec("c", (3,), "float32", "m", "world", "a third"),
    FieldSpec("s", (), "float32", "", "", ""),
    FieldSpec("m", (3,), "bool", "", "", ""),
    FieldSpec("i", (3,), "int64", "", "", ""),
    FieldSpec("q", (3, 3), "float32", "", "", ""),
    FieldSpec("r", (3, 3), "float32", "", "", ""),
)


def batch(num_envs: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """A state with every field; positive and negative values, ties and zeros."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for field in FIELDS:
        value = torch.randn((num_envs, *field.shape), generator=generator)
        state[field.name] = (
            value > 0 if field.dtype == "bool" else (value * 3).long() if field.dtype == "int64" else value
        )
    return state


def graph(
    nodes: Sequence[Mapping[str, Any]],
    components: Mapping[str, Any],
    *,
    inputs: Sequence[str] = ("a", "b", "c", "s", "m", "i", "q", "r"),
    constants: Mapping[str, float] | None = None,
    total: Mapping[str, Any] | None = None,
) -> str:
    """The JSON text of a graph; the total is the first component unless said otherwise."""
    document = {
        "version": 1,
        "inputs": list(inputs),
        "constants": dict(constants or {}),
        "nodes": list(nodes),
        "total": total or next(iter(components.values())),
        "components": [{"name": key, "value": value} for key, value in components.items()],
    }
    return json.dumps(document)


def export(text: str, fields: Sequence[FieldSpec] = FIELDS, **provenance: str) -> str:
    """The module's text."""
    return export_reward(graph=text, task="demo", candidate_id="g01-c02", fields=fields, provenance=provenance)


def load(text: str, folder: Path) -> ModuleType:
    """Imports a module's text; from a file, because TorchScript reads it."""
    path = folder / "exported_reward.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("exported_reward", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def script(function: Callable[..., Any]) -> Callable[..., Any]:
    """`torch.jit.script`, which says that it is deprecated; IsaacGymEnvs tasks use it all the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(function)


def assert_same(
    text: str, module: ModuleType, states: Sequence[Mapping[str, torch.Tensor]], exact: bool = True
) -> None:
    """Compares the graph, the module and the scripted module, types and order included; bitwise if `exact`."""
    # The second and third calls of a scripted function run what the first one's profile made of it.
    functions = [module.compute_reward, *[script(module.compute_reward)] * 3]
    reward = compile_graph(text)
    for state in states:
        total, components = reward(state)
        for function in functions:
            got, parts = function(*[state[name] for name in module.INPUTS])
            assert list(parts) == list(components) == list(module.COMPONENTS)
            for value, wanted in [(got, total), *((parts[key], components[key]) for key in components)]:
                assert value.dtype == wanted.dtype
                assert value.shape == wanted.shape
                assert torch.allclose(value, wanted, rtol=0.0, atol=0.0 if exact else 1e-6, equal_nan=True)
