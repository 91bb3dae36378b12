"""Takes candidates through the sandbox and the checks: `Candidate -> Reward | Rejected`."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import torch

from eureka.core.text import clean
from eureka.core.types import Candidate, FieldSpec, Rejected, Reward, Stage
from eureka.reward.graph.format import Graph, GraphError, format_graph
from eureka.reward.graph.operations import DTYPES
from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.runtime import KERNEL_ERRORS
from eureka.reward.graph.shapes import Problem, check_shapes
from eureka.reward.graph.verify import ROWS, EagerRun
from eureka.reward.trace import trial
from eureka.reward.trace.explain import FILENAME
from eureka.reward.trace.wire import Parcel, WireError, request, unpack
from eureka.sandbox import Failed, Finished

# : Targets that run in the sandbox, each in a fresh process: candidates, and their graphs.
TRACE = "eureka.reward.trace.child:trace"
TRIAL = "eureka.reward.trace.trial:trial"
# : The zygote's preload function.
PRELOAD = "eureka.reward.trace.warm_up:warm_up"
MIN_TRANSITIONS = 128
MAX_ROWS = 1 << 14

# : Descriptions of graphs that gave no answer.
BROKE = {
    "timeout": "it does not finish in time",
    "memory": "it uses too much memory",
    "output": "it breaks its process",
    "killed": "it breaks its process",
    "error": "it breaks off",
}
_FAILED = {
    "timeout": "it did not finish in time: look for a loop that never ends, or records thousands of operations",
    "memory": "it used too much memory: make its tensors smaller",
    "output": "it answered with too much data",
    "error": "it broke off",
}


class Runner(Protocol):
    """The part of `eureka.sandbox.Sandbox` that is used here."""

    def run(self, target: str, payload: bytes) -> Finished | Failed:
        """Run `module:function` on bytes in a fresh confined process."""
        ...


class RewardVerifier:
    """Traces candidates in the sandbox and verifies the graphs that come back.

    `transitions` are recorded State fields, `(rows, ...)` each and terminal ones included: rewards must be finite on
    them and agree with the candidate's Python code. At least `MIN_TRANSITIONS` rows.

    `num_rows` is the number of rows on which a training calls a reward at once, environments times steps of a rollout.
    Graphs are tested and their cost is measured on as many, but at most `MAX_ROWS`.
    """

    def __init__(
        self,
        fields: tuple[FieldSpec, ...],
        transitions: Mapping[str, torch.Tensor],
        sandbox: Runner,
        num_rows: int = ROWS,
    ) -> None:
        rows = {value.shape[0] for value in transitions.values()}
        if len(rows) != 1 or min(rows) < MIN_TRANSITIONS:
            raise ValueError(f"transitions need one number of rows, {MIN_TRANSITIONS} or more, not {sorted(rows)}")
        for field in fields:
            value = transitions[field.name]
            if tuple(value.shape[1:]) != field.shape or value.dtype != DTYPES[field.dtype]:
                raise ValueError(f"transitions: {field.name} has shape {tuple(value.shape)} and type {value.dtype}")
        self._fields = fields
        self._sandbox = sandbox
        self._num_rows = min(num_rows, MAX_ROWS)
        # Torch imports its meta kernels at their first use, which takes about a second; better here than in the first
        # `verify`.
        torch.empty(1, device="meta").neg()
        # Two batches of different sizes, with rows from the whole recording.
        batch = torch.arange(rows.pop()) % 5 < 3
        self._batches = [{name: value[mask].cpu() for name, value in transitions.items()} for mask in (batch, ~batch)]

    def verify_all(self, candidates: Sequence[Candidate]) -> list[Reward | Rejected]:
        """`verify` for each candidate, as many at a time as there are cores; results in the order of the candidates."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(self.verify, candidates))

    def verify(self, candidate: Candidate) -> Reward | Rejected:
        """The candidate's reward graph, or the reason why it was rejected."""
        problem = self._check_inputs(candidate)
        if problem is not None:
            return _rejected(candidate, Stage.TRACE, problem)
        states = [{name: batch[name] for name in candidate.inputs} for batch in self._batches]
        answer = self._sandbox.run(
            TRACE, request(candidate.source, candidate.inputs, states[0], states[1], self._num_rows)
        )
        if isinstance(answer, Failed):
            return _rejected(candidate, Stage.TRACE, _failed(answer))
        try:
            parcel = unpack(answer.output)
            if parcel.body.get("ok") is not True:
                return _rejected(candidate, Stage.TRACE, _reported(parcel.body))
            graph = parse_graph(str(parcel.body.get("graph")))
            if graph.inputs != candidate.inputs:
                raise GraphError("the inputs are not the candidate's")
            runs = [
                EagerRun(state, *_eager(parcel, which, len(graph.components), next(iter(state.values())).shape[0]))
                for which, state in zip(("first", "second"), states, strict=True)
            ]
        except (WireError, GraphError) as error:
            return _rejected(candidate, Stage.VERIFY, Problem(f"its traced graph is not valid: {error}"))
        uneven = parcel.body.get("uneven")
        problem = self._try(graph, runs) or (_reported(uneven) if isinstance(uneven, dict) else None)
        if problem is not None:
            return _rejected(candidate, Stage.VERIFY, problem)
        return Reward(candidate.id, format_graph(graph), tuple(c.name for c in graph.components))

    def _try(self, graph: Graph, runs: Sequence[EagerRun]) -> Problem | None:
        """Run the graph for the first time, in a separate process, and derive its shapes again in this one."""
        answer = self._sandbox.run(TRIAL, trial.request(format_graph(graph), self._fields, runs, self._num_rows))
        if isinstance(answer, Failed):
            return Problem(f"its traced graph cannot be run: {BROKE[answer.kind]}", "Write it in simpler operations.")
        try:
            return trial.verdict(answer.output) or check_shapes(graph, self._fields)
        except (WireError, *KERNEL_ERRORS) as error:
            return Problem(f"its traced graph does not run: {error}")

    def _check_inputs(self, candidate: Candidate) -> Problem | None:
        names = [field.name for field in self._fields]
        for name in candidate.inputs:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"Did you mean {near[0]}? " if near else ""
                return Problem(f"the state has no field {name!r}", f"{hint}Its fields are {', '.join(names)}.")
        if not candidate.inputs:
            return Problem("compute_reward has no parameters", f"Name the state's fields: {', '.join(names)}.")
        return None


