"""The cost of a call, from the table of the package `genai-prices`; a model that is not in it has no price."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PriceList:
    """The price of one model at one provider.

    Args:
        provider: `openai` or `anthropic`, whose prices apply if `base_url` is None.
        base_url: another endpoint, whose own prices apply if the table has it.
    """

    provider: str
    model: str
    base_url: str | None = None

    @property
    def known(self) -> bool:
        """Whether the table has the model."""
        return self.usd(0, 0) is not None

    def usd(
        self, input_tokens: int, output_tokens: int, cached_tokens: int = 0, written_tokens: int = 0
    ) -> float | None:
        """The cost of one call in US dollars, None if the price is unknown.

        Args:
            input_tokens: all of the prompt's, those read from and written to the provider's cache included.
            written_tokens: those written to the cache, for which some providers ask more.
        """
        from genai_prices import Usage, calc_price

        usage = Usage(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cache_read_tokens=cached_tokens,
            cache_write_tokens=written_tokens,
        )
        try:
            if self.base_url is None:
                price = calc_price(usage, self.model, provider_id=self.provider)
            else:
                price = calc_price(usage, self.model, provider_api_url=self.base_url)
        except (LookupError, ValueError):  # not in the table, or inconsistent counts
            return None
        return float(price.total_price)

    def usd_bound(self, input_tokens: int, output_tokens: int) -> float | None:
        """The maximum cost of one call: nothing read from the cache, and the whole prompt written to it."""
        read = self.usd(input_tokens, output_tokens)
        written = self.usd(input_tokens, output_tokens, written_tokens=input_tokens)
        return None if read is None or written is None else max(read, written)
