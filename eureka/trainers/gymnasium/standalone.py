"""Writes one file with a reward, the State that it reads and its environment, for training without Eureka."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import gymnasium

from eureka.core.errors import ConfigError, EurekaError
from eureka.reward.export import module_parts
from eureka.trainers.gymnasium.environment import EnvironmentMaker
from eureka.trainers.gymnasium.packages import registering_module
from eureka.trainers.gymnasium.recipe import EnvironmentRecipe
from eureka.trainers.gymnasium.spaces import leaves_of


def standalone_file(module: str, recipe: EnvironmentRecipe, name: str) -> str:
    """The text of the file.

    Args:
        module: the exported module's text.
        recipe: the environment of the run.
        name: module name of the file.

    Raises:
        ConfigError, TaskError: the environment cannot be made here.
        EurekaError: a name in the environment's file conflicts with another one here.
    """
    maker = EnvironmentMaker(recipe)
    env = maker.definition.make()
    leaves, _ = leaves_of(env.observation_space)
    env.close()
    head, reward = module_parts(module)
    described, made, state = _parts(maker, reward)
    return _FILE.format(
        head=head,
        name=name,
        reward=reward,
        described=described,
        fields=repr(tuple((each.name, each.shape, each.dtype) for each in maker.reader.fields)),
        paths=repr(tuple(leaf.path for leaf in leaves)),
        made=made,
        kwargs=repr(json.loads(recipe.kwargs)),
        wrappers=_wrappers(recipe),
        state=state,
    )


def _parts(maker: EnvironmentMaker, reward: str) -> tuple[str, str, str]:
    """The environment's own code, the code that makes an environment, and the code that reads its State."""
    identity = maker.definition.recipe.identity
    described = maker.definition.described
    if maker.definition.files and identity.endswith(".py"):
        text = _without_head(Path(identity).read_text(encoding="utf-8"))
        _require_apart(text, reward, identity)
        if described is not None:
            name = type(described).__name__
            return f"{text}\n\n_DESCRIBED = {name}()", "_DESCRIBED.make(**kwargs)", _OWN_STATE
        return text, f"{maker.definition.maker.__name__}(**kwargs)", _SPACES_STATE
    module, colon, name = identity.rpartition(":")
    if colon and name not in gymnasium.registry:
        imported = f"from {module} import {name}"
        if described is not None:
            return f"{imported}\n\n_DESCRIBED = {name}()", "_DESCRIBED.make(**kwargs)", _OWN_STATE
        return imported, f"{name}(**kwargs)", _SPACES_STATE
    module = registering_module(identity)
    imported = f"import {module}  # registers the environment" if module else ""
    return imported, f'gymnasium.make("{name}", **kwargs)', _SPACES_STATE


def _without_head(text: str) -> str:
    """A file's text without docstring and `from __future__`, which must be at the top of a file."""
    tree = ast.parse(text)
    lines = text.splitlines()
    for number, node in enumerate(tree.body):
        is_doc = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_doc or (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            for line in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[line] = ""
    return "\n".join(lines).strip()


def _require_apart(text: str, reward: str, identity: str) -> None:
    own = {"RewardWrapper", "Step", "make_environment", "_FIELDS", "_PATHS", "_DESCRIBED", "_state", "_tensors"}
    own |= {node.name for node in ast.parse(reward).body if isinstance(node, ast.FunctionDef)}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in own:
            raise EurekaError(f"{identity}: it defines `{node.name}`, which a file that stands alone needs: rename it")


def _wrappers(recipe: EnvironmentRecipe) -> str:
    """One line of code per wrapper."""
    lines = []
    for given in filter(None, (name.strip() for name in recipe.wrappers.split(","))):
        module, colon, name = given.rpartition(":")
        if not colon:
            lines.append(f"    env = gymnasium.wrappers.{name}(env)")
            continue
        if not all(part.isidentifier() for part in [*module.split("."), name]):
            raise ConfigError(f"env.wrappers={given}: is no name that Python can import")
        lines += [f"    from {module} import {name}", "", f"    env = {name}(env)"]
    return "\n".join(lines) or "    # no wrappers"


_OWN_STATE = """    return {name: np.asarray(value) for name, value in _DESCRIBED.state(step).items()}"""

_SPACES_STATE = """    values = []
    for path in _PATHS:
        part = step.observation
        for key in path:
            part = part[key]
        values.append(np.ravel(part))
    row = np.concatenate([*values, np.ravel(step.action)], dtype=np.float64)
    state, at = {}, 0
    for name, shape, _ in _FIELDS:
        size = int(np.prod(shape))
        state[name] = row[at : at + size].reshape(shape)
        at += size
    return state"""

_FILE = '''"""{head}

The reward with its environment, in one file: it needs torch, numpy, gymnasium and what the environment needs. Put it
beside your training script:

    from {name} import RewardWrapper, make_environment

    env = make_environment()                 # the environment with the reward in place of its own
    env = RewardWrapper(gymnasium.make(...)) # or around one that you make; the State is read from the step
    stable_baselines3.PPO("MlpPolicy", env).learn(100_000)

`step` adds to `info` what the reward is made of, `reward_components`, and `environment_reward`.
"""

{reward}


# ---- the environment ------------------------------------------------------------------------------------------------

import dataclasses
from typing import Any

import gymnasium
import numpy as np

{described}

_FIELDS = {fields}
"""Name, shape and type of what the State holds."""
_PATHS = {paths}
"""Where its parts stand in an observation."""


@dataclasses.dataclass
class Step:
    """One control step: what came after the action, and what was before it."""

    observation: Any
    action: Any
    info: Any
    previous_observation: Any
    previous_action: Any
    previous_info: Any
    env: Any


def make_environment(**kwargs: Any) -> gymnasium.Env:
    """The environment of the search, with the reward in place of its own."""
    kwargs = {{**{kwargs}, **kwargs}}
    env = {made}
{wrappers}
    return RewardWrapper(env)


def _state(step: Step) -> dict[str, np.ndarray]:
    """The State after a step, by name."""
{state}


def _tensors(state: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """The same with a leading dimension of one environment."""
    types = {{name: getattr(torch, dtype) for name, _, dtype in _FIELDS}}
    return {{name: torch.as_tensor(np.asarray(value))[None].to(types[name]) for name, value in state.items()}}


class RewardWrapper(gymnasium.Wrapper):
    """Pays the reward of this file in place of the environment's own."""

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        self._before: Any = (None, {{}})
        self._action: Any = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self._before, self._action = self.env.reset(seed=seed, options=options), None
        return self._before

    def step(self, action: Any) -> Any:
        observation, own, terminated, truncated, info = self.env.step(action)
        previous = action if self._action is None else self._action
        step = Step(observation, action, info, *self._before[:1], previous, self._before[1], self.env.unwrapped)
        self._before, self._action = (observation, info), action
        state = _tensors(_state(step))
        total, components = compute_reward_from_state(state)
        parts = {{name: float(value[0]) for name, value in components.items()}}
        return observation, float(total[0]), terminated, truncated, {{
            **info,
            "reward_components": parts,
            "environment_reward": float(own),
        }}
'''
