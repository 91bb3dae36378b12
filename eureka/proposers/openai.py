"""`llm=openai`: chat completions, at OpenAI or at any server that speaks its protocol."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from eureka.config import at_least
from eureka.core.types import Message
from eureka.proposers.calls import Answer, Call, ServedModel, count
from eureka.proposers.keys import Key
from eureka.proposers.provider import ModelConfig, ModelProvider

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletionChunk

OFFICIAL_URL = "https://api.openai.com/v1"


@dataclass(frozen=True)
class OpenAIConfig(ModelConfig):
    """`llm=openai`: chat completions at OpenAI, or with `llm.base_url` at any server that speaks them."""

    name: str = "openai"
    """The choice."""
    temperature: float | None = at_least(0, None)
    """Sampling temperature, for models that take one; null: samples are told to take different lines instead."""


class Dialect(Enum):
    """Parts of a request that some servers and models refuse. The value is a pattern that recognises the refusal."""

    NEW_LIMIT_NAME = r"\bmax_tokens\b"
    """The maximum length must be called `max_completion_tokens`; most compatible servers know `max_tokens`."""
    NO_STREAM_OPTIONS = r"\bstream_options\b"
    """Usage cannot be requested."""
    NO_STREAM = r"\bstream(?:ing)?\b"
    """The answer comes whole."""
    NO_SYSTEM_ROLE = r"\bsystem\b.{0,20}\brole\b|\brole\b.{0,20}\bsystem\b"
    """The system message must be merged into the first user message."""


_UNKNOWN_WORDS = re.compile(
    "unsupported|not support|not permitted|not allowed|extra_forbidden|unexpected|unknown|unrecogni", re.IGNORECASE
)
_FINISH: dict[str, Literal["stop", "length", "refusal"]] = {"length": "length", "content_filter": "refusal"}


@dataclass(frozen=True)
class OpenAIEndpoint(ServedModel):
    """A model served by a chat completions API; without `temperature`, the model's default is used."""

    base_url: str = OFFICIAL_URL
    provider: str = "openai"
    temperature: float | None = None
    _dialect: set[Dialect] = field(default_factory=set, init=False, repr=False, compare=False)

    @property
    def varies(self) -> bool:
        """Whether samples of the same prompt differ."""
        return bool(self.temperature)

    @cached_property
    def _client(self) -> openai.OpenAI:
        import openai

        http_client = self.http_client(openai.OpenAIError)
        return openai.OpenAI(api_key=self.key.reveal(), base_url=self.base_url, http_client=http_client)

    def ask(self, call: Call, silence_s: float) -> Answer:
        """Make one call, see `Endpoint.ask`. The answer is streamed, so that silence is noticed.

        If a server refuses an optional part of the request, this call is repeated without it, and all later ones omit
        it.
        """
        import openai

        from eureka.proposers.http import call_timeout
        from eureka.proposers.streaming import read_answer

        def create() -> openai.Stream[ChatCompletionChunk]:
            while True:
                dialect = frozenset(self._dialect)
                try:
                    stream: openai.Stream[ChatCompletionChunk] = self._client.chat.completions.create(
                        model=self.model,
                        stream=True,
                        timeout=call_timeout(silence_s),
                        extra_body=self._extra_body(dialect),
                        **self._options(call, dialect),
                    )
                except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                    refused = _refused_part(f"{error.body} {error}")
                    if refused is None or refused in dialect:
                        raise
                    self._dialect.add(refused)
                else:
                    return stream

        return read_answer(create, _Reading(self.model), call, self, openai.OpenAIError)

    def _extra_body(self, dialect: frozenset[Dialect]) -> Any:
        return {**(self.extra_body or {}), "stream": False} if Dialect.NO_STREAM in dialect else self.extra_body

    def _options(self, call: Call, dialect: frozenset[Dialect]) -> dict[str, Any]:
        new_name = self.base_url == OFFICIAL_URL or Dialect.NEW_LIMIT_NAME in dialect
        options: dict[str, Any] = {
            "messages": _messages(call, with_system=Dialect.NO_SYSTEM_ROLE not in dialect),
            "max_completion_tokens" if new_name else "max_tokens": call.max_output_tokens,
        }
        if not dialect & {Dialect.NO_STREAM_OPTIONS, Dialect.NO_STREAM}:
            options["stream_options"] = {"include_usage": True}
        if self.temperature is not None:
            options["temperature"] = self.temperature
        if self.effort is not None:
            options["reasoning_effort"] = self.effort
        return options


