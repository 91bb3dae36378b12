"""Examines rewards in confined processes, the only place where a model-written graph is evaluated.

`examine` is a target for the sandbox. Its answer comes from a process that may have evaluated a hostile graph, so it is
read as strictly as an answer of a candidate's own code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from eureka.core.diagnosis import Diagnosis
from eureka.core.errors import SandboxUnavailable
from eureka.core.serialize import DecodeError, dumps, loads
from eureka.reward.analysis.analyse import Analysis, analyse
from eureka.reward.analysis.behaviour import Behaviour
from eureka.reward.analysis.fingerprint import BLOCKS, Fingerprint, Fingerprints
from eureka.reward.analysis.parameters import RewardConstant
from eureka.reward.analysis.ranking import Ranking, rank
from eureka.reward.analysis.structure import structure
from eureka.reward.analysis.trajectory import Trajectory
from eureka.reward.graph.format import Graph
from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.runtime import compile_graph
from eureka.reward.graph.shapes import Problem
from eureka.reward.graph.verify import check_finite
from eureka.reward.trace.service import Runner
from eureka.reward.trace.wire import WireError, pack, unpack
from eureka.sandbox import Failed, Limits, Sandbox

EXAMINE = "eureka.reward.analysis.confined:examine"
PRELOAD = "eureka.reward.analysis.warm_up:warm_up"
"""The zygote's preload function, for candidates and for examinations of their graphs."""
LIMITS = Limits(wall_s=10.0, cpu_s=10, memory_bytes=1 << 30)
"""A candidate is traced in a tenth of a second at a few dozen environments: these leave room for slow machines."""


@dataclass(frozen=True)
class Examination:
    """The result of examining a reward on the recorded transitions.

    `diagnoses` and `ranking` are as in `Analysis`, whose other parts are present if requested. With a `problem` (a
    non-finite value on a recorded transition), only the fingerprint is present.
    """

    fingerprint: Fingerprint
    problem: Problem | None
    diagnoses: tuple[Diagnosis, ...]
    ranking: Ranking | None
    analysis: Analysis | None


class Examiner:
    """Examines rewards on one set of recorded transitions, each reward once.

    Args:
        sandbox: sandbox in which graphs are evaluated.
        state: recorded transitions, (num, ...) for every field of the task's State.
        trajectories: if given, rewards are ranked on them.
        gamma: the trainer's discount per control step.
    """

    def __init__(
        self,
        sandbox: Runner,
        state: Mapping[str, torch.Tensor],
        trajectories: Sequence[Trajectory] = (),
        gamma: float = 0.99,
    ) -> None:
        self.state = state
        self._sandbox = sandbox
        self._trajectories = trajectories
        self._gamma = gamma
        self._seen: dict[tuple[str, bool], Examination | Failed] = {}

    def with_trajectories(self, trajectories: Sequence[Trajectory], gamma: float) -> Examiner:
        """A copy of this examiner that also ranks rewards on these trajectories."""
        return Examiner(self._sandbox, self.state, trajectories, gamma)

    def examine(self, graph: str, *, thorough: bool = False) -> Examination | Failed:
        """Examine a reward on the recorded transitions; a `Failed` if it crashed its process.

        `thorough` adds the whole analysis.

        Raises:
            GraphError: the text is not a graph.
            SandboxError: the sandbox itself failed.
        """
        key = (graph, thorough)
        if key not in self._seen:
            self._seen[key] = self._examine(graph, thorough)
        return self._seen[key]

    def totals(self, graph: str) -> list[float]:
        """The reward's total on every recorded transition; empty if the reward crashed its process."""
        seen = self.examine(graph)
        found: list[float] = [] if isinstance(seen, Failed) else seen.fingerprint.values[0].tolist()
        return found

    def _examine(self, graph: str, thorough: bool) -> Examination | Failed:
        parsed = parse_graph(graph)
        inputs = parsed.inputs
        missing = [name for name in inputs if name not in self.state]
        if missing:
            return Failed("error", f"the state has no field {missing[0]}")
        tensors = {f"state/{name}": self.state[name] for name in inputs}
        for number, trajectory in enumerate(self._trajectories):
            tensors |= {f"{number}/{name}": trajectory.state[name] for name in inputs}
        body = {
            "graph": graph,
            "names": sorted(self.state),
            "trajectories": [[t.kind, t.score, t.terminated] for t in self._trajectories],
            "gamma": self._gamma,
            "thorough": thorough,
        }
        answer = self._sandbox.run(EXAMINE, pack(body, tensors))
        if isinstance(answer, Failed):
            return answer
        try:
            return _read(answer.output, parsed, next(iter(self.state.values())).shape[0], thorough)
        except (WireError, DecodeError) as error:
            return Failed("error", f"its answer cannot be read: {error}")


