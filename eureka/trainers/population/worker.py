"""A training worker: a process that trains one population at a time.

It is started as `python -m eureka.trainers.population FD [ENGINE DEVICE]`, and communicates over one socket, see
`eureka.trainers.population.wire`. It receives the name of its task, loads it, warms up, and drops the rights that it
will not need (see `eureka.sandbox.worker_profile`), since it executes candidates' rewards; it writes no files. It
receives orders, and sends progress, rejections, checkpoints and results, then `WorkDone`; or `WorkerFailure` if it
failed for a reason that is not a candidate's fault. Every update sends a message, so a worker that sends nothing hangs.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from eureka.core.errors import EurekaError, TaskError
from eureka.core.missing import what_failed
from eureka.core.training import WorkerRestarted
from eureka.core.types import Rejected
from eureka.physics import Engine
from eureka.sandbox import LayerReport
from eureka.sandbox.worker_profile import confine_worker, worker_unconfined
from eureka.tasks import Task, load_task
from eureka.tasks.checks import line_in
from eureka.trainers.population.checkpoints import Key, StateError, key_of, pack, unpack
from eureka.trainers.population.continuing import group_state, joined_state
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.out_of_memory import halved, is_out_of_memory, release
from eureka.trainers.population.population import Population
from eureka.trainers.population.wire import (
    Checkpoint,
    Confinement,
    Line,
    Order,
    Setup,
    WorkDone,
    WorkerFailure,
)

CHECKPOINT_INTERVAL_S = 5.0
_WARM_UP_ENVS = 2
_LACKS = (
    "met in training, where a worker may open no files and start no programs: read what is needed when the module is "
    "loaded, and resume the run"
)


def start_population(task: Task, order: Order, states: Sequence[bytes] = (), engine: Engine = Engine()) -> Population:  # noqa: B008
    """The population of `order.jobs`, continued from the `states`.

    It starts from scratch if they are not states of these jobs.
    """
    population = Population(task, order.jobs, order.threads, engine)
    if not states:
        return population
    try:
        found = [unpack(state) for state in states]
        population.load_state_dict(joined_state([group_state(found[which], at) for which, at in order.carried]))
    except (StateError, LookupError, TypeError, ValueError, AttributeError, RuntimeError):
        return Population(task, order.jobs, order.threads, engine)
    return population


def train(task: Task, order: Order, states: Sequence[bytes], line: Line, engine: Engine = Engine()) -> None:  # noqa: B008
    """Train one population to the end, sending events and results.

    If the device runs out of memory, the training starts again with half the environments per group; such a training
    cannot be continued later.

    Raises:
        TaskError: the task's own code raised on a state that it met in training.
        TrainingError: the device has not enough memory for one environment.
        PhysicsError: the engine cannot step the task.
    """
    finished: set[Key] = set()
    whole = True
    while not _trained(task, order, states if whole else (), line, engine, finished, keep=whole):
        order, whole = replace(order, jobs=halved(order.jobs, engine.device, finished)), False
        release()
        reason = f"{engine.device} ran out of memory, so each group has {order.jobs[0].schedule.num_envs} worlds"
        line.send(WorkerRestarted(0, reason, tuple(job.candidate_id for job in order.jobs)))
    line.send(WorkDone())


def _trained(
    task: Task, order: Order, states: Sequence[bytes], line: Line, engine: Engine, finished: set[Key], *, keep: bool
) -> bool:
    """Train to the end; False if the device ran out of memory. Jobs that end early are added to `finished`."""
    try:
        _train(task, order, states, line, engine, finished, keep=keep)
    except Exception as error:
        if is_out_of_memory(error):
            return False
        raise_of_task(task, error)
        raise
    return True


def raise_of_task(task: Task, error: Exception) -> None:
    """Raise TaskError if the task's own code raised `error`; otherwise do nothing."""
    path = task.folder / "env.py"
    place = line_in(error, path)
    if place:
        met = _LACKS if isinstance(error, PermissionError) else "met in training; mend it and resume the run"
        raise TaskError(f"{path}{place}: the task's code {what_failed(error)} ({met})") from error


