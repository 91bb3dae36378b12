"""A Gymnasium environment as named numbers: its State, transitions of random actions, and what a model is told."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Discrete

from eureka.core.errors import ConfigError
from eureka.core.types import FieldSpec, MetricSpec, TaskSpec
from eureka.trainers.recording import Recording

ACTION = "action"
_MOST_NUMBERS = 256
_NO_LIMIT = 1000
"""The time limit, in control steps, of an environment that has none."""
_NOT_SHOWN = ("reward", "argument", "vectorized", "version", "reference", "citation", "credit")
"""How the headings begin, in lower case, of the sections of an environment's page that a model is not shown."""
_RECORDED_ENVS = 16
_RECORDED_STEPS = 400


def make_environment(identity: str) -> gymnasium.Env[Any, Any]:
    """A registered environment, with a time limit.

    Raises:
        ConfigError: there is no such id, or its spaces are no plain numbers.
    """
    registered = gymnasium.registry.get(identity)
    if registered is None:
        near = difflib.get_close_matches(identity, gymnasium.registry, n=3, cutoff=0.4)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ConfigError(f"env={identity}: Gymnasium has no environment of this name{meant}")
    try:
        env = gymnasium.make(identity, max_episode_steps=registered.max_episode_steps or _NO_LIMIT)
    except gymnasium.error.DependencyNotInstalled as error:
        raise ConfigError(f"env={identity}: it needs another package: {' '.join(str(error).split())}") from error
    _require_numbers(identity, env)
    return env


def _require_numbers(identity: str, env: gymnasium.Env[Any, Any]) -> None:
    seen, action = env.observation_space, env.action_space
    is_image = isinstance(seen, Box) and seen.dtype == np.uint8
    if is_image or not isinstance(seen, Box | Discrete) or not isinstance(action, Box | Discrete):
        raise ConfigError(
            f"env={identity}: observations must be Box or Discrete and no images, and actions Box or Discrete, and "
            f"they are {seen} and {action}: wrap the environment so that it gives plain numbers"
        )
    if isinstance(seen, Box) and int(np.prod(seen.shape)) > _MOST_NUMBERS:
        raise ConfigError(f"env={identity}: {seen} has more than {_MOST_NUMBERS} numbers, too many to name")


def describe(identity: str, env: gymnasium.Env[Any, Any], sentence: str) -> TaskSpec:
    """What is to be learned; the metric is the environment's own return."""
    registered = env.spec
    assert registered is not None
    frames = env.metadata.get("render_fps")
    return TaskSpec(
        name=identity,
        sentence=sentence,
        fields=state_fields(env),
        source=without_reward(inspect.getdoc(type(env.unwrapped)) or f"The Gymnasium environment {identity}."),
        control_step_s=1 / frames if frames else 1.0,
        episode_steps=registered.max_episode_steps or _NO_LIMIT,
        metric=MetricSpec("the environment's own return: the sum of its rewards over an episode", "return"),
    )


def without_reward(page: str) -> str:
    """An environment's own page, as its docstring has it, without how it rewards and what is of no use for a reward.

    Args:
        page: Markdown; a section goes with those below it.
    """
    kept: list[str] = []
    dropped = 0  # the level of the heading that is left out; 0: none
    for line in page.splitlines():
        heading = re.match(r"(#+) *(.*)", line)
        if heading and (not dropped or len(heading[1]) <= dropped):
            dropped = len(heading[1]) if heading[2].lower().startswith(_NOT_SHOWN) else 0
        if not dropped:
            kept.append(line)
    return "\n".join(kept).strip()


def state_fields(env: gymnasium.Env[Any, Any]) -> tuple[FieldSpec, ...]:
    """The State: every number of the observation that follows the action, and the action."""
    seen, action = env.observation_space, env.action_space
    if isinstance(seen, Discrete):
        fields = [FieldSpec("obs", (), "int64", "1", "", f"the observation after the action, one of {seen.n} values")]
    else:
        assert isinstance(seen, Box)
        ends = zip(seen.low.flatten(), seen.high.flatten(), strict=True)
        fields = [
            FieldSpec(f"obs_{i}", (), "float32", "1", "", f"observation {i} after the action, {_between(low, high)}")
            for i, (low, high) in enumerate(ends)
        ]
    if isinstance(action, Discrete):
        fields.append(FieldSpec(ACTION, (), "int64", "1", "", f"the action, one of {action.n} values"))
    else:
        assert isinstance(action, Box)
        shape = (int(np.prod(action.shape)),)
        ends_of_all = _between(action.low.min(), action.high.max())
        fields.append(FieldSpec(ACTION, shape, "float32", "1", "", f"the action, each number {ends_of_all}"))
    return tuple(fields)


def _between(low: float, high: float) -> str:
    return f"between {low:.4g} and {high:.4g}" if np.isfinite(low) and np.isfinite(high) else "without bounds"


def read_state(observation: np.ndarray, action: np.ndarray, *, is_discrete: bool) -> dict[str, torch.Tensor]:
    """The State of transitions as tensors with leading dimension num_envs.

    Args:
        observation: (num_envs, ...) after the action; where an episode ended its last one.
        action: (num_envs,) or (num_envs, ...).
        is_discrete: whether observations are numbers of values.
    """
    rows = len(observation)
    if is_discrete:
        state = {"obs": torch.as_tensor(observation.reshape(rows)).long()}
    else:
        columns = torch.as_tensor(observation.reshape(rows, -1)).float()
        state = {f"obs_{i}": columns[:, i].contiguous() for i in range(columns.shape[1])}
    is_number = np.issubdtype(action.dtype, np.integer)
    state[ACTION] = torch.as_tensor(action).long() if is_number else torch.as_tensor(action.reshape(rows, -1)).float()
    return state


def record_transitions(identity: str, num: int, seed: int) -> Recording:
    """`num` transitions of random actions that are held for a random while; a quarter of them the last of an episode
    where so many ended."""
    generator = np.random.default_rng(seed)
    rows: list[Mapping[str, torch.Tensor]] = []
    rewards: list[float] = []
    ended: list[bool] = []
    env = make_environment(identity)
    env.action_space.seed(seed)
    is_discrete = isinstance(env.observation_space, Discrete)
    for episode in range(_RECORDED_ENVS):
        env.reset(seed=seed * _RECORDED_ENVS + episode)
        held = generator.uniform(0.0, 0.9)
        action = np.asarray(env.action_space.sample())
        for _ in range(_RECORDED_STEPS):
            if generator.random() >= held:
                action = np.asarray(env.action_space.sample())
            observation, reward, terminated, truncated, _ = env.step(action)
            rows.append(read_state(np.asarray(observation)[None], action[None], is_discrete=is_discrete))
            rewards.append(float(reward))
            ended.append(terminated)
            if terminated or truncated:
                env.reset()
    env.close()
    last = np.flatnonzero(ended)
    last = generator.permutation(last)[: num // 4]
    others = generator.permutation(np.flatnonzero(~np.asarray(ended)))[: num - len(last)]
    kept = torch.as_tensor(generator.permutation(np.concatenate([last, others])))
    state = {name: torch.cat([row[name] for row in rows])[kept] for name in rows[0]}
    return Recording(state, torch.tensor(rewards)[kept], torch.tensor(ended)[kept])
