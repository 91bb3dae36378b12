"""The reference of all configuration keys: type, default, meaning, and values in presets."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from eureka.config.overrides import groups
from eureka.config.schema import BUDGETS, PRESETS, Choices, RunConfig
from eureka.core.errors import ConfigError

_WORDS = {int: "whole number", float: "number", bool: "true or false", str: "text", dict: "keys and values"}


@dataclass(frozen=True)
class ConfigKey:
    """One key.

    Attributes:
        name: the full name, such as `search.samples`.
        kind: description of its values; for a choice, the values.
        default: the default as text; for `llm.*`, by provider if they differ.
        meaning: its documentation.
        minimum: the lowest number; None: none.
        presets: its values in `budget=` and `preset=` choices that set it, by choice.
        owners: the `llm=` choices that have it; empty for keys of all runs.
    """

    name: str
    kind: str
    default: str
    meaning: str
    minimum: float | None
    presets: Mapping[str, str]
    owners: tuple[str, ...] = ()


def reference(choices: Choices) -> list[ConfigKey]:
    """Every key, in the order of the configuration; those of `llm=` last, with the providers that have them."""
    keys = [key for key in _keys_of(RunConfig(), "", choices) if not key.name.startswith("llm.")]
    found: dict[str, list[tuple[str, ConfigKey]]] = {}
    for provider, cls in choices.llm.items():
        for key in _keys_of(cls(), "llm.", choices):
            if key.name != "llm.name":
                found.setdefault(key.name, []).append((provider, key))
    for same in found.values():
        first = same[0][1]
        defaults = dict.fromkeys(key.default for _, key in same)
        default = first.default
        if len(defaults) > 1:
            default = "; ".join(
                f"{value} ({', '.join(p for p, key in same if key.default == value)})" for value in defaults
            )
        owners = tuple(provider for provider, _ in same)
        keys.append(dataclasses.replace(first, default=default, owners=owners))
    return keys


def keys_about(word: str, choices: Choices) -> list[ConfigKey]:
    """The key of this name, or all below it: `search` has `search.samples` and others.

    Raises:
        ConfigError: there is none; the message names the nearest one.
    """
    keys = reference(choices)
    name = word.rstrip(".")
    found = [key for key in keys if key.name == name or key.name.startswith(f"{name}.")]
    if not found:
        found = [key for key in keys if key.name.rpartition(".")[2] == name]
    if not found:
        names = [key.name for key in keys]
        words = dict.fromkeys([*(name.partition(".")[0] for name in names), *names])
        near = difflib.get_close_matches(word, list(words), n=3)
        meant = f" (did you mean {' or '.join(near)}?)" if near else ""
        raise ConfigError(f"`{word}`: there is no such key{meant}; `eureka config` lists them all")
    return found


def _keys_of(part: Any, prefix: str, choices: Choices) -> Iterator[ConfigKey]:
    hints, texts = get_type_hints(type(part)), documentation(type(part))
    for entry in dataclasses.fields(part):
        name, hint = prefix + entry.name, hints[entry.name]
        if dataclasses.is_dataclass(hint) and name != "llm":
            yield from _keys_of(getattr(part, entry.name), f"{name}.", choices)
            continue
        chosen = groups(choices).get(name)
        yield ConfigKey(
            name=name,
            kind=" | ".join(chosen) if chosen else _kind(hint),
            default="auto" if name == "llm" else _text(getattr(part, entry.name)),
            meaning=_LLM if name == "llm" else texts.get(entry.name, ""),
            minimum=entry.metadata.get("minimum"),
            presets=_presets(name),
        )


_LLM = (
    "Who writes the rewards; `auto` is the language model whose key is set, else program_search, which asks nobody. "
    "Its own keys are `llm.*`."
)


def documentation(cls: type[Any]) -> Mapping[str, str]:
    """The docstrings of the fields of a config class and its bases, each on one line."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not dataclasses.is_dataclass(base):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(body, ast.ClassDef)
        for node, after in zip(body.body, body.body[1:], strict=False):
            is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and is_text:
                found[node.target.id] = " ".join(str(after.value.value).split())  # type: ignore[attr-defined]
    return found


def _kind(hint: Any) -> str:
    members = get_args(hint) if get_origin(hint) is UnionType else (hint,)
    words = []
    for member in members:
        if member is type(None):
            words.append("null")
        elif isinstance(member, type) and issubclass(member, StrEnum):
            words += [choice.value for choice in member]
        else:
            words.append(_WORDS[get_origin(member) or member])
    return " | ".join(words)


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    return str(value)


def _presets(name: str) -> dict[str, str]:
    section, _, key = name.partition(".")
    found = {}
    for group, presets in (("budget", BUDGETS), ("preset", PRESETS)):
        for choice, values in presets.items():
            if key in values.get(section, {}):
                found[f"{group}={choice}"] = _text(values[section][key])
    return found
