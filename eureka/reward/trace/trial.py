"""Runs a graph for the first time in a disposable process, so that a crash does not affect the trainer.

`trial` is a target for the sandbox. Only the host's own code runs in that child, on a graph that may be hostile.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch

from eureka.core.types import FieldSpec
from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.shapes import Problem
from eureka.reward.graph.verify import EagerRun, check
from eureka.reward.trace.wire import Parcel, WireError, pack, unpack

_RUNS = ("first", "second")


def request(graph: str, fields: Sequence[FieldSpec], runs: Sequence[EagerRun], rows: int) -> bytes:
    """The payload for `eureka.reward.trace.trial:trial`; two runs, and the number of rows on which a training calls a
    reward.
    """
    described = [[field.name, list(field.shape), field.dtype] for field in fields]
    tensors: dict[str, torch.Tensor] = {}
    for which, run in zip(_RUNS, runs, strict=True):
        tensors |= {f"{which}/state/{name}": value for name, value in run.state.items()}
        tensors[f"{which}/total"] = run.total
        tensors |= {f"{which}/{number}": value for number, value in enumerate(run.components)}
    return pack({"graph": graph, "fields": described, "rows": rows}, tensors)


def trial(payload: bytes) -> bytes:
    """`verify.check` on the graph and the runs in `payload`; the answer is for `verdict`."""
    parcel = unpack(payload)
    graph = parse_graph(parcel.body["graph"])
    fields = [FieldSpec(name, tuple(shape), dtype, "", "", "") for name, shape, dtype in parcel.body["fields"]]
    runs = [_run(parcel, which, graph.inputs, len(graph.components)) for which in _RUNS]
    problem = check(graph, fields, runs, parcel.body["rows"])
    return pack({"problem": None if problem is None else dataclasses.asdict(problem)}, {})


def verdict(answer: bytes) -> Problem | None:
    """The problem that a trial found, None if the graph passed.

    Raises:
        WireError: the answer is not a trial's.
    """
    body = unpack(answer).body
    if body.keys() != {"problem"}:
        raise WireError("not the answer of a trial")
    return None if body["problem"] is None else _problem(body["problem"])


def _problem(found: Any) -> Problem:
    if not isinstance(found, dict) or found.keys() != {"message", "remedy", "line"}:
        raise WireError("not a problem")
    message, remedy, line = found["message"], found["remedy"], found["line"]
    if not isinstance(message, str) or not isinstance(remedy, str) or not (line is None or type(line) is int):
        raise WireError("not a problem")
    return Problem(message, remedy, line)


def _run(parcel: Parcel, which: str, inputs: Sequence[str], components: int) -> EagerRun:
    state = {name: parcel.tensors[f"{which}/state/{name}"] for name in inputs}
    values = [parcel.tensors[f"{which}/{number}"] for number in range(components)]
    return EagerRun(state, parcel.tensors[f"{which}/total"], tuple(values))
