"""One call to a provider: the request, the answer, and the failures."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal, Protocol

from eureka.core.errors import ProposerError
from eureka.core.types import Message
from eureka.proposers.keys import Key

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True)
class ServedModel:
    """A model at a server that is called through an SDK; base class of the endpoints.

    Args:
        base_url: URL of the provider, or of another server with the same protocol.
        effort: reasoning effort, None for models without it.
        extra_body: is merged into every request.
        patience_s: maximum wait in seconds of the SDK's own retries.
        transport: replaces the network in tests.
        provider: the name of the choice, `llm=<provider>`.
        is_foreign: whether the URL is neither the provider's own nor set in the user's environment. Such a server only
            gets the headers of the protocol, without those from the provider's variables (OPENAI_ORG_ID,
            ANTHROPIC_CUSTOM_HEADERS).
    """

    model: str
    key: Key
    base_url: str
    effort: str | None = None
    extra_body: Mapping[str, object] | None = None
    patience_s: float = 60.0
    transport: httpx2.BaseTransport | None = None
    provider: str = ""
    is_foreign: bool = False

    def http_client(self, sdk_error: type[Exception]) -> httpx2.Client:
        """The HTTP client for the SDK.

        Args:
            sdk_error: base class of the SDK's exceptions.

        Raises:
            ProposerError: the environment names a proxy that cannot be used.
        """
        from httpx2 import InvalidURL  # these not before a model is asked: `eureka --help` is instant

        from eureka.proposers.http import BuyOnceClient

        try:
            return BuyOnceClient(sdk_error, self.patience_s, self.transport, protocol_alone=self.is_foreign)
        except (ValueError, ImportError, InvalidURL) as error:
            said = re.sub(r"//[^/@\s]*@", "//", str(error).split("\n")[0])
            if isinstance(error, InvalidURL):
                said = "its address is not one"  # the error quotes a part, which may be of the password
            raise ProposerError(
                f"the environment names a proxy that cannot be used ({self.key.redact(said)}): correct or unset "
                "HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or except the server by NO_PROXY"
            ) from None


@dataclass(frozen=True)
class Call:
    """A single request.

    `ending` is the last part of the user text, which differs between samples, so that everything before it can be
    cached. `arriving` is called for every piece of the answer, and may raise to abort the call.
    """

    messages: tuple[Message, ...]
    ending: str
    max_output_tokens: int
    arriving: Callable[[], None]

    @property
    def sent(self) -> tuple[Message, ...]:
        """All text of the request."""
        return (*self.messages, Message("user", self.ending)) if self.ending else self.messages


@dataclass(frozen=True)
class Answer:
    """A complete answer; tokens are None if the provider does not report them."""

    text: str
    finish: Literal["stop", "length", "refusal"]
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    written_tokens: int | None = None
    reasoning_tokens: int | None = None


def count(value: object) -> int | None:
    """A number of tokens as reported by a provider; None if it is not a number."""
    return value if isinstance(value, int) and value >= 0 else None


class Retry(Enum):
    """Whether a failed call may be repeated."""

    NEVER = "never"
    LATER = "later"
    IF_SEEN = "if the server has answered before"


class CallFailed(Exception):
    """A call gave no answer.

    `lost`: the provider may have billed the call, so it is charged, and not repeated automatically. `silent`: no part
    of the answer arrived before the time-out.
    """

    def __init__(
        self,
        error: ProposerError,
        *,
        retry: Retry = Retry.NEVER,
        lost: bool = False,
        silent: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry = retry
        self.lost = lost
        self.silent = silent
        self.retry_after_s = retry_after_s


class Endpoint(Protocol):
    """One model at one provider. Safe to use from many threads."""

    @property
    def provider(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def varies(self) -> bool:
        """Whether samples of the same prompt differ, because a temperature is set."""
        ...

    def ask(self, call: Call, silence_s: float) -> Answer:
        """Make one call; `silence_s` is the longest pause between two pieces of its answer.

        Raises:
            CallFailed: there is no complete answer.
        """
        ...
