"""Observation and action spaces as plain numbers, for policies and for State fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from eureka.core.errors import ConfigError

MOST_NUMBERS = 256
"""Maximum number of values in an observation, so that each can be named."""
_IMAGE_SIDE = 16
"""Minimum side of a picture in pixels; smaller three-dimensional integer arrays are grids of cells."""
NUMBERS = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


@dataclass(frozen=True)
class Leaf:
    """One numeric part of an observation: its path (keys of a Dict, indices of a Tuple), and its space."""

    path: tuple[str | int, ...]
    space: gymnasium.Space[Any]

    @property
    def name(self) -> str:
        """Its keys, joined; `obs` if the observation is this part alone."""
        name = re.sub(r"\W", "_", "_".join(map(str, self.path)))
        return f"obs_{name}".rstrip("_") if not name or name[0].isdigit() else name

    def read(self, observation: Any) -> Any:
        """The value of this part in an observation."""
        for key in self.path:
            observation = observation[key]
        return observation


def leaves_of(space: gymnasium.Space[Any], path: tuple[str | int, ...] = ()) -> tuple[list[Leaf], list[str]]:
    """The numeric parts of an observation, and the names of the omitted ones: pictures, texts, graphs, sequences."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        parts = space.spaces.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces)
        leaves: list[Leaf] = []
        left_out: list[str] = []
        for key, part in parts:
            inner, without = leaves_of(part, (*path, key))
            leaves += inner
            left_out += without
        return leaves, left_out
    if isinstance(space, NUMBERS) and not is_picture(space):
        return [Leaf(path, space)], []
    return [], ["_".join(map(str, path)) or "the observation"]


def is_picture(space: gymnasium.Space[Any]) -> bool:
    """Whether a space is an image rather than a table of numbers."""
    if not isinstance(space, spaces.Box) or len(space.shape) < 2 or not np.issubdtype(space.dtype, np.integer):
        return False
    return sum(side >= _IMAGE_SIDE for side in space.shape) >= 2


def require_numbers(identity: str, env: gymnasium.Env[Any, Any]) -> list[Leaf]:
    """The parts of the observation that form the State.

    Raises:
        ConfigError: there is no numeric part, there are too many numbers, or the actions are not plain numbers.
    """
    leaves, left_out = leaves_of(env.observation_space)
    if not leaves:
        raise ConfigError(
            f"env={identity}: its observation {env.observation_space} has no plain numbers ({', '.join(left_out)}), of "
            "which a reward could be made: give a file (`eureka init NAME --env ID`) whose `make` wraps it so that it "
            "gives numbers, such as positions from its `unwrapped` attributes"
        )
    numbers = sum(int(np.prod(leaf.space.shape or ())) for leaf in leaves)
    if numbers > MOST_NUMBERS:
        raise ConfigError(
            f"env={identity}: its observation has {numbers} numbers, and more than {MOST_NUMBERS} are too many to "
            "name: give a file (`eureka init NAME --env ID`) whose `make` wraps it so that fewer are left"
        )
    if not isinstance(env.action_space, NUMBERS):
        raise ConfigError(
            f"env={identity}: its action is {env.action_space}, and Box, Discrete, MultiDiscrete or MultiBinary is "
            "needed: wrap it with gymnasium.wrappers.TransformAction"
        )
    return leaves


def is_plain(space: gymnasium.Space[Any]) -> bool:
    """Whether Stable-Baselines3 accepts observations of a space unchanged: a discrete value or a vector."""
    return isinstance(space, spaces.Discrete) or (isinstance(space, spaces.Box) and len(space.shape) == 1)


class PlainObservation(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Flattens observations of any structure to one float32 vector, with the parts in the order of `leaves`.

    A Discrete part is one-hot encoded. Parts that are not numeric are omitted.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], leaves: list[Leaf]) -> None:
        super().__init__(env)
        self._leaves = leaves
        size = sum(spaces.flatdim(leaf.space) for leaf in leaves)
        self.observation_space = spaces.Box(-np.inf, np.inf, (size,), np.float32)

    def observation(self, observation: Any) -> np.ndarray:
        """The flattened observation."""
        parts = [spaces.flatten(leaf.space, leaf.read(observation)) for leaf in self._leaves]
        return np.concatenate([np.asarray(part, np.float32) for part in parts])


def bounds_text(space: gymnasium.Space[Any], index: int | None = None) -> str:
    """The bounds of a space or of one of its numbers, such as `between -1 and 1`; empty if there are none."""
    if isinstance(space, spaces.Discrete):
        return f"one of {space.n} values from {space.start}"
    if isinstance(space, spaces.MultiDiscrete):
        return f"each below {np.asarray(space.nvec).ravel().tolist()}"
    if isinstance(space, spaces.MultiBinary):
        return "each 0 or 1"
    assert isinstance(space, spaces.Box)
    low, high = space.low.ravel(), space.high.ravel()
    ends = (low.min(), high.max()) if index is None else (low[index], high[index])
    bounded = all(np.isfinite(ends)) and max(map(abs, ends)) < 1e30
    return f"between {ends[0] + 0.0:.4g} and {ends[1] + 0.0:.4g}" if bounded else ""


def dtype_of(space: gymnasium.Space[Any]) -> str:
    """The dtype of a part's State field: `int64` for categorical numbers, else `float32`."""
    return "int64" if isinstance(space, spaces.Discrete | spaces.MultiDiscrete) else "float32"
