"""API keys: handed from the command line to a provider's client, and shown nowhere."""

from __future__ import annotations

import re
from collections.abc import MutableMapping

from eureka.core.errors import ProposerError

HIDDEN = "[key]"
_SHORTEST = 8  # a word such as `none`, in the place of a key, may stand in any answer
_KEY_SHAPED = re.compile(r"\b(?:sk|key|pk|gsk|xai)-[\w*.\-]{6,}")


class Key:
    """A key, and the variable that it comes from."""

    def __init__(self, variable: str, value: str) -> None:
        self.variable = variable
        self._value = value.strip()

    def require_usable(self) -> None:
        """Raises ProposerError where the value cannot be sent as a header."""
        if not self._value.isascii() or not self._value.isprintable() or " " in self._value:
            raise ProposerError(
                f"{self.variable} holds something that is no key (there is a space, a line end or a letter in it that "
                "no key has): set it anew"
            )

    def reveal(self) -> str:
        """The key itself, for a client's constructor and nothing else."""
        return self._value

    def hide(self, text: str) -> str:
        """`text` without this very key: for what is kept, of which nothing else may be changed."""
        return text.replace(self._value, HIDDEN) if len(self._value) >= _SHORTEST else text

    def redact(self, text: str) -> str:
        """`text` with this key, and whatever else is shaped like one, taken out."""
        return _KEY_SHAPED.sub(HIDDEN, text.replace(self._value, HIDDEN) if self._value else text)

    def __repr__(self) -> str:
        return f"Key({self.variable})"


def no_key(variable: str) -> Key:
    """What is sent where a server wants no key."""
    return Key(variable, "none")


def take_keys(environment: MutableMapping[str, str]) -> dict[str, Key]:
    """The keys that are set, by provider; they leave the environment, so that nothing started later inherits them."""
    from eureka.proposers.registry import key_variables  # not before it is needed: `eureka --help` is instant

    variables = key_variables()
    values = {variable: environment.pop(variable, "").strip() for variable in set(variables.values())}
    return {name: Key(variable, values[variable]) for name, variable in variables.items() if values[variable]}


def unset_keys() -> dict[str, Key]:
    """A key that is none for each provider that wants one, for a run that asks nobody."""
    from eureka.proposers.registry import key_variables

    return {name: Key(variable, "unset") for name, variable in key_variables().items()}
