"""Processes that run one training at a time each. Their output is read line by line and never unpickled."""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from eureka.core.errors import TrainingError
from eureka.core.processes import Child, module_command
from eureka.core.serialize import DecodeError, dumps, loads
from eureka.core.training import Progress, TrainingResult, WorkerRestarted
from eureka.core.types import Rejected
from eureka.trainers.base import TrainingEvent
from eureka.trainers.curves import stopped_twice
from eureka.trainers.gymnasium.settings import TrainingOrder

_EVENTS: Mapping[str, type[Progress] | type[Rejected] | type[TrainingResult]] = {
    cls.__name__: cls for cls in (Progress, Rejected, TrainingResult)
}
_SILENCE_S = 600.0
_END_S = 60.0
"""Time for a process that has closed its output to end: on busy cores Python itself takes seconds."""
_ATTEMPTS = 2


class TrainingPool:
    """Trains orders in `size` processes.

    Args:
        environment: all of their environment variables.
        folder: their working folder, which also holds their logs.
    """

    def __init__(self, size: int, environment: Mapping[str, str], folder: Path) -> None:
        self._size, self._environment, self._folder = size, environment, folder
        self._workers: list[_Worker] = []

    def train(self, orders: Sequence[TrainingOrder]) -> Iterator[TrainingEvent]:
        """Train all orders; an order whose process dies is trained again once, and rejected if that dies too.

        Raises:
            TrainingError: a process cannot be started, or the environment's own code fails.
        """
        waiting: deque[tuple[TrainingOrder, int]] = deque((order, 1) for order in orders)
        while waiting or any(worker.order for worker in self._workers):
            self._hand_out(waiting)
            busy = [worker for worker in self._workers if worker.order]
            for worker in _readable(busy):
                yield from self._answers(worker, waiting)

    def _hand_out(self, waiting: deque[tuple[TrainingOrder, int]]) -> None:
        for number in range(self._size):
            if not waiting:
                return
            if number == len(self._workers):
                self._workers.append(_Worker(number, self._environment, self._folder))
            if self._workers[number].order is None:
                self._workers[number].begin(*waiting.popleft())

    def _answers(self, worker: _Worker, waiting: deque[tuple[TrainingOrder, int]]) -> Iterator[TrainingEvent]:
        order, attempt = worker.order, worker.attempt
        assert order is not None
        try:
            for line in worker.lines():
                name, _, text = line.partition(" ")
                event = loads(_EVENTS[name], text)
                yield event
                if not isinstance(event, Progress):
                    worker.order = None
            return
        except (KeyError, DecodeError) as error:
            reason = f"it answered what is no event: {error}"
        except _Ended as ended:
            reason = str(ended)
        worker.restart()
        if reason.startswith("env="):  # the fault of the environment's own code, not of a reward
            raise TrainingError(reason)
        if attempt < _ATTEMPTS:
            yield WorkerRestarted(worker.number, reason, (order.candidate_id,))
            waiting.appendleft((order, attempt + 1))
        else:
            yield stopped_twice(order.candidate_id, reason)

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.close()
        self._workers = []


class _Ended(Exception):
    """A process ended or stopped responding; the message says why."""


class _Worker:
    """One process, its current order, and the unfinished line of its output."""

    def __init__(self, number: int, environment: Mapping[str, str], folder: Path) -> None:
        self.number = number
        self.order: TrainingOrder | None = None
        self.attempt = 1
        self._environment, self._folder = environment, folder
        self._child: Child | None = None
        self._unread = b""

    def begin(self, order: TrainingOrder, attempt: int) -> None:
        """Send an order to the process."""
        if self._child is None:
            self._child = self._start()
        self.order, self.attempt = order, attempt
        self._child.heard()
        self._child.send(dumps(order))  # if the process has ended, its output has too

    def _start(self) -> Child:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            return Child(
                module_command("eureka.trainers.gymnasium"),
                self._environment,
                folder=self._folder,
                log=self._folder / f"worker{self.number}.log",
                stdin=True,
                stdout=True,
            )
        except OSError as error:
            raise TrainingError(f"a training worker could not be started: {error}") from error

    @property
    def is_silent(self) -> bool:
        """Whether it has sent nothing for too long."""
        return self._child is not None and self._child.is_silent(_SILENCE_S)

    def fileno(self) -> int:
        """The descriptor of its output, for `select`."""
        assert self._child is not None
        return self._child.stdout.fileno()

    def lines(self) -> Iterator[str]:
        """Complete lines of the output that is available now.

        Raises:
            _Ended: the process has ended, or has sent nothing for too long.
        """
        assert self._child is not None
        if not select.select([self], [], [], 0)[0]:
            if self.is_silent:
                raise _Ended(f"it was silent for {_SILENCE_S:.0f} s")
            return
        read = os.read(self.fileno(), 1 << 20)
        if not read:
            self._child.wait(_END_S)
            raise _Ended(self._child.reason() if self._child.returncode is not None else "it closed its output")
        self._child.heard()
        *whole, self._unread = (self._unread + read).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")

    def restart(self) -> None:
        """End the process; the next order starts a new one."""
        self.close()
        self.order = None

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            with suppress(OSError):
                self._child.close()
        self._child, self._unread = None, b""


def _readable(workers: Sequence[_Worker]) -> list[_Worker]:
    """Workers with new output, and those that have sent nothing for too long."""
    ready = select.select(workers, [], [], 1.0)[0] if workers else []
    late = [each for each in workers if each not in ready and each.is_silent]
    return [*ready, *late]
