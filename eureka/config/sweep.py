"""Several runs from one command line: `task=cartpole,ant seed=range(0,3)`, as `--multirun` of Hydra means it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from eureka.core.errors import ConfigError


@dataclass(frozen=True)
class SweepJob:
    """One run of a sweep: all of its overrides, and those of them that differ from job to job."""

    overrides: tuple[str, ...]
    varied: tuple[str, ...]


def sweep(overrides: Sequence[str]) -> list[SweepJob]:
    """The Cartesian product over every override with a list, the last of them varying fastest.

    Lists are Hydra's: `a,b`, `choice(a, b)`, `range(start, stop, step)`. A value with a comma of its own stands in
    quotes.

    Raises:
        ConfigError: a list cannot be read.
    """
    choices = [_choices(text) for text in overrides]
    varying = [len(texts) > 1 for texts in choices]
    return [
        SweepJob(texts, tuple(text for text, varies in zip(texts, varying, strict=True) if varies))
        for texts in product(*choices)
    ]


def _choices(text: str) -> list[str]:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import ValueType
    from hydra.errors import HydraException

    key, equals, value = text.partition("=")
    try:
        override = OverridesParser.create().parse_override(text)
    except (HydraException, ValueError) as error:  # ValueError: a number with thousands of digits
        if not equals or "," not in value:
            # Free text that Hydra's grammar has no room for; `compose_config` takes it as it is.
            return [text]
        parts = _parts(value)
        if not all(parts):
            raise ConfigError(
                f"`{text}`: this list cannot be read; write {key}=A,B, and put a value that has a comma in quotes"
            ) from error
        return [f"{key}={part}" for part in parts]
    if not override.is_sweep_override():
        return [text]
    if override.value_type in (ValueType.GLOB_CHOICE_SWEEP, ValueType.INTERVAL_SWEEP):
        raise ConfigError(f"`{text}`: only lists, choice(...) and range(...) are known here, as in {key}=A,B")
    # As it was typed: Hydra's own texts have a backslash before every space, colon and bracket.
    choices = zip(override.sweep_iterator(), override.sweep_string_iterator(), strict=True)
    return [f"{key}={choice if isinstance(choice, str) else written}" for choice, written in choices]


def _parts(value: str) -> list[str]:
    """Free text at its commas, but for those in brackets and in a part that is quoted as a whole.

    Where a bracket is left open the last part is empty.
    """
    parts, depth, start = [], 0, 0
    quote = ""
    for place, letter in enumerate(value):
        if quote:
            quote = "" if letter == quote and value[place - 1] != "\\" else quote
        elif letter in "'\"" and not value[start:place].strip():
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(value[start:place].strip())
            start = place + 1
    return [*parts, "" if depth or quote else value[start:].strip()]
