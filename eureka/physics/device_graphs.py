"""Work on a CUDA device that is recorded once and then replayed without Python: a launch costs less than its kernel.

Torch's work becomes CUDA graphs. MuJoCo Warp's own graphs stay separate: they have loops (conditional nodes), and a
graph with loops cannot be part of another. So a recording is a list of parts, launched one after the other.
"""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch

log = logging.getLogger(__name__)

Part = Callable[[], object]
Recorder = Callable[[Callable[[], object], torch.device, Sequence[torch.Generator]], Sequence[Part]]
Result = TypeVar("Result")

_cut: ContextVar[Callable[[Part], None] | None] = ContextVar("cut", default=None)


class Stateful(Protocol):
    """An object that may replace its tensors by others while it works."""

    def tensors(self) -> dict[str, torch.Tensor]:
        """All tensors that its further work depends on and that it may replace, by name."""
        ...

    def assign(self, tensors: dict[str, torch.Tensor]) -> None:
        """Use these tensors, named as in `tensors()`, in place of its own."""
        ...


class Replayed(Generic[Result]):
    """Calls `body`, from a recording once it has been seen to work on the same inputs twice.

    A recording reads and writes the memory that it was recorded with. So the tensors of `states` are kept for it, and
    updated with the current values of the states; inputs at other addresses than before cause a call of `body` itself
    and a new recording. If the device is not CUDA, or `body` reads a value from the device (which cannot be recorded),
    `body` is called every time.

    Args:
        body: work on `device` alone. It may replace the tensors of `states`; all other tensors that it keeps between
            calls it writes in place. What it returns is overwritten by the next call.
        states: the objects that `body` updates.
        generators: generators on the device; those that `body` uses continue from their current state at every call.
    """

    def __init__(
        self,
        body: Callable[..., Result],
        states: Sequence[Stateful] = (),
        *,
        device: torch.device,
        generators: Sequence[torch.Generator] = (),
    ) -> None:
        self._body = body
        self._states = list(states)
        self._device = device
        self._generators = list(generators)
        self._recorder = recorder_for(device)
        self._seen: list[int] | None = None
        self._parts: Sequence[Part] = ()
        # Tensors that the parts read and write, apart from their own memory.
        self._inputs: Sequence[object] = ()
        self._held: list[dict[str, torch.Tensor]] = []
        self._results: list[Result] = []

    def __call__(self, *inputs: object) -> Result:
        """The result of `body(*inputs)`. Inputs are tensors, or mappings, sequences or dataclasses of inputs."""
        if self._recorder is None:
            return self._body(*inputs)
        places = [tensor.data_ptr() for value in inputs for tensor in _tensors_in(value)]
        if places != self._seen:
            self._forget()
            self._seen = places
            before = [generator.get_state() for generator in self._generators]
            result = self._body(*inputs)
            pairs = zip(self._generators, before, strict=True)
            self._generators = [g for g, state in pairs if not torch.equal(g.get_state(), state)]
            return result
        if not self._parts:
            self._record(inputs)
            if self._recorder is None:
                return self._body(*inputs)
        self._take_over()
        for part in self._parts:
            part()
        return self._results[0]

    def _forget(self) -> None:
        self._parts, self._inputs, self._held, self._results = (), (), [], []

    def _record(self, inputs: Sequence[object]) -> None:
        assert self._recorder is not None
        held = [
            {name: value.clone(memory_format=torch.contiguous_format) for name, value in state.tensors().items()}
            for state in self._states
        ]
        self._inputs, self._held = inputs, held
        self._assign()

        def work() -> None:
            self._results = [self._body(*inputs)]
            self._take_over()

        try:
            self._parts = self._recorder(work, self._device, self._generators)
        except RuntimeError as error:
            log.warning("control steps are launched one kernel at a time, which is slower: %s", error)
            self._assign()
            self._forget()
            self._recorder = None
        else:
            self._assign()

    def _take_over(self) -> None:
        """Copy the current values of the states into the tensors kept for the recording, and make the states use
        these."""
        pairs = zip(self._states, self._held, strict=True)
        moved = [(held[name], new) for state, held in pairs for name, new in state.tensors().items()]
        # A tensor may be at the place of another.
        copies = [(place, new.clone()) for place, new in moved if new is not place]
        for place, new in copies:
            place.copy_(new)
        if copies:
            self._assign()

    def _assign(self) -> None:
        for state, held in zip(self._states, self._held, strict=True):
            state.assign(held)


def recorder_for(device: torch.device) -> Recorder | None:
    """The recorder for the device; None if recording has no benefit there."""
    return record if device.type == "cuda" else None


def _tensors_in(value: object) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _tensors_in(entry)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _tensors_in(entry)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _tensors_in(getattr(value, field.name))


def record(
    work: Callable[[], object], device: torch.device, generators: Sequence[torch.Generator] = ()
) -> Sequence[Part]:
    """Record what `work` launches on the CUDA `device`, as parts to be called in turn, without executing it.

    Raises:
        RuntimeError: torch cannot record it, for example because a value is read from the device.
    """
    parts: list[Part] = []
    pool = torch.cuda.graph_pool_handle()
    graph = torch.cuda.CUDAGraph()

    def begin() -> None:
        nonlocal graph
        graph = torch.cuda.CUDAGraph()
        for generator in generators:
            graph.register_generator_state(generator)
        graph.capture_begin(pool=pool, capture_error_mode="thread_local")

    def end() -> None:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            graph.capture_end()
        if not any("The CUDA Graph is empty" in str(warning.message) for warning in said):
            parts.append(graph.replay)

    def cut(part: Part) -> None:
        end()
        parts.append(part)
        begin()

    torch.cuda.synchronize(device)
    gc.collect()
    torch.cuda.empty_cache()
    side: Any = torch.cuda.Stream
    with torch.cuda.stream(side(device)):
        token = _cut.set(cut)
        try:
            begin()
            work()
            end()
        except BaseException:
            _abandon(graph)
            raise
        finally:
            _cut.reset(token)
    torch.cuda.synchronize(device)
    return parts


def _abandon(graph: torch.cuda.CUDAGraph) -> None:
    """End a failed capture, so that the device remains usable."""
    try:
        graph.capture_end()
    except RuntimeError:
        log.debug("the failed capture could not be ended", exc_info=True)


def launch(part: Part) -> None:
    """Execute `part`, which torch cannot record: now or, during a recording, whenever that is replayed."""
    cut = _cut.get()
    if cut is None:
        part()
    else:
        cut(part)


def reading_synchronises(device: torch.device) -> bool:
    """Whether reading the value of a tensor there waits for all launched work."""
    return device.type != "cpu"


def recording() -> bool:
    """Whether a recording is in progress, so that nothing is executed now."""
    return _cut.get() is not None
