"""Writes the file of `eureka init NAME --env ID`: one small class, to be edited."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import gymnasium
import numpy as np

from eureka.core.errors import ConfigError
from eureka.core.text import class_name
from eureka.core.types import FieldSpec
from eureka.trainers.gymnasium.describing import step_without_reward
from eureka.trainers.gymnasium.environment import EnvironmentMaker, page_of
from eureka.trainers.gymnasium.metric import RETURN
from eureka.trainers.gymnasium.packages import registering_module
from eureka.trainers.gymnasium.page import goal_sentence, without_reward
from eureka.trainers.gymnasium.recipe import EnvironmentRecipe
from eureka.trainers.gymnasium.spaces import Leaf, require_numbers
from eureka.trainers.gymnasium.state import ACTION

_EPISODES = 3
_STEPS = 1000
_WIDTH = 110


@dataclass(frozen=True)
class WrittenFile:
    """The written file, and information for the user.

    Attributes:
        text: text of the file.
        sentence: what the policy should do, from the environment's page; empty where there is none.
        fields: the State.
        info: keys of the environment's `info` in random episodes, with an example of each.
        page: the text that a language model may read: the environment's page and the source of its `step`, both without
            rewards.
    """

    text: str
    sentence: str
    fields: tuple[FieldSpec, ...]
    info: dict[str, str]
    page: str


def environment_file(identity: str, name: str, folder: str, fields: tuple[FieldSpec, ...] | None = None) -> WrittenFile:
    """A file for an environment that `env=` can name: its State by the observation space, with names and units from the
    table of its page; a sentence from that page; the metric; and the `info` keys of a few random episodes.

    Args:
        identity: an id, or `module:Class`.
        name: name of the file, without `.py`.
        folder: folder searched last for modules.
        fields: the State with other names, units and descriptions; None: as derived from spaces and page.

    Raises:
        ConfigError, TaskError: the environment cannot be used, see `EnvironmentMaker`.
    """
    maker = EnvironmentMaker(EnvironmentRecipe(identity, folder=folder))
    env = maker.make()
    page = page_of(env)
    leaves = require_numbers(identity, env.env)
    sentence = goal_sentence(page)
    info = _info_keys(maker)
    fields = fields or maker.reader.fields
    lines = _state_lines(leaves, fields)
    text = _TEMPLATE.format(
        identity=identity,
        name=name,
        class_name=class_name(name, "Environment"),
        sentence=_string(sentence or "SAY HERE WHAT THE POLICY SHOULD DO", 4),
        confirm="from the environment's page: is it what you want?" if sentence else "its page does not say it",
        imports=_imports(identity),
        make=_make(identity),
        fields=_field_lines(fields),
        state=textwrap.indent("\n".join(lines), " " * 12),
        metric=_metric_lines(info),
    )
    try:
        step = step_without_reward(type(env.unwrapped))
    except ConfigError:  # there is no source
        step = ""
    env.close()
    return WrittenFile(text, sentence, fields, info, f"{without_reward(page)}\n\n{step}".strip())


_TEMPLATE = '''"""{identity} for a search of rewards: eureka run env={name}.py

This is your own code: it runs as such, and the language model is shown the sentence, the fields and the environment's
page, never the metric.
"""

{imports}


class {class_name}:
    # What the policy should do ({confirm})
    sentence = {sentence}

    # Unit and meaning of what `state` gives; shown to the language model.
    fields = {{
{fields}
    }}

    # What judges a policy; never shown.
{metric}

    def make(self, **kwargs):
        """The environment; kwargs are render_mode and what env.kwargs.NAME= gives."""
        {make}

    def state(self, step):
        """What a reward may read, as named numbers or arrays, after every control step.

        step.observation, step.action, step.info; the previous ones as step.previous_observation and so on; and
        step.env, the environment itself, for its attributes and functions.
        """
        return {{
{state}
        }}
'''


def _imports(identity: str) -> str:
    module, _, name = identity.rpartition(":")
    if name not in gymnasium.registry:
        return f"from {module} import {name} as _{name}"
    module = registering_module(identity)
    return f"import gymnasium\n\nimport {module}  # registers the environment" if module else "import gymnasium"


def _make(identity: str) -> str:
    _, _, name = identity.rpartition(":")
    if name not in gymnasium.registry:
        return f"return _{name}(**kwargs)"
    return f'return gymnasium.make("{name}", **kwargs)'


def _string(text: str, indent: int) -> str:
    """A string literal, in brackets over several lines if it is long."""
    if len(text) + indent < _WIDTH - 12:
        return _quoted(text)
    parts = textwrap.wrap(text, _WIDTH - indent - 8, drop_whitespace=False, break_on_hyphens=False)
    inner = "\n".join(" " * (indent + 4) + _quoted(part) for part in parts)
    return f"(\n{inner}\n{' ' * indent})"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _field_lines(fields: tuple[FieldSpec, ...]) -> str:
    lines = [f"{_quoted(f.name)}: ({_quoted(f.unit)}, {_string(f.description, 8)})," for f in fields]
    return textwrap.indent("\n".join(lines), " " * 8)


def _state_lines(leaves: list[Leaf], fields: tuple[FieldSpec, ...]) -> list[str]:
    """A line such as `"height": step.observation[0],` for each field, in the order of the State."""
    lines: list[str] = []
    left = [each for each in fields if each.name != ACTION]
    for leaf in leaves:
        shape = tuple(leaf.space.shape or ())
        source = "step.observation" + "".join(f"[{key!r}]".replace("'", '"') for key in leaf.path)
        size = int(np.prod(shape))
        if left and left[0].shape == shape:
            lines.append(f"{_quoted(left.pop(0).name)}: {source},")
            continue
        lines += [f"{_quoted(left.pop(0).name)}: {source}[{index}]," for index in range(size)]
    lines.append(f'"{ACTION}": step.action,')
    return lines


def _info_keys(maker: EnvironmentMaker) -> dict[str, str]:
    """Keys of `info` that hold a number, with one of its values, from a few random episodes."""
    env = maker.make()
    env.action_space.seed(0)
    found: dict[str, str] = {}
    try:
        for seed in range(_EPISODES):
            env.reset(seed=seed)
            for _ in range(_STEPS):
                step, _, terminated, truncated = env.transition(env.action_space.sample())
                for key, value in step.info.items():
                    if isinstance(value, bool | int | float | np.number | np.bool_):
                        found[str(key)] = f"{float(value):.3g}"
                if terminated or truncated:
                    break
    finally:
        env.close()
    return found


def _metric_lines(info: dict[str, str]) -> str:
    entries = ", ".join(f"info.{key} (such as {value})" for key, value in info.items()) or "none that is a number"
    told = textwrap.wrap(
        f"{RETURN} is the sum of the environment's own rewards. An entry of its info can be the metric: {entries}. "
        "any:, max:, min:, mean: or sum: before it takes all steps of an episode and not the last. Or write a function "
        "metric(self, episode) that gives a number, of episode.observations, .actions, .infos, .rewards, .state and "
        ".terminated.",
        _WIDTH - 6,
    )
    success = next((key for key in info if "success" in key), None)
    chosen = f"info.{success}" if success else RETURN
    return "\n".join([*(f"    # {line}" for line in told), f"    metric = {_quoted(chosen)}"])