def _refused_part(words: str) -> Dialect | None:
    """The optional part of a request that this refusal is about, if any."""
    if not _UNKNOWN_WORDS.search(words):
        return None
    return next((part for part in Dialect if re.search(part.value, words, re.IGNORECASE)), None)


def _messages(call: Call, *, with_system: bool) -> Any:
    """The messages, with the call's ending appended to the last one as one text, since some servers accept no list of
    parts.
    """
    messages = list(call.messages)
    if not with_system and len(messages) > 1 and messages[0].role == "system":
        system, first = messages[:2]
        messages[:2] = [Message(first.role, f"{system.content}\n\n{first.content}")]
    if call.ending:
        last = messages.pop()
        messages.append(Message(last.role, f"{last.content}\n\n{call.ending}"))
    return [{"role": message.role, "content": message.content} for message in messages]


class _Reading:
    """An answer as its chunks arrive."""

    def __init__(self, model: str) -> None:
        self.begun = False
        self.finish: str | None = None
        self._model = model
        self._texts: list[str] = []
        self._refusals: list[str] = []
        self._tool_calls: list[str] = []
        self._usage: Any = None

    def add(self, chunk: ChatCompletionChunk) -> None:
        self.begun = True
        self._model = str(chunk.model or self._model)
        self._usage = chunk.usage or self._usage
        for choice in chunk.choices or ():
            self.finish = choice.finish_reason or self.finish
            delta = choice.delta
            if delta is None:
                continue
            self._texts += _said(delta.content)
            self._refusals += _said(delta.refusal)
            for tool_call in delta.tool_calls or ():
                self._tool_calls += _said(tool_call.function.arguments if tool_call.function else None)

    def add_whole(self, document: Mapping[str, Any]) -> None:
        """Take a `chat.completion`, which has messages where pieces have deltas."""
        from openai.types.chat import ChatCompletionChunk

        choices = document.get("choices")
        if not isinstance(choices, list) or not all(isinstance(choice, Mapping) for choice in choices):
            return
        pieces = [{"finish_reason": "stop", **choice, "delta": choice.get("message")} for choice in choices]
        self.add(ChatCompletionChunk.construct(**{**document, "choices": pieces}))

    def answer(self, finish: str) -> Answer:
        # A model that answers with a tool call, although no tool was offered, may have put its code there.
        said = ("".join(self._texts or self._refusals), "".join(self._tool_calls))
        usage = self._usage
        prompt_details = getattr(usage, "prompt_tokens_details", None)
        output_details = getattr(usage, "completion_tokens_details", None)
        return Answer(
            text="\n\n".join(filter(None, said)),
            finish="refusal" if self._refusals else _FINISH.get(finish, "stop"),
            model=self._model,
            input_tokens=count(getattr(usage, "prompt_tokens", None)),
            output_tokens=count(getattr(usage, "completion_tokens", None)),
            cached_tokens=count(getattr(prompt_details, "cached_tokens", None)),
            written_tokens=count(getattr(prompt_details, "cache_write_tokens", None)),
            reasoning_tokens=count(getattr(output_details, "reasoning_tokens", None)),
        )


def _said(content: object) -> list[str]:
    """The text of a piece: a string, or the text parts of a list, without thinking parts."""
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
        return [text for part in parts for text in _said(part.get("text"))]
    return [content] if isinstance(content, str) and content else []


def make_endpoint(provider: str, llm: ModelConfig, model: str, url: str, key: Key) -> OpenAIEndpoint:
    """An endpoint of this protocol, for any provider that uses it."""
    temperature = llm.temperature if isinstance(llm, OpenAIConfig) else None
    return OpenAIEndpoint(
        model=model,
        key=key,
        base_url=url,
        temperature=temperature,
        effort=llm.effort,
        extra_body=llm.extra,
        patience_s=llm.patience_s,
        provider=provider,
    )


PROVIDER = ModelProvider(
    config=OpenAIConfig,
    endpoint=make_endpoint,
    url=OFFICIAL_URL,
    default_model="gpt-6.1-sol",
    key_variable="OPENAI_API_KEY",
    base_url_variable="OPENAI_BASE_URL",
)
