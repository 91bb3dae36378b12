"""The child side: the only code that runs a candidate's source. For use inside the sandbox only.

`trace` is a target for the sandbox. The request carries the source, the names of the inputs,
two recorded batches of the State of different sizes, and the number of rows of a training; the answer is a graph with
the eager outputs on both batches, or a failure with its line. The function is run eagerly (native errors first), twice
on one batch (randomness, counters), on the other batch, on one row and on a training's (other numbers of environments),
and is then recorded twice (`recorder`, `watch`) and lowered to one graph (`lower`).
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import Any

import torch

from eureka.reward.graph.format import format_graph
from eureka.reward.graph.verify import repeated, same_rows, stacked
from eureka.reward.trace.alone import alone
from eureka.reward.trace.explain import TraceFailure, explain
from eureka.reward.trace.indexing import SIZED
from eureka.reward.trace.lower import TraceRecording, lower
from eureka.reward.trace.memory import ModuleState
from eureka.reward.trace.record import Outputs, State, checked, record, small_batches
from eureka.reward.trace.recorder import Recorder
from eureka.reward.trace.source import Hooks, load
from eureka.reward.trace.wire import pack, unpack


def trace(payload: bytes) -> bytes:
    """Trace the candidate in `payload` (see `wire.request`); the answer is for `eureka.reward.trace.service`."""
    parcel = unpack(payload)
    source, inputs = str(parcel.body["source"]), tuple(parcel.body["inputs"])
    batches = [{name: parcel.tensors[f"{which}/{name}"] for name in inputs} for which in ("first", "second")]
    rows = int(parcel.body["rows"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with alone(), torch.no_grad():
                tracer = Tracer(source, inputs)
                graph, outputs = tracer.run(batches)
                uneven = tracer.uneven(batches[0], outputs[0], rows)
    # A candidate's code may raise any exception, which becomes the answer.
    except (Exception, TraceFailure, SystemExit) as error:  # noqa: BLE001
        return pack({"ok": False} | _described(explain(error)), {})
    tensors = {}
    for which, (total, components) in zip(("first", "second"), outputs, strict=True):
        tensors[f"{which}/total"] = total
        tensors |= {f"{which}/{number}": value for number, value in enumerate(components.values())}
    return pack({"ok": True, "graph": graph, "uneven": _described(uneven) if uneven else None}, tensors)


def _described(failure: TraceFailure) -> dict[str, Any]:
    return {"message": failure.message, "remedy": failure.remedy, "line": failure.line}


class Tracer:
    """One candidate: its eager runs, and its graph from two recordings."""

    def __init__(self, source: str, inputs: tuple[str, ...]) -> None:
        self._inputs = inputs
        self._recorder: Recorder | None = None
        self._loaded = load(source, Hooks(self._bind, lambda: self._recorder is not None))
        self._kept = ModuleState(self._loaded.module, source)

    def run(self, batches: list[dict[str, torch.Tensor]]) -> tuple[str, list[Outputs]]:
        """The graph as text, and the eager results on both batches."""
        first = self._first(batches[0])
        again = self._eager(batches[0])
        self._kept.check()
        unequal = not _equal(first, again)
        second = first if unequal else self._eager_elsewhere(*batches)
        small = small_batches(batches[0])
        if unequal:
            small[1] = small[0]
        recordings = [self._record(state) for state in small]
        graph = lower(self._inputs, *recordings)
        names = [component.name for component in graph.components]
        if not list(first[1]) == list(second[1]) == names:
            raise TraceFailure(
                "the names of the components depend on values", "Use fixed names.", self._loaded.return_line
            )
        if unequal or not _equal(first, self._eager(batches[0])):
            raise TraceFailure(
                "it gives different results for the same state",
                "A reward must be the same for the same state: no random numbers, counters or memory.",
            )
        return format_graph(graph), [first, second]

    def _first(self, state: State) -> Outputs:
        """The first run; if sizes do not fit, the recorder may know of a size that depends on values."""
        try:
            return self._eager(state)
        except (RuntimeError, IndexError) as error:
            try:
                self._record(small_batches(state)[0])
            except TraceFailure as failure:
                if failure.message == SIZED[0]:
                    raise failure from error
            raise

    def _eager_elsewhere(self, first: State, second: State) -> Outputs:
        try:
            return self._eager(second)
        # As in `trace`: the candidate's code may raise anything.
        except (Exception, TraceFailure) as error:
            failure = explain(error)
            sizes = [next(iter(batch.values())).shape[0] for batch in (first, second)]
            message = f"it works with {sizes[0]} environments and fails with {sizes[1]}: {failure.message}"
            raise TraceFailure(message, failure.remedy, failure.line) from error

    def uneven(self, state: State, few: Outputs, rows: int) -> TraceFailure | None:
        """The failure of a reward that is another for a state alone, or among as many as in training, than among a few.

        Said last: what `verify` finds wrong with the graph says more.
        """
        try:
            results = [self._eager_elsewhere(state, repeated(state, rows))]
        except TraceFailure as failure:
            return failure
        # Code that drops dimensions of size 1 fails with one environment alone, and its graph does not.
        with suppress(Exception, TraceFailure):
            results.append(self._eager(repeated(state, 1)))
        for result in results:
            if not same_rows(stacked(few), stacked(result)):
                return TraceFailure(
                    f"the same states give another reward with {len(result[0])} environments than with {len(few[0])}",
                    "Combine the values of one environment only, with num_envs = x.shape[0] in shapes only.",
                    self._loaded.return_line,
                )
        return None

    def _eager(self, state: State) -> Outputs:
        return self._call({name: value.clone() for name, value in state.items()})

    def _call(self, state: State) -> Outputs:
        result = self._loaded.call(state)
        num_envs = next(iter(state.values())).shape[0]
        try:
            return checked(result, num_envs)
        except TraceFailure as failure:
            failure.line = failure.line or self._loaded.return_line
            raise

    def _record(self, state: State) -> TraceRecording:
        self._recorder = Recorder(dict(state))
        try:
            return record(self._recorder, self._call, state)
        finally:
            self._recorder = None

    def _bind(self, name: str, value: Any) -> None:
        if self._recorder is not None and isinstance(value, torch.Tensor):
            self._recorder.bind(name, value)


def _equal(a: Outputs, b: Outputs) -> bool:
    if list(a[1]) != list(b[1]):
        return False
    pairs = zip([a[0], *a[1].values()], [b[0], *b[1].values()], strict=True)
    return all(torch.allclose(x, y, rtol=0.0, atol=0.0, equal_nan=True) for x, y in pairs)
