"""Training jobs on this machine: one worker process per core, each with its share of the population.

(One thread per worker and one worker per core is the fastest layout on a CPU: benchmarks/training.py. If there are
fewer populations than cores, the others are used as `eureka.trainers.population.layout` says.)
"""

from __future__ import annotations

import itertools
import math
import os
import select
import socket
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from eureka.core.errors import TrainingError
from eureka.core.machine import usable_cores
from eureka.core.processes import Child, child_environment, module_command
from eureka.core.text import clean
from eureka.core.training import Progress, TrainingResult, WorkerRestarted
from eureka.core.types import Rejected, Stage
from eureka.physics import Engine
from eureka.sandbox import LayerReport
from eureka.sandbox.wire import GarbledError
from eureka.tasks import find_tasks
from eureka.tasks.info import read_info
from eureka.trainers.base import TrainingEvent
from eureka.trainers.curves import stopped_twice
from eureka.trainers.population.checkpoints import (
    Key,
    key_of,
    read_header,
    write_state,
)
from eureka.trainers.population.continuing import trained_path
from eureka.trainers.population.dealing import checkpoint_path, deal, stored_states
from eureka.trainers.population.group import GroupJob
from eureka.trainers.population.layout import spare_threads
from eureka.trainers.population.memory import MemoryNeed
from eureka.trainers.population.wire import (
    Checkpoint,
    Confinement,
    Line,
    Order,
    Received,
    Setup,
    WorkDone,
    WorkerFailure,
)
from eureka.trainers.population.work import Work

SLOWEST = 1_000.0
"""Lower bound of a worker's speed in control steps per second, updates included; a slower one is taken to hang."""

_SECOND_DEATH = 2
_FALSE_STARTS = 3
_LOG_LINE = 300


@dataclass
class _Worker:
    """One worker process; `work` is its current work, and `finished` the groups of it that have ended.

    `ready`: it has loaded the task, and can be given work. `gone`: its socket is closed. `garbled`: an invalid message
    that it sent.
    """

    index: int
    process: Child
    line: Line
    ready: bool = False
    gone: bool = False
    garbled: str = ""
    work: Work | None = None
    finished: set[Key] = field(default_factory=set)

    def has(self, key: Key) -> bool:
        """Whether this group is part of its current work."""
        return self.work is not None and key not in self.finished and any(key_of(j) == key for j in self.work.jobs)

    def has_candidate(self, name: str) -> bool:
        """Whether a group of this candidate is part of its current work."""
        return self.work is not None and any(job.candidate_id == name for job in self.work.jobs)