def _train(
    task: Task, order: Order, states: Sequence[bytes], line: Line, engine: Engine, finished: set[Key], *, keep: bool
) -> None:
    population = start_population(task, order, states, engine)
    saved = time.monotonic()
    while not population.finished:
        for event in population.advance():
            line.send(event)
            if isinstance(event, Rejected):
                finished |= {key_of(job) for job in order.jobs if job.candidate_id == event.candidate_id}
        if keep and time.monotonic() - saved > CHECKPOINT_INTERVAL_S and population.jobs:
            line.send(Checkpoint(_keys(population.jobs), population.updates), pack(population.state_dict()))
            saved = time.monotonic()
    if not population.jobs:
        return
    if keep:
        state = population.state_dict()
        line.send(Checkpoint(_keys(population.jobs), population.updates), pack(state))
        for group, job in enumerate(population.jobs):
            ended = Checkpoint(_keys([job]), population.updates, ended=True)
            line.send(ended, pack(group_state(state, group)))
    for result in population.results():
        line.send(result)


def _keys(jobs: Sequence[GroupJob]) -> tuple[Key, ...]:
    return tuple(key_of(job) for job in jobs)


# ---- the process -------------------------------------------------------------------------------------------------


def warm_up(task: Task) -> None:
    """Do everything that a training does on a small scale, so that all modules and files are loaded before the
    confinement.
    """
    task = copy.copy(task)
    task.info = replace(task.info, max_episode_steps=2)
    ppo = replace(task.info.ppo, horizon=2, epochs=1, minibatches=1)
    schedule = Schedule(_WARM_UP_ENVS, steps=2 * ppo.horizon * _WARM_UP_ENVS, checkpoints=1, eval_episodes=1, ppo=ppo)
    field = task.fields[0]
    columns = [{"op": "sum.dim_IntList", "args": [{"node": 0}, list(range(1, 1 + len(field.shape)))]}]
    nodes = [{"op": "mul.Tensor", "args": [{"input": field.name}, 0.0]}, *(columns if field.shape else [])]
    graph = {
        "version": 1,
        "inputs": [field.name],
        "constants": {},
        "nodes": nodes,
        "total": {"node": len(nodes) - 1},
        "components": [{"name": "none", "value": {"node": len(nodes) - 1}}],
    }
    job = GroupJob("g00-c00", json.dumps(graph), 0, schedule)
    population = Population(task, [job, replace(job, seed=1)])
    population.advance()
    state = pack(population.state_dict())
    again = start_population(task, Order(tuple(population.jobs), carried=((0, 0), (0, 1))), [state])
    while not again.finished:
        again.advance()
    again.results()


def _confined(task: Task, engine: Engine) -> tuple[LayerReport, ...]:
    if engine.kind == "warp":
        return worker_unconfined("a device needs its files, and kernels are compiled when they are first used")
    try:
        warm_up(task)
    except Exception as error:
        raise_of_task(task, error)
        raise
    return confine_worker()


def _set_up(line: Line, engine: Engine) -> Task | None:
    message = line.receive().message
    assert isinstance(message, Setup)
    try:
        task = load_task(message.task, [Path(folder) for folder in message.task_dirs])
        line.send(Confinement(_confined(task, engine)))
    except EurekaError as error:
        line.send(WorkerFailure(str(error)))
        return None
    return task


def _serve(line: Line, engine: Engine) -> None:
    task = _set_up(line, engine)
    while task is not None:
        received = line.receive()
        order, rest = received.message, memoryview(received.data)
        assert isinstance(order, Order)
        ends = [sum(order.states[: at + 1]) for at in range(len(order.states))]
        states = [bytes(rest[end - size : end]) for end, size in zip(ends, order.states, strict=True)]
        try:
            train(task, order, states, line, engine)
        except EurekaError as error:
            line.send(WorkerFailure(str(error)))


def main() -> None:
    """Serve orders until the parent closes the socket."""
    torch.set_num_threads(1)
    line = Line(int(sys.argv[1]))
    engine = Engine("warp", sys.argv[3]) if sys.argv[2:3] == ["warp"] else Engine()
    if engine.device.startswith("cuda"):
        torch.cuda.set_device(engine.device)  # tensors made without a device are made on this one
    try:
        _serve(line, engine)
    except (EOFError, BrokenPipeError):
        return
