"""Small environments, good and bad, that tests name as `module:Class`."""

from __future__ import annotations

import tempfile
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces


class Walk(gymnasium.Env[Any, Any]):
    """A walk on a line.

    The goal is to be at 1.

    | Num | Observation        | Min  | Max | Unit |
    |-----|--------------------|------|-----|------|
    | 0   | position on a line | -Inf | Inf | m    |
    | 1   | speed (m/s)        | -Inf | Inf |      |

    ## Rewards
    Minus the distance.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, render_mode: str | None = None, goal: float = 1.0) -> None:
        self.observation_space: spaces.Space[Any] = spaces.Box(-np.inf, np.inf, (2,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.render_mode, self.goal = render_mode, goal
        self.position = self.speed = 0.0
        self.steps = 0

    def seen(self) -> Any:
        return np.array([self.position, self.speed], np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.position, self.speed, self.steps = float(self.np_random.uniform(-0.1, 0.1)), 0.0, 0
        return self.seen(), {}

    def step(self, action: Any) -> Any:
        self.speed = float(np.ravel(action)[0])
        self.position += 0.1 * self.speed
        self.steps += 1
        distance = abs(self.position - self.goal)
        reward = -distance
        info = {"is_success": distance < 0.2, "reward_distance": reward, "far": {"away": distance}}
        return self.seen(), reward, abs(self.position) > 2.0, self.steps >= 10, info

    def render(self) -> Any:
        picture = np.zeros((40, 60, 3), np.uint8)
        picture[:, int(np.clip(30 + 10 * self.position, 0, 59))] = 255
        return picture


class Parts(Walk):
    """Observations of several parts."""

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode)
        self.observation_space = spaces.Dict(
            {
                "body": spaces.Dict({"position": spaces.Box(-9, 9, (3,)), "gear": spaces.Discrete(3)}),
                "pair": spaces.Tuple((spaces.MultiBinary(2), spaces.Text(4))),
                "camera": spaces.Box(0, 255, (32, 32, 3), np.uint8),
            }
        )

    def seen(self) -> Any:
        body = {"position": np.array([self.position, 0, 1], np.float32), "gear": self.steps % 3}
        return {"body": body, "pair": (np.array([1, 0]), "word"), "camera": np.zeros((32, 32, 3), np.uint8)}


class LeavesFiles(Walk):
    """As mazes do: every instance leaves a temporary file."""

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode)
        tempfile.NamedTemporaryFile(prefix="maze", delete=False).close()


class RaisesInStep(Walk):
    def step(self, action: Any) -> Any:
        if self.steps == 3:
            raise RuntimeError("the motor\nburned")
        return super().step(action)


class RaisesInReset(Walk):
    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        raise OSError("no licence")


class NotFinite(Walk):
    def seen(self) -> Any:
        return np.array([np.nan if self.steps > 2 else 0.0, 0.0], np.float32)


class ChangesItsSpace(Walk):
    def seen(self) -> Any:
        return np.zeros(2 if self.steps < 3 else 3, np.float32)


class FourValues(Walk):
    def step(self, action: Any) -> Any:
        observation, reward, terminated, _, info = super().step(action)
        return observation, reward, terminated, info


class OldGym:
    """Of the package gym."""

    observation_space = spaces.Box(-1, 1, (1,))

    def step(self, action: Any) -> Any:
        return np.zeros(1), 0.0, False, {}


class Several:
    """Of several agents."""

    possible_agents = ("first", "second")


class Pictures(Walk):
    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode)
        self.observation_space = spaces.Box(0, 255, (64, 64, 3), np.uint8)


class RewardIsText(Walk):
    def step(self, action: Any) -> Any:
        observation, _, *rest = super().step(action)
        return observation, "much", *rest


def hop(env: Any, steps: int, seed: int) -> Any:
    """A trainer: it learns nothing, and always goes right."""
    env.reset(seed=seed)
    for _ in range(steps):
        *_, terminated, truncated, _ = env.step(np.ones(1, np.float32))
        if terminated or truncated:
            env.reset()
    return lambda observation: np.ones(1, np.float32)


def lazy(env: Any, steps: int, seed: int) -> Any:
    """A trainer that does nothing."""


HERE = "gym_environments"