def _failed(answer: Failed) -> Problem:
    """The problem of a process that gave no answer; for a crash, with the last line of the candidate that ran."""
    if answer.kind != "killed":
        return Problem(_FAILED[answer.kind] + (f" ({answer.detail})" if answer.kind == "error" else ""))
    found = re.search(rf'File "{re.escape(FILENAME)}", line (\d{{1,6}})\b', answer.trace)
    what = answer.detail.removeprefix("The code ").removesuffix(".")
    return Problem(f"it {what}", "Write this in other operations of torch.", int(found[1]) if found else None)


def _eager(parcel: Parcel, which: str, components: int, rows: int) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    values = []
    for name in ("total", *map(str, range(components))):
        value = parcel.tensors.get(f"{which}/{name}")
        if value is None or value.shape != (rows,) or value.dtype != torch.float32:
            raise WireError(f"the eager result {which}/{name} is missing or has the wrong form")
        values.append(value)
    return values[0], tuple(values[1:])


def _reported(body: Mapping[str, Any]) -> Problem:
    """The failure that the child reported; its text is untrusted."""
    line = body.get("line")
    message, remedy = (" ".join(str(body.get(key) or "").split()) for key in ("message", "remedy"))
    return Problem(message or "it failed without a word", remedy, line if type(line) is int else None)


def _rejected(candidate: Candidate, stage: Stage, problem: Problem) -> Rejected:
    lines = candidate.source.splitlines()
    where = code = ""
    if problem.line is not None and problem.line <= len(lines):
        where = f"line {problem.line}: "
        code = f"`{clean(lines[problem.line - 1].strip(), 200)}`: "
    reason = f"{where}{problem.message}."
    feedback = f"{where}{code}{problem.message}. {problem.remedy}".strip()
    return Rejected(candidate.id, stage, reason, feedback)
