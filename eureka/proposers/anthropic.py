"""`llm=anthropic`: the Messages API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from eureka.core.types import Message
from eureka.proposers.calls import Answer, Call, Endpoint, ServedModel, count
from eureka.proposers.keys import Key
from eureka.proposers.provider import ModelConfig, ModelProvider

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import RawMessageStreamEvent

OFFICIAL_URL = "https://api.anthropic.com"


@dataclass(frozen=True)
class AnthropicConfig(ModelConfig):
    """`llm=anthropic`: the Messages API."""

    name: str = "anthropic"
    """The choice."""


_FINISH: dict[str, Literal["stop", "length", "refusal"]] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}
_CACHED = {"cache_control": {"type": "ephemeral"}}


@dataclass(frozen=True)
class AnthropicEndpoint(ServedModel):
    """A model served by the Messages API."""

    base_url: str = OFFICIAL_URL
    provider: str = "anthropic"

    varies = False

    @cached_property
    def _client(self) -> anthropic.Anthropic:
        import anthropic

        http_client = self.http_client(anthropic.AnthropicError)
        return anthropic.Anthropic(api_key=self.key.reveal(), base_url=self.base_url, http_client=http_client)

    def ask(self, call: Call, silence_s: float) -> Answer:
        """Make one call, see `Endpoint.ask`. The answer is streamed, so that silence is noticed."""
        import anthropic

        from eureka.proposers.http import call_timeout
        from eureka.proposers.streaming import read_answer

        def create() -> anthropic.Stream[RawMessageStreamEvent]:
            stream: anthropic.Stream[RawMessageStreamEvent] = self._client.messages.create(
                model=self.model,
                max_tokens=call.max_output_tokens,
                stream=True,
                timeout=call_timeout(silence_s),
                extra_body=self.extra_body,
                **self._options(call),
            )
            return stream

        return read_answer(create, _Reading(self.model), call, self, anthropic.AnthropicError)

    def _options(self, call: Call) -> dict[str, Any]:
        """The request's options: the prompt, with cache marks after the part common to a run and the part common to a
        generation.
        """
        system = [_text(m, cached=True) for m in call.messages if m.role == "system"]
        spoken = [m for m in call.messages if m.role != "system"]
        messages = [{"role": m.role, "content": [_text(m, cached=index == 0)]} for index, m in enumerate(spoken)]
        if call.ending:
            messages[-1]["content"] = [*messages[-1]["content"], {"type": "text", "text": call.ending}]
        options: dict[str, Any] = {"system": system, "messages": messages}
        if self.effort is not None:
            options["output_config"] = {"effort": self.effort}
        return options


def _text(message: Message, *, cached: bool) -> dict[str, Any]:
    return {"type": "text", "text": message.content, **(_CACHED if cached else {})}


class _Reading:
    """An answer as its events arrive."""

    def __init__(self, model: str) -> None:
        self.begun = False
        self.finish: str | None = None
        self._model = model
        self._texts: list[str] = []
        self._tool_calls: list[str] = []
        self._usage: dict[str, int] = {}
        self._thinking: int | None = None

    def add(self, event: RawMessageStreamEvent) -> None:
        self.begun = True
        if event.type == "message_start":
            self._model = str(event.message.model or self._model)
            self._note(event.message.usage)
        elif event.type == "content_block_start" and event.content_block.type == "text":
            self._texts.append(str(event.content_block.text))
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            self._texts.append(str(event.delta.text))
        elif event.type == "content_block_delta" and event.delta.type == "input_json_delta":
            self._tool_calls.append(str(event.delta.partial_json))
        elif event.type == "message_delta":
            self.finish = event.delta.stop_reason or self.finish
            self._note(event.usage)

    def add_whole(self, document: Mapping[str, Any]) -> None:
        """Take a `message`, which has its blocks of content whole."""
        from anthropic.types import Message as Whole

        if document.get("type") != "message" or not isinstance(document.get("content"), list):
            return
        message = Whole.construct(**document)
        self.begun = True
        self._model = str(message.model or self._model)
        self._texts += [str(block.text) for block in message.content if block.type == "text"]
        self.finish = message.stop_reason or "end_turn"
        self._note(message.usage)

    def _note(self, usage: Any) -> None:
        """Record the usage. Counts are cumulative, so the last one is valid."""
        for name in ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
            said = count(getattr(usage, name, None))
            if said is not None:
                self._usage[name] = said
        details = getattr(usage, "output_tokens_details", None)
        self._thinking = count(getattr(details, "thinking_tokens", self._thinking))

    def answer(self, finish: str) -> Answer:
        said = self._usage
        cached = said.get("cache_read_input_tokens", 0)
        written = said.get("cache_creation_input_tokens", 0)
        fresh = said.get("input_tokens")
        # A model that answers with a tool call, although no tool was offered, may have put its code there.
        spoken = ("".join(self._texts), "".join(self._tool_calls))
        return Answer(
            text="\n\n".join(filter(None, spoken)),
            finish=_FINISH.get(finish, "stop"),
            model=self._model,
            input_tokens=None if fresh is None else fresh + cached + written,
            output_tokens=said.get("output_tokens"),
            cached_tokens=cached,
            written_tokens=written,
            reasoning_tokens=self._thinking,
        )


def _endpoint(provider: str, llm: ModelConfig, model: str, url: str, key: Key) -> Endpoint:
    return AnthropicEndpoint(model, key, url, llm.effort, llm.extra, llm.patience_s, provider=provider)


PROVIDER = ModelProvider(
    config=AnthropicConfig,
    endpoint=_endpoint,
    url=OFFICIAL_URL,
    default_model="claude-sonnet-5-5",
    key_variable="ANTHROPIC_API_KEY",
    base_url_variable="ANTHROPIC_BASE_URL",
)
