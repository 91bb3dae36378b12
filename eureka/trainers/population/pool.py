"""Training jobs on this machine: one worker process per core, each with its share of the population.

(One thread per worker and one worker per core is the fastest layout on a CPU: benchmarks/training.py. Where there are
fewer populations than cores, `eureka.trainers.population.layout` says what the others are for.)
"""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from eureka.core.errors import TrainingError
from eureka.core.processes import Child, child_environment, module_command
from eureka.core.training import TrainingResult, WorkerRestarted
from eureka.core.types import Rejected, Stage
from eureka.physics import Engine
from eureka.tasks import find_tasks
from eureka.tasks.info import read_info
from eureka.trainers.base import TrainingEvent
from eureka.trainers.population.continuing import longest_start
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.layout import spare_threads
from eureka.trainers.population.memory import MemoryNeed
from eureka.trainers.population.population import population_key
from eureka.trainers.population.work import Work
from eureka.trainers.population.worker import WorkDone, WorkerFailure, fingerprint, read_checkpoint

SLOWEST = 1_000.0
"""Control steps a second that a worker makes, updates included, unless it hangs."""


@dataclass
class _Worker:
    """One process; `work` is what it has in hand."""

    index: int
    process: Child
    connection: Connection
    heard: float
    gone: bool = False
    work: Work | None = None
    finished: set[tuple[str, int]] = field(default_factory=set)


