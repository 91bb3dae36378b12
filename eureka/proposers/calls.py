"""One call to a provider: what is asked, what comes back, and how it fails."""

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
    """A model at a server that is asked through an SDK; base of the endpoints.

    Args:
        base_url: the provider's own, or that of another server which speaks its protocol.
        effort: of reasoning, None for models without it.
        extra_body: is merged into every request.
        patience_s: the SDK's own retries do not wait longer than this.
        transport: instead of the network, in tests.
        provider: the name of the choice, `llm=<provider>`.
        is_foreign: neither the provider's own nor named by the user's environment. Such a server is sent the headers of
            the protocol alone, and not what the provider's variables add (OPENAI_ORG_ID, ANTHROPIC_CUSTOM_HEADERS).
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
        """What the SDK is to send its requests with.

        Args:
            sdk_error: the base of what the SDK raises.

        Raises:
            ProposerError: the environment names a proxy that cannot be used.
        """
        from eureka.proposers.http import BuyOnceClient  # not before a model is asked: `eureka --help` is instant

        try:
            return BuyOnceClient(sdk_error, self.patience_s, self.transport, protocol_alone=self.is_foreign)
        except (ValueError, ImportError) as error:
            said = re.sub(r"//[^/@\s]*@", "//", str(error).split("\n")[0])
            raise ProposerError(
                f"the environment names a proxy that cannot be used ({self.key.redact(said)}): correct or unset "
                "HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or except the server by NO_PROXY"
            ) from None


@dataclass(frozen=True)
class Call:
    """A single request.

    `ending` is a last piece of user text that differs from sample to sample, so that all before it can be cached.
    `arriving` is called at every piece of the answer, and may raise to give the call up.
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
    """A whole answer; tokens are None where the provider does not say."""

    text: str
    finish: Literal["stop", "length", "refusal"]
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    written_tokens: int | None = None
    reasoning_tokens: int | None = None


def count(value: object) -> int | None:
    """A number of tokens as a provider says it; None where it is not one."""
    return value if isinstance(value, int) and value >= 0 else None


class Retry(Enum):
    """Whether a failed call may be made again."""

    NEVER = "never"
    LATER = "later"
    IF_SEEN = "if the server has answered before"


class CallFailed(Exception):
    """A call gave no answer.

    `lost` says that the provider may have billed it all the same: it is charged, and never made again unasked.
    `silent` says that not a word of it came for the longest time that was waited.
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
        """Whether its samples differ by themselves, because a temperature is set."""
        ...

    def ask(self, call: Call, silence_s: float) -> Answer:
        """Make one call; `silence_s` is the longest pause between two pieces of its answer.

        Raises:
            CallFailed: there is no whole answer.
        """
        ...
