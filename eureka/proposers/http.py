"""The HTTP client used by both SDKs."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx2

# Longer waits are handled by `llm.patience_s`, which informs the user of them.
_LONGEST_SDK_WAIT_S = 20.0
_CONNECT_TIMEOUT_S = 15.0
_PROTOCOL = re.compile(
    r"host|accept|accept-encoding|connection|content-length|content-type|transfer-encoding|user-agent|authorization"
    r"|x-api-key|api-key|anthropic-version|anthropic-beta|idempotency-key|x-stainless-[\w-]+",
    re.IGNORECASE,
)


class AnswerLost(Exception):
    """A request was sent and its answer was lost, so the provider may bill it."""


class BuyOnceClient(httpx2.Client):
    """Keeps the SDKs' own retries to requests that were certainly not billed.

    Both SDKs repeat a request after any failed connection, even if the request was sent and the provider may be working
    on a paid answer. Such a loss is raised as an AnswerLost that is also an `sdk_error`, which the SDK passes on at
    once. Redirects are not followed, since the key would be sent along.

    Args:
        sdk_error: base class of the SDK's exceptions.
        patience_s: maximum Retry-After in seconds that the SDK waits for.
        transport: replaces the network in tests.
        protocol_alone: whether to remove all headers except those of HTTP and of the two protocols.
    """

    def __init__(
        self,
        sdk_error: type[Exception],
        patience_s: float,
        transport: httpx2.BaseTransport | None = None,
        *,
        protocol_alone: bool = False,
    ) -> None:
        super().__init__(
            timeout=httpx2.Timeout(_CONNECT_TIMEOUT_S),
            # An idle connection closed by the server would look like a lost answer.
            limits=httpx2.Limits(max_keepalive_connections=0),
            follow_redirects=False,
            event_hooks={"response": [_refuse_long_waits(min(patience_s, _LONGEST_SDK_WAIT_S))]},
            transport=transport,
        )
        self._protocol_alone = protocol_alone
        self._lost = type("Lost", (AnswerLost, sdk_error), {})

    def send(self, request: httpx2.Request, **kwargs: Any) -> httpx2.Response:
        """As httpx2's, but raises AnswerLost if the request was sent and no answer arrived."""
        if self._protocol_alone:
            for name in [name for name in request.headers if not _PROTOCOL.fullmatch(name)]:
                del request.headers[name]
        try:
            return super().send(request, **kwargs)
        except (httpx2.ReadTimeout, httpx2.ReadError, httpx2.RemoteProtocolError) as error:
            raise self._lost(str(error)) from error


def call_timeout(silence_s: float) -> httpx2.Timeout:
    """The time-outs of one call: `silence_s` between two pieces of an answer."""
    return httpx2.Timeout(silence_s, connect=_CONNECT_TIMEOUT_S)


def _refuse_long_waits(longest_s: float) -> Callable[[httpx2.Response], None]:
    def refuse(response: httpx2.Response) -> None:
        wait_s = retry_after_s(response.headers)
        if response.is_error and wait_s is not None and wait_s > longest_s:
            # Both SDKs respect this header.
            response.headers["x-should-retry"] = "false"

    return refuse


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The seconds that a response asks to wait: `Retry-After` in seconds or as a date, or `retry-after-ms`."""
    for name, per_second in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(float(headers[name]) / per_second, 0.0)
        except (KeyError, ValueError):
            continue
    date = email.utils.parsedate_tz(headers.get("retry-after"))
    return None if date is None else max(email.utils.mktime_tz(date) - time.time(), 0.0)
