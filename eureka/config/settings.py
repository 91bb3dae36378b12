"""A stored config as plain values: for readers of a run, who need no class of a proposer or a method to read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eureka.core.errors import ConfigError


def stored_settings(config_yaml: str) -> dict[str, object]:
    """Every key of a stored config with its value: `{"task": "ant", "search.samples": 4, ...}`.

    Raises:
        ConfigError: the text is not YAML, or no mapping.
    """
    import yaml

    try:
        loaded = yaml.safe_load(config_yaml) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"the stored config cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(loaded, Mapping):
        raise ConfigError("the stored config cannot be read: it is no mapping of keys to values")
    return flatten(loaded)


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    """`{"search": {"samples": 4}}` -> `{"search.samples": 4}`."""
    flat: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