@contextmanager
def confined_graphs() -> Iterator[Sandbox]:
    """A sandbox for verified graphs only.

    If this machine cannot confine a process, the boundary is the graphs' table of allowed operations and a process
    without keys, as for training workers.
    """
    sandbox = Sandbox(preload=PRELOAD, limits=LIMITS)
    try:
        sandbox.start()
    except SandboxUnavailable:
        sandbox.close()
        sandbox = Sandbox(preload=PRELOAD, limits=LIMITS, mode="unsafe")
    with sandbox:
        yield sandbox


# ---- in the confined process -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Answer:
    """The answer of `examine`, with the totals as tensors; the last fields are only set by a thorough examination."""

    problem: Problem | None
    diagnoses: tuple[Diagnosis, ...] = ()
    ranking: Ranking | None = None
    total: Behaviour | None = None
    components: Mapping[str, Behaviour] | None = None
    parameters: tuple[RewardConstant, ...] = ()


def examine(payload: bytes) -> bytes:
    """Evaluate a graph on recorded and on other states; the answer is for `Examiner`."""
    parcel = unpack(payload)
    body, reward = parcel.body, compile_graph(str(parcel.body["graph"]))
    state = {name: parcel.tensors[f"state/{name}"] for name in reward.inputs}
    trajectories = [
        Trajectory(kind, {name: parcel.tensors[f"{number}/{name}"] for name in reward.inputs}, score, terminated)
        for number, (kind, score, terminated) in enumerate(body["trajectories"])
    ]
    fingerprint = Fingerprints(state, body["names"]).of(reward)
    problem = check_finite(reward, state)
    if problem is not None:
        found = _Answer(problem)
    elif body["thorough"]:
        found = _whole(analyse(reward, state, trajectories, body["gamma"]))
    else:
        diagnoses = analyse(reward, state, with_parameters=False).diagnoses
        ranking = rank(reward, trajectories, body["gamma"]) if trajectories else None
        found = _Answer(None, diagnoses, ranking)
    return pack({"answer": dumps(found)}, {"totals": fingerprint.values})


def _whole(analysis: Analysis) -> _Answer:
    return _Answer(
        problem=None,
        diagnoses=analysis.diagnoses,
        ranking=analysis.ranking,
        total=analysis.total,
        components=analysis.components,
        parameters=analysis.parameters,
    )


# ---- its answer, read ------------------------------------------------------------------------------------------------


def _read(answer: bytes, graph: Graph, rows: int, thorough: bool) -> Examination:
    parcel = unpack(answer)
    found = loads(_Answer, _text(parcel.body.get("answer")))
    totals = parcel.tensors.get("totals")
    if totals is None or totals.shape != (BLOCKS, rows) or totals.dtype != torch.float64:
        raise WireError("the totals are missing or have the wrong form")
    known = {"", *graph.inputs, *(c.name for c in graph.components), *(node.name for node in graph.nodes)}
    lines, fields = {None, *(node.line for node in graph.nodes)}, set(graph.inputs)
    for diagnosis in found.diagnoses:
        if diagnosis.component not in known or diagnosis.line not in lines or not fields.issuperset(diagnosis.fields):
            raise WireError("a diagnosis is about nothing that the reward has")
    analysis = None
    if thorough and found.problem is None:
        form = structure(graph)
        if found.total is None or found.components is None or found.components.keys() != form.entries.keys():
            raise WireError("the analysis is not complete")
        analysis = Analysis(form, found.total, found.components, found.parameters, found.ranking, found.diagnoses)
    return Examination(Fingerprint(totals), found.problem, found.diagnoses, found.ranking, analysis)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise WireError("not the answer to an examination")
    return value
