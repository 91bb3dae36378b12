"""A stored config as plain values: so that a run can be read without the classes of its proposer and method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eureka.core.errors import ConfigError

_MOST_YAML = 1 << 17
_MOST_BRACKETS = 1_000
"""A config that was written here has brackets in texts alone; PyYAML's time grows with the square of open ones."""
UNREADABLE = (AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""Exceptions that reading YAML may raise besides the parser's own errors."""


def require_plain(text: str) -> None:
    """Raise ValueError for YAML that takes long to read or can expand far beyond its length: it may be untrusted."""
    import yaml

    if len(text) > _MOST_YAML:
        raise ValueError(f"it has {len(text):,} characters")
    if text.count("[") + text.count("{") > _MOST_BRACKETS:
        raise ValueError(f"it has more than {_MOST_BRACKETS} brackets")
    if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
        raise ValueError("it has aliases, which no config that was written here has")


def stored_settings(config_yaml: str) -> dict[str, object]:
    """Every key of a stored config with its value: `{"task": "ant", "search.samples": 4, ...}`.

    Raises:
        ConfigError: the text is not YAML, or no mapping.
    """
    import yaml

    try:
        require_plain(config_yaml)
        loaded = yaml.safe_load(config_yaml) or {}
    except (yaml.YAMLError, *UNREADABLE) as error:
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
