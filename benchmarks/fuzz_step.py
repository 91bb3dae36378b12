"""What becomes of a reward graph after the parent's checks, in a confined process: trial, screening, a training step.

`warm_up` and `try_graphs` are a preload and a target for the sandbox. Graphs are taken through the very checks that a
candidate's is taken through, then, at training's size, through a rollout's rewards and statistics and a PPO update.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))

from reward_helpers import FIELDS, states

from eureka.reward.analysis import confined
from eureka.reward.analysis.confined import Examination, Examiner
from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.runtime import KERNEL_ERRORS, RewardFunction
from eureka.reward.graph.verify import EagerRun, check
from eureka.reward.trace.wire import pack, unpack
from eureka.sandbox import Finished
from eureka.tasks import load_task
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.population import Population
from eureka.trainers.population.rollout import Rollout
from eureka.trainers.statistics import ComponentRecorder

TARGET = "fuzz_step:try_graphs"
PRELOAD = "fuzz_step:warm_up"
TASK = "ant"
WORLDS = 64
RECORDED = 256

State = Mapping[str, torch.Tensor]


class Trainer(NamedTuple):
    """A population of one group, and a rollout of it with the fields that graphs read in place of its own."""

    population: Population
    rollout: Rollout
    recent: torch.Tensor
    state: State


@dataclass
class FuzzResults:
    """The results for some graphs; seconds are processor time, `slowest_step_s` those of one reward for one row."""

    verdicts: Counter[str] = field(default_factory=Counter)
    harm: list[str] = field(default_factory=list)
    slowest_trial_s: float = 0.0
    slowest_screening_s: float = 0.0
    slowest_step_s: float = 0.0


class _Here:
    """Runs what would be examined in a process of its own in this one, which is one."""

    def run(self, target: str, payload: bytes) -> Finished:
        del target
        return Finished(confined.examine(payload), 0.0)


def real_graph(name: str) -> str:
    """A graph that trains, of a field of one dimension: what is warmed up with."""
    return json.dumps(
        {
            "version": 1,
            "inputs": [name],
            "constants": {"weight": 0.5},
            "nodes": [
                {"op": "mul.Tensor", "args": [{"input": name}, {"constant": "weight"}]},
                {"op": "sum.dim_IntList", "args": [{"node": 0}, [-1]]},
            ],
            "total": {"node": 1},
            "components": [{"name": "part", "value": {"node": 1}}],
        }
    )


@functools.cache
def trainer() -> Trainer:
    """Made once, with a rollout of an untrained policy; updates have one epoch of one minibatch, in small networks."""
    task = load_task(TASK)
    ppo = replace(task.info.ppo, hidden=(8,), epochs=1, minibatches=1)
    schedule = Schedule(WORLDS, steps=2 * WORLDS * ppo.horizon, checkpoints=1, eval_episodes=1, ppo=ppo)
    population = Population(task, [GroupJob("g01-c01", real_graph(task.fields[0].name), 0, schedule)])
    population.advance()  # it draws the noise
    rollout, recent = population._collect()
    state = states(WORLDS * ppo.horizon)
    spread = {name: value.view(1, ppo.horizon, WORLDS, *value.shape[1:]) for name, value in state.items()}
    return Trainer(population, replace(rollout, state=spread), recent, state)


@functools.cache
def recorded() -> dict[str, torch.Tensor]:
    """Transitions to verify and to screen on."""
    return states(RECORDED, seed=1)


def warm_up() -> None:
    """In the zygote: all that is imported, loaded or simulated."""
    torch.set_num_threads(1)
    try_all([real_graph(FIELDS[0].name)], FuzzResults())


def try_graphs(payload: bytes) -> bytes:
    """In the confined child: the graphs of `payload`, one after the other."""
    _hear()
    tried = FuzzResults()
    try_all(unpack(payload).body["graphs"], tried)
    return pack({"tried": vars(tried)}, {})


def try_all(texts: Sequence[str], tried: FuzzResults) -> None:
    """Try every graph, and add the results."""
    for text in texts:
        tried.verdicts[_try(text, tried)] += 1


def _try(text: str, tried: FuzzResults) -> str:
    graph = parse_graph(text)
    function, state = RewardFunction(graph), recorded()
    inputs = {name: state[name] for name in graph.inputs}
    started = time.process_time()
    try:
        total, components = _heard(function, inputs, text, tried)
        run = EagerRun(inputs, total, tuple(components.values()))
        refused = check(graph, FIELDS, [run], WORLDS * trainer().population.config.horizon)
    except KERNEL_ERRORS:
        return "accepted, and torch refuses its first run"
    finally:
        tried.slowest_trial_s = max(tried.slowest_trial_s, time.process_time() - started)
    if refused is not None:
        return "accepted, and its trial refuses it"
    started = time.process_time()
    seen = Examiner(_Here(), state).examine(text)
    assert isinstance(seen, Examination)
    tried.slowest_screening_s = max(tried.slowest_screening_s, time.process_time() - started)
    _step(function, tried)
    return "accepted, passed and trained with"


def _step(function: RewardFunction, tried: FuzzResults) -> None:
    """Compute the reward, record it and update as the trainer does, and time the reward alone."""
    population, rollout, recent, state = trainer()
    population._rewards = [function]
    population.records = [replace(population.records[0], components=ComponentRecorder(function.components))]
    reward, measured = population._reward(rollout, recent)
    population._learn(rollout, reward)
    population._recorded(measured)
    rows = len(next(iter(state.values())))
    seconds = min(_seconds(function, state) for _ in range(2)) / rows
    tried.slowest_step_s = max(tried.slowest_step_s, seconds)


def _seconds(function: RewardFunction, state: State) -> float:
    started = time.process_time()
    function(state)
    return time.process_time() - started


# ---------------------------------------------------------------------------------------------- what it touches

_events: list[str] = []
_listening = False


def _hear() -> None:
    sys.addaudithook(lambda event, _: _events.append(event) if _listening else None)


def _heard(
    function: RewardFunction, state: State, text: str, tried: FuzzResults
) -> tuple[torch.Tensor, dict[str, Any]]:
    """A reward's results; every audit event (a file, a socket, an import, a process) counts as harm."""
    global _listening
    _events.clear()
    _listening = True
    try:
        return function(state)
    finally:
        _listening = False
        if _events:
            tried.harm.append(f"{sorted(set(_events))}: {text}")
