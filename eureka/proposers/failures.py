"""Converts exceptions of an SDK to one sentence with a remedy, and decides whether the call may be repeated.

Both SDKs have the same attributes (`status_code`, `body` and `response` on their errors, the network's own errors as
causes), so the same code serves both, and no SDK is imported here.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx2

from eureka.core.errors import ContextTooLong, ProposerError
from eureka.proposers.calls import CallFailed, Retry, ServedModel
from eureka.proposers.http import AnswerLost, retry_after_s
from eureka.proposers.served import served_models_clause

MALFORMED = (ValueError, TypeError, AttributeError)
"""Exceptions raised while reading an answer that violates the protocol, since the SDKs do not validate answers."""

_LONGEST_QUOTE = 200
_CONTEXT_WORDS = (
    "context_length_exceeded",
    "exceed_context_size",
    "context length",
    "context window",
    "context size",
    "prompt is too long",
    "request_too_large",
    "maximum context",
)
_QUOTA_WORDS = ("insufficient_quota", "billing", "credit balance", "spend_limit", "payment_required", "spending limit")
_TRANSIENT_STATUS = (408, 409, 425, 429)
_OVERLOADED = 529


@dataclass(frozen=True)
class ErrorMessage:
    """A provider's error message: its words, and all of its codes and words in lower case."""

    words: str
    everything: str


def call_failed(error: Exception, model: ServedModel, *, begun: bool) -> CallFailed:
    """The failure of a call; `begun` says whether a part of its answer had arrived."""
    chain = list(_causes(error))
    status = getattr(error, "status_code", None)
    if begun or any(isinstance(cause, AnswerLost) for cause in chain):
        silent = not begun and any(isinstance(cause, httpx2.TimeoutException) for cause in chain)
        return _lost(model, "broke off" if begun else "did not come", _why_lost(error, chain, model), silent=silent)
    if isinstance(status, int) and status >= 300:
        return _refused(error, status, model)
    if any(isinstance(cause, ssl.SSLError) for cause in chain) or _says(chain, "certificate", "ssl"):
        return _never(
            f"no secure connection to {model.base_url} (TLS: {_quote(chain[-1], model)}): check its certificate, a "
            "proxy in between, and this machine's clock"
        )
    if any(isinstance(cause, httpx2.TransportError) for cause in chain):
        return CallFailed(
            ProposerError(
                f"nothing answers at {model.base_url} ({_quote(chain[-1], model)}): check that the server runs, "
                "llm.base_url and the network, then resume"
            ),
            retry=Retry.IF_SEEN,
        )
    return _malformed(model, _quote(error, model))


def error_in_answer(body: str, model: ServedModel) -> CallFailed:
    """The failure of a call that was answered with JSON in place of a stream, with a status of success.

    Some servers put an error there, with its status as a code.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    error = found.get("error") or found.get("detail") if isinstance(found, Mapping) else None
    if not error:
        return _malformed(model, "a JSON document in place of a stream of events")
    code = error.get("code") if isinstance(error, Mapping) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return _refusal(_said(found, model), status, None, model)


def unfinished(model: ServedModel, content_type: str, *, begun: bool) -> CallFailed:
    """The failure of an answer that ended early: interrupted, or not in the provider's protocol."""
    if begun:
        return _lost(model, "broke off", "the connection was closed in the middle of it")
    return _malformed(model, f"{content_type or 'no content type'} in place of a stream of events")


def _malformed(model: ServedModel, found: str) -> CallFailed:
    return CallFailed(
        ProposerError(
            f"{model.base_url} answered with something that is not {model.provider}'s protocol ({found}): check "
            f"llm.base_url and that llm={model.provider} is what it speaks"
        ),
        lost=True,
    )


