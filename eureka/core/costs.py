"""What answers cost: the usage that each of them reports, and what is spent besides."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Usage:
    """Tokens and price of one call; None if the provider does not report them, or the price of the model is unknown.

    `cached_tokens` is the part of `input_tokens` served from the provider's cache, `reasoning_tokens` the part of
    `output_tokens` spent on reasoning.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    usd: float | None = None


@dataclass(frozen=True)
class Spent:
    """Tokens read and written, US dollars if the price is known, and seconds of waiting."""

    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.tokens + other.tokens, self.usd + other.usd, self.seconds + other.seconds)


@dataclass(frozen=True)
class UnrecordedCosts:
    """The record of a run's costs besides those of recorded answers.

    With `calls_open`, calls may be in flight: those without an answer may be billed too.
    """

    spent: Spent = field(default_factory=Spent)
    calls_open: bool = False
