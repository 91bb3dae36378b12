"""API keys: handed from the command line to a provider's client, and shown nowhere."""

from __future__ import annotations

import re
from collections.abc import MutableMapping

from eureka.core.errors import ProposerError

HIDDEN = "[key]"
_KEY_SHAPED = re.compile(r"\b(?:sk|key|pk|gsk|xai)-[\w*.\-]{6,}")

KEY_VARIABLES = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
"""Where each provider's key comes from; where several are set the first is the default."""

BASE_URL_VARIABLES = {"anthropic": "ANTHROPIC_BASE_URL", "openai": "OPENAI_BASE_URL"}
"""Where another endpoint of each provider's protocol may come from."""


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

    def redact(self, text: str) -> str:
        """`text` with this key, and whatever else is shaped like one, taken out."""
        return _KEY_SHAPED.sub(HIDDEN, text.replace(self._value, HIDDEN) if self._value else text)

    def __repr__(self) -> str:
        return f"Key({self.variable})"


def no_key(variable: str) -> Key:
    """What is sent where a server of one's own wants no key."""
    return Key(variable, "none")


def take_keys(environment: MutableMapping[str, str]) -> dict[str, Key]:
    """The keys that are set, by provider; they leave the environment, so that nothing started later inherits them."""
    taken = {provider: environment.pop(variable, "").strip() for provider, variable in KEY_VARIABLES.items()}
    return {provider: Key(KEY_VARIABLES[provider], value) for provider, value in taken.items() if value}