class WorkerPool:
    """Worker processes on this machine.

    Args:
        task: the task's name.
        task_dirs: where else to look for it.
        folder: folder for checkpoints and the workers' logs.
        environment: environment variables, of which the workers get only those they need, and no keys.
        workers: number of processes; None: one per core. With MuJoCo Warp there is always one per device.
        heartbeat_s: a worker that sends nothing for longer is restarted; the time is extended for populations so large
            that it would mean fewer than `SLOWEST` control steps per second.
        engines: one for each device; their populations are split over them.

    If a worker dies, the groups of its population are trained separately from the last checkpoint, until the group is
    found with which a worker dies again: its candidate is rejected, and the others are trained together again. Workers
    execute rewards of candidates, so their messages are only accepted for groups of their current work. A worker gets
    its first work when it is ready, so that no candidate is blamed for a process that could not start.
    """

    def __init__(
        self,
        task: str,
        task_dirs: Sequence[Path],
        folder: Path,
        environment: Mapping[str, str],
        workers: int | None = None,
        heartbeat_s: float = 120.0,
        engines: Sequence[Engine] = (Engine(),),
        start_s: float = 600.0,
    ) -> None:
        self._task = task
        self._task_dirs = tuple(directory.resolve() for directory in task_dirs)
        of_the_task = find_tasks(self._task_dirs).get(task)  # if it is missing, the workers report that
        self._episode_steps = read_info(of_the_task).max_episode_steps if of_the_task else 0
        self._folder = folder.resolve()
        self._environment = child_environment(environment)
        self._engines = tuple(engines)
        on_devices = self._engines[0].kind == "warp"
        self._count = len(self._engines) if on_devices else workers or usable_cores()
        self._room: MemoryNeed | None = None
        self._heartbeat_s = heartbeat_s
        self._start_s = start_s
        self._false_starts = 0
        self._workers: list[_Worker] = []
        self._deaths = itertools.count()
        self.layers: tuple[LayerReport, ...] = ()
        """The layers of confinement of the workers, once one of them has reported them."""

    def train(self, jobs: Sequence[GroupJob], room: MemoryNeed | None = None) -> Iterator[TrainingEvent]:
        """Train every job; each ends in exactly one `TrainingResult` or `Rejected`, in any order.

        Args:
            room: the workers and groups that fit into memory at a time; None: all do.

        Raises:
            TrainingError: a worker cannot be started, or failed for a reason that is not a candidate's fault.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._room = room
        populations = deal(self._folder, jobs, self._num_workers, room.num_groups if room else None)
        for surplus in self._workers[self._num_workers :]:
            self._stop(surplus)
        del self._workers[self._num_workers :]
        threads = spare_threads(self._count, min(self._num_workers, len(populations)))
        queue = deque(replace(work, threads=threads) for work in populations)
        deaths: dict[Key, int] = {}
        while len(self._workers) < min(self._num_workers, len(queue)):
            self._workers.append(self._start(len(self._workers)))
        while queue or any(worker.work for worker in self._workers):
            for worker in self._workers:
                if worker.ready and worker.work is None and queue:
                    self._give(worker, queue.popleft())
            for worker in self._heard_from():
                yield from self._read(worker)
            for worker in list(self._workers):
                reason = self._trouble(worker)
                if reason is not None:
                    yield from self._replace(worker, reason, queue, deaths)
        for path in self._folder.glob("*.pt"):  # of populations whose groups were trained separately
            path.unlink(missing_ok=True)

    def worker_pids(self) -> list[int]:
        """Process ids of the workers, for monitoring."""
        return [worker.process.pid for worker in self._workers]

    def close(self) -> None:
        """Stop the workers; their current work can be continued from its checkpoint."""
        for worker in self._workers:
            self._stop(worker)
        self._workers = []

    @property
    def _num_workers(self) -> int:
        return min(self._count, self._room.workers) if self._room else self._count

    # ---- processes -----------------------------------------------------------------------------------------------

    def _start(self, index: int) -> _Worker:
        ours, theirs = socket.socketpair()
        engine = self._engines[index % len(self._engines)]
        try:
            process = Child(
                module_command("eureka.trainers.population", str(theirs.fileno()), engine.kind, engine.device),
                self._environment,
                folder=self._folder,
                log=self._folder / f"worker{index}.log",
                pass_fds=[theirs.fileno()],
            )
        except OSError as error:
            raise TrainingError(f"a training worker could not be started: {error}") from error
        finally:
            theirs.close()
        os.set_blocking(ours.fileno(), False)
        worker = _Worker(index, process, Line(ours.detach()))
        self._tell(worker, Setup(self._task, tuple(map(str, self._task_dirs))))
        return worker

    def _stop(self, worker: _Worker) -> None:
        worker.process.close()
        worker.line.close()

    def _give(self, worker: _Worker, work: Work) -> None:
        worker.work = work
        worker.finished = set()
        worker.process.heard()
        states, carried = stored_states(work)
        order = Order(work.jobs, work.threads, tuple(map(len, states)), carried)
        self._tell(worker, order, b"".join(states))

    def _tell(self, worker: _Worker, message: Setup | Order, data: bytes = b"") -> None:
        try:
            worker.line.send(message, data, self._heartbeat_s)
        except BrokenPipeError:
            worker.gone = True

    def _heard_from(self) -> list[_Worker]:
        ready, _, _ = select.select([worker.line for worker in self._workers], [], [], 1.0)
        return [worker for worker in self._workers if worker.line in ready]

    def _read(self, worker: _Worker) -> Iterator[TrainingEvent]:
        """Read and handle all messages that a worker has sent."""
        try:
            for received in worker.line.arrived():
                worker.process.heard()
                event = self._take(worker, received)
                if event is not None:
                    yield event
        except EOFError:
            worker.gone = True
        except GarbledError as error:
            worker.garbled = clean(str(error), _LOG_LINE)

    def _take(self, worker: _Worker, received: Received) -> TrainingEvent | None:
        """Handle a message of a worker: returns its event, if any, and writes its checkpoints.

        Raises:
            GarbledError: the message concerns groups that are not the worker's current work.
            TrainingError: the worker failed for a reason that is not a candidate's fault, or a checkpoint cannot be
                written.
        """
        message = received.message
        match message:
            case WorkerFailure():
                raise TrainingError(message.message)
            case Confinement():
                self.layers = message.layers
                self._false_starts = 0
                worker.ready = True
                return None
            case WorkDone():
                if worker.work is not None:
                    worker.work.checkpoint.unlink(missing_ok=True)
                worker.work = None
                return None
            case Checkpoint():
                self._keep(worker, message, received.data)
                return None
            case WorkerRestarted() if all(map(worker.has_candidate, message.candidate_ids)):
                return replace(message, worker=worker.index)
            case Progress() if worker.has((message.candidate_id, message.seed)):
                return message
            case TrainingResult() if worker.has((message.candidate_id, message.seed)) and message.final_scores:
                worker.finished.add((message.candidate_id, message.seed))
                return _scored(message)
            case Rejected() if worker.work is not None and worker.has_candidate(message.candidate_id):
                mine = [job for job in worker.work.jobs if job.candidate_id == message.candidate_id]
                worker.finished |= {key_of(job) for job in mine}
                return message
        raise GarbledError(f"a {type(message).__name__} of a training that it does not have")

    def _keep(self, worker: _Worker, checkpoint: Checkpoint, state: bytes) -> None:
        jobs = {key_of(job): job for job in worker.work.jobs} if worker.work else {}
        if worker.work is None or not checkpoint.keys or not all(key in jobs for key in checkpoint.keys):
            raise GarbledError("a checkpoint of a training that it does not have")
        kept = [jobs[key] for key in checkpoint.keys]
        if not checkpoint.ended:
            write_state(worker.work.checkpoint, kept, state)
        elif checkpoint.updates == kept[0].schedule.num_updates:
            write_state(trained_path(self._folder, kept[0], checkpoint.updates), kept[:1], state)

    def _trouble(self, worker: _Worker) -> str | None:
        if worker.garbled:
            return f"worker {worker.index} was ended because it said what no worker says: {worker.garbled}"
        if worker.gone:
            if not worker.process.wait(5.0):  # its socket is closed, so it should end by itself
                worker.process.end()
                return f"worker {worker.index} stopped listening, and was ended"
            code = worker.process.returncode or 0
            how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
            said = clean(worker.process.last_line(), _LOG_LINE)
            return f"worker {worker.index} {how}{f' ({said})' if said else ''}"
        if not worker.ready:
            late = worker.process.is_silent(self._start_s)
            return f"worker {worker.index} was not ready after {self._start_s:.0f} s" if late else None
        if worker.work is not None:
            patience_s = max(self._heartbeat_s, self._steps_between_words(worker.work) / SLOWEST)
            if worker.process.is_silent(patience_s):
                return f"worker {worker.index} was silent for {patience_s:.0f} s"
        return None

    def _steps_between_words(self, work: Work) -> int:
        """The maximum number of control steps between two messages of a worker: a rollout of all groups, and an
        evaluation.
        """
        schedule = work.jobs[0].schedule
        rollout = schedule.num_envs * schedule.ppo.horizon
        return len(work.jobs) * (rollout + schedule.eval_episodes * self._episode_steps)

    def _replace(
        self, worker: _Worker, reason: str, queue: deque[Work], deaths: dict[Key, int]
    ) -> Iterator[TrainingEvent]:
        """Restart a worker and have its groups trained separately; if a group dies alone a second time, its candidate
        is rejected.

        Raises:
            TrainingError: several new workers in a row were not ready for work.
        """
        place = self._workers.index(worker)
        self._stop(worker)
        if not worker.ready:
            self._false_starts += 1
            if self._false_starts >= _FALSE_STARTS:
                del self._workers[place]
                raise TrainingError(
                    f"no training worker can be started, {_FALSE_STARTS} were not ready in a row: {reason}; if this "
                    "machine has too much else to do, go on later, or with fewer train.workers"
                )
        self._workers[place] = self._start(worker.index)
        if worker.work is None:
            return
        left = worker.work.without(worker.finished)
        for job in left.jobs:
            deaths[key_of(job)] = deaths.get(key_of(job), 0) + 1
        if len(left.jobs) == 1 and deaths[key_of(left.jobs[0])] >= _SECOND_DEATH:
            left.checkpoint.unlink(missing_ok=True)
            guilty = left.jobs[0].candidate_id
            others = [work.without([key_of(j) for j in work.jobs if j.candidate_id == guilty]) for work in queue]
            queue.clear()
            queue.extend(self._together([work for work in others if work.jobs], left.apart))
            yield stopped_twice(guilty, reason)
            return
        queue.extendleft(reversed(self._apart(left)))
        yield WorkerRestarted(worker.index, reason, tuple(job.candidate_id for job in left.jobs))

    def _apart(self, left: Work) -> list[Work]:
        """One work for each remaining group after a worker's death, each from their common last checkpoint."""
        if len(left.jobs) <= 1:
            return [left] if left.jobs else []
        starts = (left.checkpoint,) * len(left.jobs) if read_header(left.checkpoint) else left.starts
        death = next(self._deaths)
        return [
            Work((job,), checkpoint_path(self._folder, [job]), starts[at : at + 1], left.threads, death)
            for at, job in enumerate(left.jobs)
        ]

    def _together(self, queue: Sequence[Work], death: int | None) -> list[Work]:
        """The queue, with groups joined again that were separated after this death and have not begun."""
        again = [work for work in queue if death is not None and work.apart == death and not work.checkpoint.exists()]
        if len(again) <= 1:
            return list(queue)
        jobs = tuple(job for work in again for job in work.jobs)
        starts = tuple(start for work in again for start in work.starts)
        company = Work(jobs, checkpoint_path(self._folder, jobs), starts, again[0].threads)
        return [company, *(work for work in queue if work not in again)]


def _scored(result: TrainingResult) -> TrainingResult | Rejected:
    """The result, or a rejection if its scores are not finite."""
    if all(map(math.isfinite, result.final_scores)):
        return result
    return Rejected(
        result.candidate_id,
        Stage.TRAIN,
        "the task metric of its evaluation episodes is not finite: the metric is not defined on states that it reaches",
        "",
    )
