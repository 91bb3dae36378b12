"""The declaration of a provider; `registry` has one line for each.

A provider is a file with a config class (the keys of `llm.*`) and either a `Provider`, which makes a proposer, or a
`ModelProvider`, which makes an endpoint: one model behind one protocol. What language models share (calls side by side,
caps, prices, patience, a fallback) is made around an endpoint by `models`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from eureka.config import ProposerConfig, RunConfig, at_least
from eureka.proposers.base import Proposer
from eureka.proposers.calls import Endpoint
from eureka.proposers.keys import Key


class Effort(StrEnum):
    """Reasoning effort; which values a model accepts differs between models."""

    none = "none"
    minimal = "minimal"
    low = "low"
    medium = "medium"
    high = "high"
    xhigh = "xhigh"
    max = "max"


@dataclass(frozen=True)
class ModelConfig(ProposerConfig):
    """What all language models have; its caps count the whole run, all its calls and its resumed parts together."""

    changes_on_resume: ClassVar[bool] = True

    model: str | None = None
    """The model's name; null: the provider's default, where it has one."""
    base_url: str | None = field(default=None, metadata={"given_again": True})
    """Another endpoint of the protocol; null: what the provider's variable names where it is set, such as
    OPENAI_BASE_URL, else the provider's own."""
    effort: Effort | None = None
    """Effort of reasoning, for models that take it."""
    extra_body: str | None = None
    """A JSON object that is merged into every request, for what only one server knows; no keys: it is stored."""
    max_output_tokens: int = at_least(16, 16384)
    """The longest answer, reasoning included."""
    max_usd: float | None = at_least(0, 5.0)
    """The most that the run may cost, or all runs of `-m` together; null: no cap. It needs a known price: see
    `max_tokens`."""
    max_usd_per_run: float | None = at_least(0, None)
    """The most that each run may cost; where it is given, `max_usd` caps nothing."""
    max_tokens: int | None = at_least(0, None)
    """The most tokens that the run may read and write; `max_usd` needs it where the model's price is not known."""
    max_seconds: float | None = at_least(0, None)
    """The longest that the run may wait for answers, all waits together."""
    concurrency: int = at_least(1, 8)
    """Calls at a time."""
    timeout_s: float = at_least(0.1, 300.0)
    """The longest silence within one call."""
    patience_s: float = at_least(0, 300.0)
    """How long a provider is waited for that limits the rate or is overloaded, from its last success."""
    fallback: str | None = None
    """Who takes over where the model cannot go on: `PROVIDER`, `PROVIDER/MODEL` or `program_search`."""
    fallback_base_url: str | None = field(default=None, metadata={"given_again": True})
    """As `base_url`, for the fallback."""

    @property
    def usd_cap(self) -> float | None:
        """The most that one run may cost; None: no cap."""
        return self.max_usd if self.max_usd_per_run is None else self.max_usd_per_run

    @property
    def extra(self) -> dict[str, object] | None:
        """`extra_body` as it is merged into a request."""
        return json.loads(self.extra_body) if self.extra_body else None


def _unchanged(llm: Any) -> Any:
    return llm


@dataclass(frozen=True)
class ProposerChoice:
    """A choice of `llm=`.

    Args:
        config: its config class, whose default `name` is the choice `llm=<name>`.
    """

    config: type[ProposerConfig]

    @property
    def name(self) -> str:
        """The value of `llm=` that chooses it."""
        return self.config().name


@dataclass(frozen=True)
class Provider(ProposerChoice):
    """A proposer that needs no key and costs nothing.

    Args:
        make: makes the proposer of a run with such a config.
        resolve: the config with values resolved that depend on the current folder, such as relative paths.
        without_metric: the config for a task that has no metric.
        fallback: the config with which it takes over as `llm.fallback=<name>`; None: it cannot.
    """

    make: Callable[[RunConfig], Proposer]
    resolve: Callable[[Any], Any] = _unchanged
    without_metric: Callable[[Any], Any] = _unchanged
    fallback: ProposerConfig | None = None


@dataclass(frozen=True)
class ModelProvider(ProposerChoice):
    """Language models behind one protocol.

    Args:
        endpoint: `endpoint(name, config, model, url, key)` is one model at `url`, chosen by `llm=<name>`; `config` is
            not always of the provider's own class: where it is the fallback, that of the provider that it takes over
            from.
        url: the provider's own endpoint.
        default_model: None: `llm.model` must be given. key_variable: the environment variable with its key; None: it
            wants none.
        base_url_variable: the environment variable that may name another endpoint of its protocol.
        lists_models: a server of the user's own, which is asked what it serves where no model is named.
    """

    endpoint: Callable[[str, ModelConfig, str, str, Key], Endpoint]
    url: str
    default_model: str | None = None
    key_variable: str | None = None
    base_url_variable: str | None = None
    lists_models: bool = False