class WorkerPool:
    """Worker processes on this machine.

    Args:
        task: the task's name.
        task_dirs: where else to look for it.
        folder: where checkpoints and the workers' logs go.
        environment: environment variables, of which the workers are given what they need and no keys.
        workers: processes; one per core where None. With MuJoCo Warp it is one per device, whatever this says.
        heartbeat_s: a worker that is silent for longer is stopped and started again; one with so many worlds that it
            would make fewer than `SLOWEST` control steps a second is waited for.
        engines: one for each device; their populations are split over them.

    A population whose worker dies goes on from its last checkpoint once; then its candidates are rejected.
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
    ) -> None:
        self._task = task
        self._task_dirs = tuple(directory.resolve() for directory in task_dirs)
        of_the_task = find_tasks(self._task_dirs).get(task)  # where there is none the workers say so
        self._episode_steps = read_info(of_the_task).max_episode_steps if of_the_task else 0
        self._folder = folder.resolve()
        self._environment = child_environment(environment)
        self._engines = tuple(engines)
        on_devices = self._engines[0].kind == "warp"
        self._count = len(self._engines) if on_devices else workers or len(os.sched_getaffinity(0))
        self._room: MemoryNeed | None = None
        self._heartbeat_s = heartbeat_s
        self._workers: list[_Worker] = []

    def train(self, jobs: Sequence[GroupJob], room: MemoryNeed | None = None) -> Iterator[TrainingEvent]:
        """Train every job; each ends in exactly one `TrainingResult` or `Rejected`, in any order.

        Args:
            room: the workers and groups that fit into memory at a time; None: all do.

        Raises:
            TrainingError: a worker cannot be started, or the host's machinery failed in one.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._room = room
        populations = self._populations(jobs)
        for surplus in self._workers[self._num_workers :]:
            self._stop(surplus)
        del self._workers[self._num_workers :]
        threads = spare_threads(self._count, min(self._num_workers, len(populations)))
        queue = deque(replace(work, threads=threads) for work in populations)
        tries: dict[Path, int] = {}
        while len(self._workers) < min(self._num_workers, len(queue)):
            self._workers.append(self._start(len(self._workers)))
        while queue or any(worker.work for worker in self._workers):
            for worker in self._workers:
                if worker.work is None and queue:
                    self._give(worker, queue.popleft())
            for worker in self._heard_from():
                yield from self._read(worker)
            for worker in list(self._workers):
                reason = self._trouble(worker)
                if reason is not None:
                    yield from self._replace(worker, reason, queue, tries)

    def worker_pids(self) -> list[int]:
        """Process ids of the workers, for monitors."""
        return [worker.process.pid for worker in self._workers]

    def close(self) -> None:
        """Stop the workers; what they had in hand can be continued from its checkpoint."""
        for worker in self._workers:
            self._stop(worker)
        self._workers = []

    @property
    def _num_workers(self) -> int:
        return min(self._count, self._room.workers) if self._room else self._count

    # ---- layout --------------------------------------------------------------------------------------------------

    def _populations(self, jobs: Sequence[GroupJob]) -> list[Work]:
        """Split the jobs: those with a common checkpoint stay together, the rest is dealt out over the workers."""
        pending = {(job.candidate_id, job.seed): job for job in jobs}
        populations = []
        for path in self._folder.glob("*.partial"):
            path.unlink(missing_ok=True)
        for path in sorted(self._folder.glob("*.pt")):
            saved = read_checkpoint(path)
            kept = [(candidate, seed) for candidate, seed in saved["state"]["jobs"]] if saved else []
            if kept and all(key in pending for key in kept):
                populations.append(self._work([pending.pop(key) for key in kept], path))
            else:
                path.unlink()
        buckets: dict[tuple[Schedule, int, bool], list[GroupJob]] = {}
        for job in pending.values():
            done, _ = longest_start(self._folder, job)
            buckets.setdefault((population_key(job.schedule), done, job.init is None), []).append(job)
        for bucket in buckets.values():
            for share in self._shares(bucket):
                starts = [path for _, path in (longest_start(self._folder, job) for job in share) if path]
                populations.append(self._work(share, self._folder / f"{fingerprint(share)}.pt", starts))
        return populations

    def _shares(self, jobs: Sequence[GroupJob]) -> list[Sequence[GroupJob]]:
        """The jobs dealt out over the workers; each one's in parts, of which it trains one after another."""
        count = min(self._num_workers, len(jobs))
        dealt = [jobs[index::count] for index in range(count)]
        most = max(self._room.num_groups // self._num_workers, 1) if self._room else len(jobs)
        rounds = range(0, len(dealt[0]), most)
        return [share[first : first + most] for first in rounds for share in dealt if len(share) > first]

    def _work(self, jobs: Sequence[GroupJob], checkpoint: Path, starts: Sequence[Path] = ()) -> Work:
        return Work(self._task, self._task_dirs, tuple(jobs), checkpoint, tuple(starts))

    # ---- processes -----------------------------------------------------------------------------------------------

    def _start(self, index: int) -> _Worker:
        ours, theirs = socket.socketpair()
        engine = self._engines[index % len(self._engines)]
        try:
            process = Child(
                module_command("eureka.trainers.population", str(theirs.fileno()), engine.kind, engine.device),
                self._environment,
                folder=self._folder,  # MuJoCo writes its own log of diverged worlds where it runs
                log=self._folder / f"worker{index}.log",
                pass_fds=[theirs.fileno()],
            )
        except OSError as error:
            raise TrainingError(f"a training worker could not be started: {error}") from error
        finally:
            theirs.close()
        return _Worker(index, process, Connection(ours.detach()), time.monotonic())

    def _stop(self, worker: _Worker) -> None:
        worker.process.close()
        worker.connection.close()

    def _give(self, worker: _Worker, work: Work) -> None:
        worker.work = work
        worker.finished = set()
        worker.heard = time.monotonic()
        try:
            worker.connection.send(work)
        except BrokenPipeError:
            worker.gone = True

    def _heard_from(self) -> list[_Worker]:
        ready = wait([worker.connection for worker in self._workers], timeout=1.0)
        return [worker for worker in self._workers if worker.connection in ready]

    def _read(self, worker: _Worker) -> Iterator[TrainingEvent]:
        """Everything that a worker has said."""
        try:
            while worker.connection.poll():
                message = worker.connection.recv()
                worker.heard = time.monotonic()
                if isinstance(message, WorkerFailure):
                    raise TrainingError(message.message)
                if isinstance(message, WorkDone):
                    if worker.work is not None:
                        worker.work.checkpoint.unlink(missing_ok=True)
                    worker.work = None
                    continue
                if isinstance(message, WorkerRestarted):
                    message = replace(message, worker=worker.index)
                elif isinstance(message, TrainingResult):
                    worker.finished.add((message.candidate_id, message.seed))
                elif isinstance(message, Rejected) and worker.work is not None:
                    mine = [job for job in worker.work.jobs if job.candidate_id == message.candidate_id]
                    worker.finished |= {(job.candidate_id, job.seed) for job in mine}
                yield message
        except (EOFError, ConnectionResetError):
            worker.gone = True

    def _trouble(self, worker: _Worker) -> str | None:
        if worker.gone:
            worker.process.wait(5.0)  # its socket is closed, so it ends; helped along if it does not
            worker.process.end()
            code = worker.process.returncode or 0
            how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
            said = worker.process.last_line()
            return f"worker {worker.index} {how}{f' ({said})' if said else ''}"
        if worker.work is not None:
            patience_s = max(self._heartbeat_s, self._steps_between_words(worker.work) / SLOWEST)
            if time.monotonic() - worker.heard > patience_s:
                return f"worker {worker.index} was silent for {patience_s:.0f} s"
        return None

    def _steps_between_words(self, work: Work) -> int:
        """Control steps that a worker may make before it says something: a rollout of all groups, and an evaluation."""
        schedule = work.jobs[0].schedule
        rollout = schedule.num_envs * schedule.ppo.horizon
        return len(work.jobs) * (rollout + schedule.eval_episodes * self._episode_steps)

    def _replace(
        self, worker: _Worker, reason: str, queue: deque[Work], tries: dict[Path, int]
    ) -> Iterator[TrainingEvent]:
        """Start a worker again; its population goes on once, and is given up the second time."""
        self._stop(worker)
        self._workers[self._workers.index(worker)] = self._start(worker.index)
        work = worker.work
        if work is None:
            return
        left = work.without(worker.finished)
        tries[work.checkpoint] = tries.get(work.checkpoint, 0) + 1
        if tries[work.checkpoint] > 1:
            work.checkpoint.unlink(missing_ok=True)
            for candidate in dict.fromkeys(job.candidate_id for job in left.jobs):
                yield Rejected(candidate, Stage.TRAIN, f"its training was stopped twice: {reason}", "")
            return
        if left.jobs:
            queue.appendleft(left)
        yield WorkerRestarted(worker.index, reason, tuple(job.candidate_id for job in left.jobs))
