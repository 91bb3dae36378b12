"""A reward in an environment that keeps its target in a Python attribute, and in a goal-conditioned one.

The task (written to a folder here, to be one file) draws its target at random. The environment has a target of its own,
which `carry` reads, and computes rewards of other goals, which `state_from_goals` answers by the module.

python examples/goal_in_an_attribute.py [--steps 3]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from eureka.wrappers import RewardWrapper

TASK_YAML = """
description: Move the cart to the target.
model: gymnasium:inverted_pendulum.xml
max_episode_steps: 100
physics: {integrator: rk4, timestep_s: 0.02, substeps: 2}
num_envs: 16
steps: {quick: 8192}
"""
ENV_PY = """
from dataclasses import dataclass

import torch

from eureka.physics import Snapshot
from eureka.tasks import Metric, Reset, Task, state_field


class Reach(Task):
    @dataclass(frozen=True)
    class Carry:
        target: torch.Tensor  # (num_envs,), metres

    @dataclass(frozen=True)
    class State:
        cart_position: torch.Tensor = state_field((), "m", "world", "place of the cart on its rail")
        target_position: torch.Tensor = state_field((), "m", "world", "where it should be, new in every episode")

    def reset(self, rng, num):
        qpos, qvel = torch.zeros(num, 2), torch.zeros(num, 2)
        return Reset(qpos, qvel, self.start(Snapshot(qpos, qvel), rng))

    def start(self, sim, rng):
        return self.Carry(rng.uniform(-0.8, 0.8, (sim.num_envs,)))

    def advance(self, carry, sim, action, rng):
        return carry

    def state(self, sim, carry, action):
        return self.State(cart_position=sim.qpos[:, 0], target_position=carry.target)

    def observe(self, state):
        return torch.stack([state.cart_position, state.target_position], dim=1)

    def terminated(self, state):
        return torch.zeros_like(state.cart_position, dtype=torch.bool)

    @property
    def metric(self):
        return Metric(
            value=lambda state: (state.cart_position - state.target_position).abs() < 0.05,
            reduce="mean",
            unit="of the time",
            description="time within 5 cm of the target",
        )

    def human_reward(self, state):
        return -(state.cart_position - state.target_position).abs(), {}
"""
REWARD_PY = """
from typing import Dict, Tuple

import torch

TASK: str = "reach"
INPUTS: Tuple[str, ...] = ("cart_position", "target_position")
COMPONENTS: Tuple[str, ...] = ("near",)


def compute_reward_from_state(state: Dict[str, torch.Tensor]) -> Tuple[torch.Tensor, Dict[str, torch.Tensor]]:
    near = -(state["cart_position"] - state["target_position"]).abs()
    return near, {"near": near}
"""


class CartWithGoal(gymnasium.Env[Any, Any]):
    """Gymnasium's InvertedPendulum-v5 with a goal that no part of the simulation knows of."""

    def __init__(self) -> None:
        self._inner = gymnasium.make("InvertedPendulum-v5").unwrapped
        self.observation_space, self.action_space = self._inner.observation_space, self._inner.action_space
        self.goal = 0.0

    @property
    def model(self) -> Any:
        return self._inner.model  # type: ignore[attr-defined]

    @property
    def data(self) -> Any:
        return self._inner.data  # type: ignore[attr-defined]

    @property
    def dt(self) -> float:
        return float(self._inner.dt)  # type: ignore[attr-defined]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed, options=options)
        self.goal = float(self.np_random.uniform(-0.8, 0.8))
        return self._inner.reset(seed=seed)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, _, _, _, _ = self._inner.step(action)
        return observation, 0.0, False, False, {}

    def compute_reward(self, achieved_goal: Any, desired_goal: Any, info: Any) -> Any:
        """The environment's own: whether the goal is reached."""
        del info
        return -(np.abs(np.asarray(achieved_goal) - np.asarray(desired_goal)).max(axis=-1) > 0.05).astype(np.float64)


def state_from_goals(achieved: np.ndarray, desired: np.ndarray, infos: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The State of n transitions with other goals; `infos[i]["state"]` has what does not depend on the goal."""
    del infos
    return {"cart_position": achieved[:, 0], "target_position": desired[:, 0]}


def wrapped(folder: Path) -> RewardWrapper:
    """The environment with the module's reward, whose files are written into `folder`."""
    task = folder / "reach"
    task.mkdir()
    (task / "task.yaml").write_text(TASK_YAML)
    (task / "env.py").write_text(ENV_PY)
    (folder / "reward.py").write_text(REWARD_PY)
    return RewardWrapper(
        CartWithGoal(),
        folder / "reward.py",
        task_dirs=[folder],
        carry={"target": lambda env: env.unwrapped.goal},
        state_from_goals=state_from_goals,
    )


def main() -> None:
    """Print what a few steps are paid, and what other goals would have been."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        env = wrapped(Path(folder))
        env.reset(seed=0)
        for _ in range(options.steps):
            _, reward, _, _, info = env.step(np.ones(1, np.float32))
            cart, target = info["state"]["cart_position"], info["state"]["target_position"]
            print(f"cart at {cart:.3f} m, target at {target:.3f} m: reward {float(reward):.3f}")
        rewards = env.compute_reward(np.array([[0.1], [0.1]]), np.array([[0.1], [0.4]]), [info, info])
        print(f"of two other goals: {', '.join(f'{value:.1f}' for value in rewards)}")


if __name__ == "__main__":
    main()