def _lost(model: ServedModel, what: str, why: str, *, silent: bool = False) -> CallFailed:
    return CallFailed(
        ProposerError(
            f"an answer of {model.provider} {what} ({why}): it may have been billed and is counted as if it was; "
            "resume asks again, and llm.fallback names a second provider"
        ),
        lost=True,
        silent=silent,
    )


def _why_lost(error: Exception, chain: list[BaseException], model: ServedModel) -> str:
    if any(isinstance(cause, httpx2.TimeoutException) for cause in chain):
        return "silence for longer than llm.timeout_s"
    if getattr(error, "body", None) is not None:
        return _said(getattr(error, "body", None), model).words
    if isinstance(error, json.JSONDecodeError):
        return "a part of it is not JSON"
    return _quote(chain[-1], model)


def _refused(error: Exception, status: int, model: ServedModel) -> CallFailed:
    wait_s = retry_after_s(error.response.headers) if hasattr(error, "response") else None
    return _refusal(_said(getattr(error, "body", None), model), status, wait_s, model)


def _refusal(said: ErrorMessage, status: int, wait_s: float | None, model: ServedModel) -> CallFailed:
    if status == 401:
        return _never(
            f"{model.provider} does not accept the key in {model.key.variable} (401): check it, or set another"
        )
    if status == 402 or any(word in said.everything for word in _QUOTA_WORDS):
        return _never(
            f"the account of {model.key.variable} has no quota left at {model.provider} ({status}: {said.words}): add "
            "credit or raise its limit, then resume"
        )
    if status == 413 or any(word in said.everything for word in _CONTEXT_WORDS):
        return CallFailed(
            ContextTooLong(
                f"the prompt is longer than {model.model} takes ({status}: {said.words}): choose an llm.model with a "
                "longer context"
            )
        )
    if status == 403:
        return _never(f"the key in {model.key.variable} may not use {model.model} (403: {said.words}): ask for access")
    if status == 404:
        return _never(
            f"{model.base_url} has no model {model.model} (404: {said.words}): give another llm.model"
            + (" or check llm.base_url" if "model" not in said.everything else "")
            + (served_models_clause(model.base_url) if model.key.variable == "none" else "")
        )
    if status in _TRANSIENT_STATUS or status >= 500:
        what = "limits the rate of calls" if status == 429 else "is overloaded" if status == _OVERLOADED else "fails"
        sentence = f"{model.provider} {what} ({status}: {said.words}): resume later, or name another with llm.fallback"
        return CallFailed(ProposerError(sentence), retry=Retry.LATER, retry_after_s=wait_s)
    hint = next((f": leave llm.{key} out" for key in ("temperature", "effort") if key in said.everything), "")
    return _never(
        f"{model.provider} refuses the request for {model.model} ({status}: {said.words}){hint or ': change it'}"
    )


def _never(sentence: str) -> CallFailed:
    return CallFailed(ProposerError(sentence))


def _said(body: object, model: ServedModel) -> ErrorMessage:
    text = _words(body) or "no reason given"
    return ErrorMessage(_shorten(model.key.redact(text)), f"{json.dumps(body, default=str)} {text}".lower())


def _words(body: object) -> str:
    """The sentence in an error's body: OpenAI's and Anthropic's `error.message`, FastAPI's `detail`, or a text."""
    if isinstance(body, Mapping):
        inner = next((body[key] for key in ("error", "message", "detail", "msg") if body.get(key)), None)
        place = ".".join(map(str, body["loc"])) if isinstance(body.get("loc"), list) else ""
        return ": ".join(filter(None, (place, _words(inner))))
    if isinstance(body, list):
        return "; ".join(filter(None, map(_words, body)))
    return str(body) if body else ""


def _quote(error: BaseException, model: ServedModel) -> str:
    return _shorten(model.key.redact(str(error) or type(error).__name__))


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_QUOTE else line[:_LONGEST_QUOTE] + "..."


def _says(chain: list[BaseException], *words: str) -> bool:
    return any(word in str(cause).lower() for cause in chain for word in words)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
