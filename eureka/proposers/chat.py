"""The proposer that asks a language model, whichever provider serves it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Event

from eureka.core.costs import Usage
from eureka.core.errors import ContextTooLong, ProposerError
from eureka.core.types import Completion, Prompt
from eureka.proposers.base import ProposerCapabilities
from eureka.proposers.budget import Ledger
from eureka.proposers.calls import Answer, Call, CallFailed, Endpoint
from eureka.proposers.gate import Gate
from eureka.proposers.parallel import Signals, run_calls
from eureka.proposers.patience import Patience
from eureka.proposers.prices import PriceList
from eureka.proposers.tokens import token_bound, token_estimate

_LEAST_ANSWER = 1024
"""Minimum number of tokens that must be left for an answer: a reward and a few words."""


@dataclass(frozen=True)
class ChatSettings:
    """Settings of calls; times are in seconds."""

    concurrency: int
    max_output_tokens: int
    silence_s: float
    patience_s: float


def _say_nothing(text: str) -> None:
    del text


class ChatProposer:
    """Single calls to one model, in parallel, within the ledger's caps.

    Args:
        tell: called with a sentence before waiting for a provider.
        ask_window: returns the maximum number of tokens of prompt and answer together, or None if the server does not
            report it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        prices: PriceList,
        ledger: Ledger,
        settings: ChatSettings,
        tell: Callable[[str], None] = _say_nothing,
        ask_window: Callable[[], int | None] | None = None,
    ) -> None:
        self.on_call: Callable[[str], None] = _say_nothing
        self._endpoint = endpoint
        self._prices = prices
        self._ledger = ledger
        self._settings = settings
        self.capabilities = ProposerCapabilities(can_repair=True, varies=endpoint.varies)
        self._patience = Patience(settings.patience_s, tell)
        self._gate = Gate(settings.concurrency, tell)
        self._ask_window = ask_window
        self._window: int | None = None
        self._said_window = False
        self._tell = tell

    @property
    def name(self) -> str:
        """The provider's name: `openai` or `anthropic`."""
        return self._endpoint.provider

    @property
    def description(self) -> str:
        """One sentence for the user."""
        return f"The language model {self._endpoint.model} ({self._endpoint.provider}) writes the reward functions."

    def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
        """One call for each id with its own prompt, see `Proposer.sample_each`.

        Raises:
            BudgetReached: a cap does not allow another call.
            ContextTooLong: the prompt is longer than the model accepts.
            ProposerError: the provider cannot be used, or stayed busy for too long.
        """

        def ask(candidate_id: str, begun: Callable[[], None], signals: Signals) -> Completion:
            return self._complete(prompts[candidate_id], candidate_id, begun, signals)

        with self._ledger.waiting():
            yield from run_calls(list(prompts), ask, self._settings.concurrency)

    def _complete(self, prompt: Prompt, candidate_id: str, begun: Callable[[], None], signals: Signals) -> Completion:
        arrived = Event()

        def arriving() -> None:
            self._gate.heard()
            if not arrived.is_set():
                arrived.set()
                begun()
            if signals.unwanted.is_set():
                raise ProposerError("the answer is no longer wanted")
            self._ledger.require_time()

        call = Call(
            messages=prompt.messages,
            ending=prompt.ending,
            max_output_tokens=self._settings.max_output_tokens,
            arriving=arriving,
        )
        answer, usage = self._ask(call, signals.closed, lambda: self.on_call(candidate_id))
        return Completion(candidate_id, answer.text, answer.model, usage, prompt.facts.attempt, answer.finish)

    def _ask(self, call: Call, closed: Event, on_call: Callable[[], None]) -> tuple[Answer, Usage]:
        """The answer and what it used, asked for again while patience lasts; `on_call` is called before the first."""
        told = False
        tokens = token_bound(call.sent)
        bound_usd = self._prices.usd_bound(tokens, call.max_output_tokens)
        while True:
            self._patience.hold(closed, self._ledger.seconds_left())
            self._ledger.require_time()
            self._require_room(call)
            with (
                self._gate.passed(closed),
                self._ledger.reserved(tokens + call.max_output_tokens, bound_usd) as reservation,
            ):
                if closed.is_set():
                    reservation.release()
                    raise ProposerError("another call has failed")
                if not told:
                    told = True
                    on_call()
                started = time.monotonic()
                try:
                    answer = self._endpoint.ask(call, self._silence_s())
                except CallFailed as failed:
                    failure = failed
                    # On the user's own server, a call that only waited for others was not billed.
                    queued = failed.silent and not self._prices.known and self._gate.was_queued(started)
                    if queued or not failed.lost:
                        reservation.release()
                else:
                    usage = self._usage(answer)
                    reservation.settle(usage)
                    self._patience.answered()
                    return answer, usage
            self._ledger.require_time()
            if not queued:
                self._patience.wait_or_raise(failure, started)

    def _require_room(self, call: Call) -> None:
        """Raise ContextTooLong if the prompt does not fit into the context window of the user's own server.

        The server is asked before every call until it reports the window, which Ollama does once the model is loaded.
        """
        if self._window is None and self._ask_window is not None:
            self._window = self._ask_window()
        if self._window is None:
            return
        prompt, answer = token_estimate(call.sent), min(call.max_output_tokens, _LEAST_ANSWER)
        if prompt + answer > self._window:
            if not self._said_window:
                self._said_window = True
                self._tell(
                    f"{self._endpoint.model} is served with a context of {self._window:,} tokens: longer prompts are "
                    "shortened"
                )
            raise ContextTooLong(
                f"the prompt has about {prompt:,} tokens, which with {answer:,} for the answer are more than "
                f"{self._endpoint.model} is served with, a context of {self._window:,}: serve it with more (Ollama: "
                "OLLAMA_CONTEXT_LENGTH), or where answers are short lower llm.max_output_tokens"
            )

    def _silence_s(self) -> float:
        left = self._ledger.seconds_left()
        return self._settings.silence_s if left is None else max(min(self._settings.silence_s, left), 0.1)

    def _usage(self, answer: Answer) -> Usage:
        usd = None
        if answer.input_tokens is not None and answer.output_tokens is not None:
            usd = self._prices.usd(
                answer.input_tokens, answer.output_tokens, answer.cached_tokens or 0, answer.written_tokens or 0
            )
        return Usage(answer.input_tokens, answer.output_tokens, answer.cached_tokens, answer.reasoning_tokens, usd)
