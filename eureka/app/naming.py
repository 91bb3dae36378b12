"""Names the State of a Gymnasium environment by a language model: `eureka init NAME --env ID --llm`."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from eureka.app.build import make_proposer
from eureka.app.multirun import plan
from eureka.core.costs import Spent
from eureka.core.errors import ConfigError, ProposerError
from eureka.core.text import clean
from eureka.core.types import FieldSpec, Message, Prompt, PromptFacts
from eureka.proposers.base import Proposer
from eureka.proposers.keys import Key
from eureka.proposers.models import ModelAccess, known_endpoints, make_ledger
from eureka.proposers.provider import ModelConfig
from eureka.proposers.registry import default_proposer
from eureka.ui.console import say

_FIXED = ("action",)
"""Fields that keep their names."""
_LONGEST_NAME, _LONGEST_UNIT, _LONGEST_DESCRIPTION = 48, 16, 200
_LONGEST_PAGE = 20_000
_MOST_OBJECTS = 50
"""Maximum number of positions in an answer at which a JSON object is looked for."""

_SYSTEM = (
    "You name the numbers that a reinforcement learning environment gives after every step, for people who write "
    "reward functions of them. Answer with one JSON object and nothing else: each of the given names as a key, with a "
    'list of three texts, ["better_name", "unit", "description"]. A name is lower case words with _ between them and '
    "says what the number is, such as angular_velocity; no two are alike. A unit is such as m, rad or m/s, and 1 for a "
    "pure number. A description is a few words, with the sign's meaning where there is one. Keep a name that you know "
    "nothing better for."
)


def naming_model(
    identity: str, overrides: Sequence[str], environment: Mapping[str, str], keys: Mapping[str, Key]
) -> Proposer:
    """The language model chosen by `llm=` and `llm.KEY=`, or by the API key that is set.

    Raises:
        ConfigError: another override is given, or no language model is available.
        ProposerError: its key is not set.
    """
    other = next((text for text in overrides if not re.match(r"llm[.=]", text)), None)
    if other is not None:
        raise ConfigError(f"init: `{other}`: with --llm, llm=PROVIDER and llm.KEY=VALUE can be given")
    given = [f"env={identity}", "description=to be said", *overrides]
    config = plan(given, (), environment, default_proposer(keys), multirun=False)[0].config
    if not isinstance(config.llm, ModelConfig):
        raise ConfigError(
            f"--llm needs a language model, and llm={config.llm.name} is none: set a key such as "
            "ANTHROPIC_API_KEY, or add llm=local llm.base_url=URL"
        )
    own_urls = frozenset(url for urls in known_endpoints(config.llm, environment).values() for url in urls)
    return make_proposer(config, ModelAccess(keys, make_ledger(config.llm, Spent()), say, own_urls))


def named_by(proposer: Proposer, fields: tuple[FieldSpec, ...], page: str) -> tuple[FieldSpec, ...]:
    """The State with the names, units and descriptions that a language model gives from the environment's page.

    Args:
        page: the text that the model reads, see `WrittenFile`.

    Raises:
        ProposerError: the model gave no answer, or an unusable one.
    """
    rows = [f"{field.name}: {field.unit}, {field.description}" for field in fields if field.name not in _FIXED]
    text = f"The environment:\n\n{page[:_LONGEST_PAGE]}\n\nThe names to be bettered, with unit and what is known:\n\n"
    messages = (Message("system", _SYSTEM), Message("user", text + "\n".join(rows)))
    facts = PromptFacts("naming", 0, 1, fields)
    completion = next(iter(proposer.sample_each({"g01-c01": Prompt(messages, facts)})))
    return read_names(completion.text, fields)


def read_names(answer: str, fields: tuple[FieldSpec, ...]) -> tuple[FieldSpec, ...]:
    """The State with the names of an answer. All values are checked, since they are written into a Python file.

    Raises:
        ProposerError: the answer holds no such object, a name is not a plain Python name, or two are the same.
    """
    said = _object_in(answer, {field.name for field in fields})
    named = []
    for field in fields:
        value = said.get(field.name) if field.name not in _FIXED else None
        if value is None:
            named.append(field)
            continue
        if not isinstance(value, list) or len(value) != 3 or not all(isinstance(text, str) for text in value):
            raise _unusable(f"`{field.name}` has no [name, unit, description]")
        name, unit, description = value
        if not re.fullmatch(r"[a-z_][a-z0-9_]*", name) or keyword.iskeyword(name) or len(name) > _LONGEST_NAME:
            raise _unusable(f"it calls `{field.name}` {name[:60]!r}, which is no plain name")
        unit, description = _plain(unit, _LONGEST_UNIT) or "1", _plain(description, _LONGEST_DESCRIPTION)
        named.append(replace(field, name=name, unit=unit, description=description))
    names = [field.name for field in named]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _unusable(f"it calls two fields `{twice}`")
    return tuple(named)


def _object_in(answer: str, names: set[str]) -> dict[str, Any]:
    decoder = json.JSONDecoder()
    for found in [each.start() for each in re.finditer(r"\{", answer)][:_MOST_OBJECTS]:
        try:
            value, _ = decoder.raw_decode(answer, found)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and names & value.keys():
            return value
    raise _unusable("it holds no JSON object with the fields' names")


def _plain(text: str, longest: int) -> str:
    return " ".join(clean(text, longest).split())


def _unusable(why: str) -> ProposerError:
    return ProposerError(
        f"the language model's answer cannot be used, so nothing was written: {why}; try again, or leave out --llm and "
        "name the fields yourself"
    )
