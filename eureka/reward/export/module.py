"""Lays out the standalone reward module: head, constants, `compute_reward`, `compute_reward_from_state`.

All code in the module is generated here. Untrusted content only occurs as checked identifiers, as numbers, and as
escaped text inside string literals (`eureka.reward.export.text`): names of components, descriptions, provenance.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from eureka.core.errors import EurekaError
from eureka.core.types import FieldSpec
from eureka.reward.export.fold import Body, fold
from eureka.reward.export.syntax import layout, name, number, source
from eureka.reward.export.text import docstring, literals, paragraph
from eureka.reward.graph.format import Graph, GraphError
from eureka.reward.graph.parse import parse_graph

_RESULT = "Tuple[torch.Tensor, Dict[str, torch.Tensor]]"
_NEEDS = "It needs torch only"


def export_reward(
    *, graph: str, task: str, candidate_id: str, fields: Sequence[FieldSpec], provenance: Mapping[str, str]
) -> str:
    """The text of a Python module that computes what `eureka.reward.graph.runtime.compile_graph(graph)` computes.

    It needs torch and nothing else, compiles under `torch.jit.script` as it stands, works for any number of
    environments on the device of its inputs, and keeps the names of the candidate's variables, constants and
    components. Bitwise equal to the graph on the CPU, with torch's default types as they are.

    `fields` are the task's State fields, `provenance` any further facts for its head (scores, `metric access`,
    `sandbox: unsafe`), one line each in their order. The text depends on the arguments alone.

    Raises `EurekaError` for a text that is not a reward graph, or a graph that does not fit the fields.
    """
    specs = {field.name: field for field in fields}
    try:
        parsed = parse_graph(graph)
        missing = [field for field in parsed.inputs if field not in specs]
        if missing:
            raise EurekaError(
                f"the reward of {candidate_id} reads {missing[0]!r}, which is no field of the State of task {task}; "
                "export it with the task it was found on"
            )
        body = fold(parsed, fields)
    except GraphError as error:
        raise EurekaError(f"the reward graph of {candidate_id} cannot be exported: {error}") from error
    parts = [_body(parsed, body, specs), _from_state(parsed)]
    code = "\n".join(line for part in parts for line in part)
    names = _names(task, parsed)
    head = [*_head(task, candidate_id, provenance), *_imports(code), *names, *_constants(parsed, body)]
    text = "\n".join(head) + "\n" + code + "\n"
    try:
        compile(text, "reward.py", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise EurekaError(
            f"the reward of {candidate_id} was written as invalid Python (line {error.lineno}: {error.msg}); "
            "please report this with its graph.json"
        ) from error
    return text


def module_parts(module: str) -> tuple[str, str]:
    """An exported module in two parts: what its docstring says about the reward (not what the module needs), as
    written, and the code after it."""
    lines, docstring_end = module.splitlines(), ast.parse(module).body[0].end_lineno
    head = "\n".join(lines[:docstring_end]).removeprefix('"""').removesuffix('"""')
    return head.partition(_NEEDS)[0].strip(), "\n".join(lines[docstring_end:]).strip()


def _head(task: str, candidate_id: str, provenance: Mapping[str, str]) -> list[str]:
    facts = {"Task": task, "Candidate": candidate_id, **provenance}
    return docstring(
        [
            "A reward function that Eureka found, written from its verified graph.",
            "",
            *(line for key, value in facts.items() for line in paragraph(f"{key}: {value}", 0, 4)),
            "",
            f"{_NEEDS} and compiles under `torch.jit.script`.",
        ]
    )


def _imports(code: str) -> list[str]:
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    return [
        "",
        *(["import math"] if "math" in used else []),
        f"from typing import Dict, {'List, ' if 'List' in used else ''}Tuple",
        "",
        "import torch",
        *(["import torch.nn.functional as F"] if "F" in used else []),
        "",
    ]


def _strings(prefix: str, texts: Sequence[str]) -> list[str]:
    """The lines of a tuple of strings."""
    parts = [literals(text, 90) for text in texts]
    flat = f"{prefix}({', '.join(' '.join(part) for part in parts)}{',' if len(parts) == 1 else ''})"
    if len(flat) <= 100 and all(len(part) == 1 for part in parts):
        return [flat]
    lines = [f"{prefix}("]
    for part in parts:
        lines += [f"    {piece}" for piece in part]
        lines[-1] += ","
    return [*lines, ")"]


def _string(prefix: str, text: str) -> list[str]:
    """The lines of one string, in brackets if it takes several."""
    first, *further = literals(text, 90 - len(prefix))
    if not further:
        return [prefix + first]
    return [f"{prefix}(", *(f"    {piece}" for piece in (first, *further)), ")"]


def _names(task: str, graph: Graph) -> list[str]:
    return [
        "# The task, the State fields that it reads, in the order of the parameters, and its components.",
        *_string("TASK: str = ", task),
        *_strings("INPUTS: Tuple[str, ...] = ", graph.inputs),
        *_strings("COMPONENTS: Tuple[str, ...] = ", [c.name for c in graph.components]),
    ]


def _constants(graph: Graph, body: Body) -> list[str]:
    if not graph.constants:
        return ["", ""]
    lines = [
        f"{body.constants[key]}: {type(value).__name__} = {source(number(value))}"
        for key, value in graph.constants.items()
    ]
    comment = "# Constants: parameters with these defaults, because TorchScript reads no numbers of the module."
    return ["", comment, *lines, "", ""]


def _body(graph: Graph, body: Body, specs: Mapping[str, FieldSpec]) -> list[str]:
    lines = ["def compute_reward("]
    lines += [f"    {body.parameters[field]}: torch.Tensor," for field in graph.inputs]
    for key, value in graph.constants.items():
        constant = body.constants[key]
        lines += layout(f"{constant}: {type(value).__name__} = ", name(constant), ",", 4)
    lines += [f") -> {_RESULT}:", *_documentation(graph, body, specs)]
    statements = [line for s in body.statements for line in layout(f"{s.target} = ", s.value, "", 4)]
    parts: list[str] = []
    for component, written in zip(graph.components, body.components, strict=True):
        *before, key = literals(component.name, 80)
        pieces = [f"{' ' * 8}{piece}" for piece in before]
        parts += [*pieces, *layout(f"{key}: ", written, ",", 8)]
    final = ["    components: Dict[str, torch.Tensor] = {", *parts, "    }"]
    used = {n.id for s in body.statements for n in ast.walk(s.value) if isinstance(n, ast.Name)}
    used |= {n.id for written in body.components for n in ast.walk(written) if isinstance(n, ast.Name)}
    first = body.parameters[graph.inputs[0]]
    setup = [f"    {body.num_envs} = {first}.shape[0]"] if body.num_envs in used else []
    setup += [f"    {body.device} = {first}.device"] if body.device in used else []
    return [*lines, *setup, *statements, *final, f"    return {source(body.total)}, components"]


def _documentation(graph: Graph, body: Body, specs: Mapping[str, FieldSpec]) -> list[str]:
    lines = ["The total reward and its components, each of shape (num_envs,).", "", "    Args:"]
    for field in graph.inputs:
        spec = specs[field]
        shape = ", ".join(["num_envs", *map(str, spec.shape)]) + ("" if spec.shape else ",")
        facts = [f"({shape})", *([spec.dtype] if spec.dtype != "float32" else [])]
        facts += ["dimensionless" if spec.unit == "1" else spec.unit] if spec.unit else []
        facts += [f"{spec.frame} frame"] if spec.frame else []
        description = f"; {spec.description}" if spec.description else ""
        lines += paragraph(f"{body.parameters[field]}: {', '.join(facts)}{description}", 8, 4)
    return docstring(lines, 4)


def _from_state(graph: Graph) -> list[str]:
    lines = ["", "", "def compute_reward_from_state(", "    state: Dict[str, torch.Tensor],", f") -> {_RESULT}:"]
    lines.append('    """The same from a dictionary of State fields; fields that are not read may be there."""')
    arguments = ast.Call(
        name("compute_reward"), [ast.Subscript(name("state"), ast.Constant(field)) for field in graph.inputs], []
    )
    return [*lines, *layout("return ", arguments, "", 4)]
