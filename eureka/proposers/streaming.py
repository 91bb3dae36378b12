"""Reading one streamed answer, for both SDKs."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol, Self

import httpx2

from eureka.proposers.calls import Answer, Call, ServedModel
from eureka.proposers.failures import MALFORMED, call_failed, error_in_answer, unfinished


class Pieces(Protocol):
    """A stream of an SDK: the pieces of an answer as they arrive."""

    @property
    def response(self) -> httpx2.Response: ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: Any) -> None: ...
    def __iter__(self) -> Iterator[Any]: ...


class Reading(Protocol):
    """An answer as its pieces arrive; `finish` is the provider's reason for the end, None before that."""

    begun: bool
    finish: str | None

    def add(self, piece: Any) -> None: ...
    def add_whole(self, document: Mapping[str, Any]) -> None:
        """Take the answer of a server that does not stream; what is none of this protocol adds nothing."""
        ...

    def answer(self, finish: str) -> Answer: ...


def read_answer(
    create: Callable[[], Pieces], reading: Reading, call: Call, model: ServedModel, sdk_error: type[Exception]
) -> Answer:
    """Send the request by `create` and read its answer, and call `call.arriving` as it arrives.

    Args:
        sdk_error: base class of the SDK's exceptions.

    Raises:
        CallFailed: there is no complete answer.
    """
    errors = (sdk_error, httpx2.HTTPError, ssl.SSLError)
    try:
        stream = create()
    except errors as error:
        raise call_failed(error, model, begun=False) from None
    try:
        with stream:
            if "json" in stream.response.headers.get("content-type", ""):
                whole = stream.response.read().decode(errors="replace")
                _add_whole(reading, whole)
                if reading.finish is None:
                    raise error_in_answer(whole, model)
                return _named(reading.answer(reading.finish), model)
            for piece in stream:
                call.arriving()
                reading.add(piece)
    except (*errors, *MALFORMED) as error:
        raise call_failed(error, model, begun=reading.begun) from None
    if reading.finish is None:
        raise unfinished(model, stream.response.headers.get("content-type", ""), begun=reading.begun)
    return _named(reading.answer(reading.finish), model)


def _add_whole(reading: Reading, text: str) -> None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(document, Mapping):
        reading.add_whole(document)


def _named(answer: Answer, model: ServedModel) -> Answer:
    # Stored texts must not contain a key, even if a server repeats its request.
    return replace(answer, text=model.key.hide(answer.text), model=model.key.hide(answer.model))
