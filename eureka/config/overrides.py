"""Checks overrides such as `search.samples=4` as text: the existing keys, and one sentence for each error."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from eureka.config.environments import PREFIXED
from eureka.config.schema import BUDGETS, PRESETS, Choices, RunConfig
from eureka.core.errors import ConfigError

_SHORT = {"env": "env.id"}
_ARGUMENT = r"env\.kwargs\.[A-Za-z_]\w*"
"""Pattern of keys for an environment's arguments, one key per argument."""
_OF_ENVIRONMENTS = ("metric", "trainer", "train.hyperparameters")
_SHOWN = 200
AUTO = "auto"
"""`llm=auto`: the language model whose key is set, else program_search."""


def groups(choices: Choices) -> dict[str, tuple[str, ...]]:
    """Keys that choose a preset or a kind of config, with their choices."""
    return {"budget": tuple(BUDGETS), "preset": tuple(PRESETS), "llm": (AUTO, *choices.llm)}


def split(overrides: Sequence[str], choices: Choices) -> dict[str, str]:
    """The keys and raw values of `key=value` texts, with the keys checked."""
    types = _all_keys(choices)
    choosing = groups(choices)
    values: dict[str, str] = {}
    for text in overrides:
        key, equals, value = text.partition("=")
        key = _SHORT.get(key, key)
        if not equals:
            raise ConfigError(f"`{text}` is not of the form key=value; for example task=ant search.samples=4")
        if key not in types and key not in choosing and not re.fullmatch(_ARGUMENT, key):
            raise ConfigError(unknown(f"`{text}`", key, [*choosing, *types], "", what="key"))
        values.pop(key, None)
        values[key] = value
    return values


def _all_keys(choices: Choices) -> dict[str, Any]:
    """Every key that takes a value, with its type; groups and the names of their choices are excluded."""
    keys = keys_of(RunConfig, "")
    for cls in choices.llm.values():
        keys.update(keys_of(cls, "llm."))
    return {key: wanted for key, wanted in keys.items() if key not in ("budget", "preset", "llm", "llm.name")}


def keys_of(cls: type[Any], prefix: str) -> dict[str, Any]:
    """The keys below a config class, each with its type: `{"search.samples": int, ...}`."""
    keys: dict[str, Any] = {}
    hints = get_type_hints(cls)
    for name in (entry.name for entry in dataclasses.fields(cls)):
        wanted = hints[name]
        if dataclasses.is_dataclass(wanted) and isinstance(wanted, type):
            keys.update(keys_of(wanted, f"{prefix}{name}."))
        else:
            keys[prefix + name] = wanted
    return keys


def require_own_key(key: str, proposer: str, choices: Choices) -> None:
    """Raise ConfigError if `llm=<proposer>` has no such `llm.*` key; the message names those that have it."""
    if key not in keys_of(choices.llm[proposer], "llm."):
        owners = [f"llm={name}" for name, cls in choices.llm.items() if key in keys_of(cls, "llm.")]
        raise ConfigError(f"`{key}` belongs to {listed(owners)}, and this run has llm={proposer}")


def require_task(values: Mapping[str, str], task_dirs: Sequence[Path]) -> None:
    """Raise ConfigError unless exactly one existing task or environment is given."""
    simulator = values.get("env.id", "").partition(":")[0]
    for key in values:
        owner = key.partition(".")[0]
        if owner in PREFIXED and owner != simulator:
            raise ConfigError(f"{key}= is about env={owner}:ID, which this run does not have")
    if "env.id" in values:
        if "task" in values:
            raise ConfigError(f"task={values['task']} and env={values['env.id']}: give one of them")
        return
    for key in values:
        if key.startswith("env.") or key in _OF_ENVIRONMENTS:
            raise ConfigError(f"{key}= is about an environment that env= names, and none is given")
    from eureka.tasks import find_tasks

    names = list(find_tasks(task_dirs))
    if "task" not in values:
        raise ConfigError(
            f"no task given: add task=NAME, or env=ID for a Gymnasium environment; the tasks are {listed(names)}"
        )
    if values["task"] not in names:
        hint = "; --task-dir adds your own"
        raise ConfigError(unknown(f"task={values['task']}", values["task"], names, "task=") + hint)


def unknown(given: str, word: str, valid: Sequence[str], prefix: str, what: str = "choice") -> str:
    """A sentence that names the unknown word, the nearest valid one, and all valid ones."""
    by_last_part = {name.rpartition(".")[2]: name for name in valid}
    near = difflib.get_close_matches(word.strip("+~"), [*valid, *by_last_part], n=1, cutoff=0.5)
    meant = f" (did you mean {prefix}{by_last_part.get(near[0], near[0])}?)" if near else ""
    return f"{given}: there is no such {what}{meant}; valid ones are {listed(valid)}"


def listed(names: Iterable[str]) -> str:
    """Names as text: `a, b, c`."""
    return ", ".join(names)


def _wanted(hint: Any) -> str:
    """A description of the values of this type."""
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    if get_origin(hint) is dict:
        return "keys with values, such as {continuous: true}"
    if get_origin(hint) is UnionType:
        members = [member for member in get_args(hint) if member is not type(None)]
        return f"{_wanted(members[0])} or null"
    return words[hint]


def refusal(key: str, value: str, choices: Choices) -> str:
    """One sentence for a value that does not fit its key's type."""
    hint = _all_keys(choices).get(key)
    if hint is None:
        return f"{key}={value}: expected one value, such as true, 0.5 or a text in quotes"
    enums = [member for member in (hint, *get_args(hint)) if isinstance(member, type) and issubclass(member, StrEnum)]
    if enums:
        return unknown(f"{key}={value}", value, list(enums[0]), f"{key}=")
    return f"{key}={value}: expected {_wanted(hint)}"


def quoted(key: str, value: str, choices: Choices) -> str:
    """`key=value` for Hydra, texts in quotes, so that a path may hold spaces, commas, brackets and equals signs."""
    is_text = _all_keys(choices).get(key) in (str, str | None)
    if not is_text or value == "null" or value[:1] in ("'", '"'):
        return f"{key}={value}"
    # Inside Hydra's quotes a backslash counts only before a quote or at the end.
    escaped = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), value)
    return f"{key}='{escaped}'"
