"""The number of tokens of a prompt: an upper bound without the model's tokenizer, and an estimate."""

from __future__ import annotations

from collections.abc import Sequence

from eureka.core.types import Message

# Tokens that a provider may add to a request and a message: chat template, roles, a system line.
_REQUEST_OVERHEAD = 256
_MESSAGE_OVERHEAD = 16
# Source code and English in current tokenizers: 3 to 4 bytes per token.
_BYTES_PER_TOKEN = 3.5


def _num_bytes(text: str) -> int:
    return len(text.encode("utf-8", errors="replace"))


def token_bound(messages: Sequence[Message]) -> int:
    """An upper bound of the messages' tokens: a token of a byte-level tokenizer covers at least one byte."""
    return _REQUEST_OVERHEAD + sum(_MESSAGE_OVERHEAD + _num_bytes(message.content) for message in messages)


def token_estimate(messages: Sequence[Message]) -> int:
    """The estimated number of tokens of the messages."""
    return round(sum(_num_bytes(message.content) for message in messages) / _BYTES_PER_TOKEN)
