"""Reward graphs written by hand, and small schedules."""

import json
from collections.abc import Callable

import pytest

from eureka.tasks.ppo import PPOConfig
from eureka.trainers.population.group import GroupJob, Schedule


def graph(nodes: list[dict[str, object]], inputs: list[str], total: int, components: dict[str, int]) -> str:
    return json.dumps(
        {
            "version": 1,
            "inputs": inputs,
            "constants": {},
            "nodes": nodes,
            "total": {"node": total},
            "components": [{"name": name, "value": {"node": node}} for name, node in components.items()],
        }
    )


@pytest.fixture
def upright_graph() -> str:
    """1 - angle^2, with the two parts as components."""
    angle = {"input": "pole_angle"}
    return graph(
        [
            {"op": "mul.Tensor", "args": [angle, angle]},
            {"op": "neg", "args": [{"node": 0}]},
            {"op": "add.Tensor", "args": [{"node": 1}, 1.0]},
            {"op": "sub.Tensor", "args": [{"node": 2}, {"node": 1}]},
        ],
        ["pole_angle"],
        2,
        {"angle": 1, "alive": 3},
    )


@pytest.fixture
def exploding_graph() -> str:
    """log(0.05 - cart_position): finite near the start, NaN as soon as a cart has rolled 5 cm."""
    position = {"input": "cart_position"}
    return graph(
        [
            {"op": "neg", "args": [position]},
            {"op": "add.Tensor", "args": [{"node": 0}, 0.05]},
            {"op": "log", "args": [{"node": 1}]},
        ],
        ["cart_position"],
        2,
        {"slope": 2},
    )


@pytest.fixture
def schedule() -> Schedule:
    """12 updates of 8 worlds."""
    ppo = PPOConfig(hidden=(16, 16), horizon=16, epochs=2, minibatches=2, learning_rate=1e-3)
    return Schedule(num_envs=8, steps=12 * 8 * 16, checkpoints=2, eval_episodes=3, ppo=ppo)


@pytest.fixture
def make_job(upright_graph: str, schedule: Schedule) -> Callable[..., GroupJob]:
    def make(identity: str, seed: int, text: str | None = None) -> GroupJob:
        return GroupJob(identity, text or upright_graph, seed, schedule)

    return make
