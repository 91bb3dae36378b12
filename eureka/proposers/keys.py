"""API keys: passed from the command line to a provider's client, and never shown."""

from __future__ import annotations

import re
from collections.abc import MutableMapping

from eureka.core.errors import ProposerError

HIDDEN = "[key]"
_SHORTEST = 8  # shorter values, such as `none` in place of a key, may occur in any answer
_KEY_SHAPED = re.compile(r"\b(?:sk|key|pk|gsk|xai)-[\w*.\-]{6,}")


class Key:
    """A key, and the environment variable that it comes from."""

    def __init__(self, variable: str, value: str) -> None:
        self.variable = variable
        self._value = value.strip()

    def require_usable(self) -> None:
        """Raise ProposerError if the key cannot be sent as a header."""
        if not self._value.isascii() or not self._value.isprintable() or " " in self._value:
            raise ProposerError(
                f"{self.variable} holds something that is no key (there is a space, a line end or a letter in it that "
                "no key has): set it anew"
            )

    def reveal(self) -> str:
        """The key itself, only for a client's constructor."""
        return self._value

    def hide(self, text: str) -> str:
        """`text` with exactly this key removed, for stored texts that must not be changed otherwise."""
        return text.replace(self._value, HIDDEN) if len(self._value) >= _SHORTEST else text

    def redact(self, text: str) -> str:
        """`text` with this key, and everything else shaped like one, removed."""
        return _KEY_SHAPED.sub(HIDDEN, text.replace(self._value, HIDDEN) if self._value else text)

    def __repr__(self) -> str:
        return f"Key({self.variable})"


def no_key(variable: str) -> Key:
    """The value sent to a server that needs no key."""
    return Key(variable, "none")


def take_keys(environment: MutableMapping[str, str]) -> dict[str, Key]:
    """The keys that are set, by provider; they are removed from the environment, so that child processes do not inherit
    them.
    """
    from eureka.proposers.registry import key_variables  # imported only when needed, since `eureka --help` must be fast

    variables = key_variables()
    values = {variable: environment.pop(variable, "").strip() for variable in set(variables.values())}
    return {name: Key(variable, values[variable]) for name, variable in variables.items() if values[variable]}


def unset_keys() -> dict[str, Key]:
    """A placeholder key for each provider that needs one, for a run that makes no calls."""
    from eureka.proposers.registry import key_variables

    return {name: Key(variable, "unset") for name, variable in key_variables().items()}
