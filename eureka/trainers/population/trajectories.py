"""Whole trajectories of a task under policies of different skill: what rewards are judged on before any training.

They are made once for a task, by training a policy with the task's own human-written reward, and kept in a cache. A
policy taken early in that training and the one at its end act beside random actions.
"""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from eureka.core.errors import TaskError
from eureka.core.training import OwnReward
from eureka.reward.analysis.trajectory import LONGEST, Trajectory
from eureka.tasks import Task
from eureka.tasks.base import state_tensors
from eureka.trainers.population.baselines import trace_baselines
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.policy import load_policy
from eureka.trainers.population.population import Population, stream
from eureka.trainers.population.provenance import digest, provenance
from eureka.trainers.population.recording import SmoothActions, record
from eureka.trainers.population.worlds import Worlds

KINDS = ("random", "half-trained", "trained")
EPISODES = 8
"""Trajectories of each kind."""
_FORMAT = 1
_ROLLOUTS = 5  # a stream of random numbers that no training uses
_STEPS = 200_000
_EARLY = 0.5
"""Share of the training after which a policy counts as half-trained."""


Trajectories = tuple[Trajectory, ...]


def cached_trajectories(task: Task, cache: Path | None, say: Callable[[str], None]) -> Trajectories:
    """The task's trajectories from the cache, or made now, which takes a training, and kept there.

    Args:
        cache: a folder that may be emptied at any time; None keeps nothing.
        say: is given a sentence where they have to be made.

    Raises:
        TaskError: the task's human-written reward cannot be trained with.
    """
    path = cache / f"{task.info.name}_{_key(task)}.pt" if cache else None
    known = _read(path) if path else None
    if known is not None:
        return known
    kept = f"once, then they are kept in {path}" if path else "they are not kept"
    say(
        f"recording trajectories of {task.info.name}: a policy is trained with the task's own human-written reward for "
        f"{_steps(task):,} control steps, and random, half-trained and trained policies act; {kept}"
    )
    made = make_trajectories(task)
    if path:
        _write(path, made)
    return made


def make_trajectories(task: Task) -> Trajectories:
    """Train a policy as for `budget=quick`, and let it and its beginnings act; the same for the same task.

    Raises:
        TaskError: the task's human-written reward cannot be trained with.
    """
    threads = torch.get_num_threads()
    # As in a worker: with more, threads mostly wait for each other on tensors this small.
    torch.set_num_threads(1)
    try:
        policies = (None, *_train(task))
        trajectories = [_roll_out(task, kind, policies[number], number) for number, kind in enumerate(KINDS)]
    finally:
        torch.set_num_threads(threads)
    return tuple(trajectory for rolled_out in trajectories for trajectory in rolled_out)


def _train(task: Task) -> tuple[bytes, bytes]:
    """Policies early in a training with the human-written reward and at its end."""
    graph = trace_baselines(task, record(task).state)[OwnReward.OWN]
    schedule = Schedule(task.info.num_envs, _steps(task), 1, 1, task.info.ppo)
    population = Population(task, [GroupJob("human", graph, 0, schedule)])
    half = b""
    while not population.finished:
        population.advance()
        if not half and population.jobs and population.updates >= _EARLY * population.num_updates:
            half = population.results()[0].policy
    results = population.results()
    if not results:
        raise TaskError(
            f"{task.folder / 'env.py'}: human_reward became NaN or infinite in training, so no trajectories of skilled "
            "policies can be recorded"
        )
    return half, results[0].policy


def _steps(task: Task) -> int:
    """The shortest training that the task has a budget for."""
    return min(task.info.steps.values(), default=_STEPS)


@torch.no_grad()
def _roll_out(task: Task, kind: str, policy: bytes | None, number: int) -> list[Trajectory]:
    generator = stream(number, _ROLLOUTS)
    worlds = Worlds(task, [generator], EPISODES, desynchronise=False)
    act: Callable[[torch.Tensor], torch.Tensor]
    if policy is None:
        act = SmoothActions(EPISODES, task.num_actions, generator)
    else:
        skilled = load_policy(policy)

        def act(observation: torch.Tensor) -> torch.Tensor:
            return skilled(observation[None])[0]

    limit = min(worlds.limit, LONGEST)
    rows: list[dict[str, torch.Tensor]] = []
    values: list[torch.Tensor] = []
    lengths = torch.full((EPISODES,), limit)
    terminated = torch.zeros(EPISODES, dtype=torch.bool)
    for step_number in range(1, limit + 1):
        step = worlds.step(act(worlds.observation))
        rows.append({name: value.clone() for name, value in state_tensors(step.state).items()})
        values.append(task.metric.value(step.state).float().nan_to_num(0.0))
        first = (lengths == limit) & (step.terminated | step.diverged) & ~terminated
        lengths[first] = step_number
        terminated |= first
        worlds.restart(step.terminated | step.diverged)
    metric = torch.stack(values)
    return [
        Trajectory(
            kind,
            {name: torch.stack([row[name][world] for row in rows[: int(lengths[world])]]) for name in rows[0]},
            task.metric.of_episode(metric[: int(lengths[world]), world], limit),
            bool(terminated[world]),
        )
        for world in range(EPISODES)
    ]


# ---- cache -----------------------------------------------------------------------------------------------------------


def _key(task: Task) -> str:
    return digest([provenance(task), str((_FORMAT, EPISODES, LONGEST, _EARLY))])


def _write(path: Path, trajectories: Trajectories) -> None:
    """Keep them, atomically; a cache that cannot be written is no failure."""
    buffer = io.BytesIO()
    torch.save([vars(t) | {"state": dict(t.state)} for t in trajectories], buffer)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(buffer.getbuffer())
        os.replace(partial, path)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _read(path: Path) -> Trajectories | None:
    """What `_write` wrote, or None where there is nothing whole."""
    try:
        saved: list[dict[str, Any]] = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        return None
    return tuple(Trajectory(**entry) for entry in saved)
