"""Adapts a call from Python to the command line's form: overrides from keywords, and keys taken out of the
environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from eureka.proposers.keys import Key, take_keys
from eureka.proposers.registry import key_variables


def all_overrides(task: str | None, keys: Mapping[str, object], overrides: str | Sequence[str]) -> list[str]:
    """The overrides of a call: the task, the keywords, and then those that are overrides already, one or several."""
    given = [overrides] if isinstance(overrides, str) else overrides
    return [*overrides_of({**({} if task is None else {"task": task}), **keys}), *given]


def overrides_of(keys: Mapping[str, object], prefix: str = "") -> list[str]:
    """Keyword arguments as overrides: `{"seed": 1, "search": {"samples": 4}}` gives `["seed=1",
    "search.samples=4"]`."""
    texts = []
    for key, value in keys.items():
        if isinstance(value, Mapping):
            texts += overrides_of(value, f"{prefix}{key}.")
        else:
            texts.append(f"{prefix}{key}={_text(value)}")
    return texts


def _text(value: object) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


@contextmanager
def keys_out_of_the_environment() -> Iterator[dict[str, Key]]:
    """Remove the API keys from the environment within the context, so that no child process inherits them; yields
    them."""
    before = {variable: os.environ[variable] for variable in key_variables().values() if variable in os.environ}
    try:
        yield take_keys(os.environ)
    finally:
        os.environ.update(before)
