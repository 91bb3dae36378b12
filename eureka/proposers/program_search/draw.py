"""Drawing new terms and programs from a State's features."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from eureka.core.types import FieldSpec
from eureka.proposers.program_search.features import Feature, alive_name, features
from eureka.proposers.program_search.source import HAS_TARGET, Program, Shaping, Term

MAX_TERMS = 5
# Rewards per step at a quantity's typical value. The first drive sets the scale; further terms are smaller.
_MAIN = (0.7, 2.0)
_SECONDARY = (0.05, 0.4)
_PENALTY = (0.03, 0.12)
_ALIVE = (0.05, 0.2)
# A squared penalty should not be on columns that are correlated with the metric.
_MAX_PENALISED_CORRELATION = 0.3
# From the higher on a linear correlation decides to reward an undirected quantity along its sign, below the lower it
# says too little; between the two it is tried in half of the draws: what is seldom met, as a goal that random actions
# hardly reach, cannot have a high correlation with anything.
_DIRECTING_CORRELATION = (0.15, 0.3)
_TWIN = 0.95
_FORWARD_PROBABILITY = 0.75


@dataclass(frozen=True)
class Library:
    """A State's features, with their correlations with the task metric if those were probed.

    `correlation` is empty without metric access; then no feature is preferred over another.
    """

    features: tuple[Feature, ...]
    alive: str
    fields: frozenset[str]
    correlation: Mapping[str, float]

    @property
    def drives(self) -> tuple[Feature, ...]:
        """The features that a reward may encourage."""
        return tuple(f for f in self.features if f.role == "drive")

    @property
    def regularisers(self) -> tuple[Feature, ...]:
        """The features that are worth a small penalty, without those known to be correlated with the metric."""
        penalised = (f for f in self.features if f.role == "regulariser")
        return tuple(f for f in penalised if abs(self.correlation_of(f)) <= _MAX_PENALISED_CORRELATION)

    def correlation_of(self, feature: Feature) -> float:
        """Mean correlation of the feature's columns with the metric; 0 if unknown."""
        known = [self.correlation.get(key, 0.0) for key in feature.correlation_keys]
        values = [value for value in known if math.isfinite(value)]
        return sum(values) / len(values) if values else 0.0

    def feature_of(self, quantity: str) -> Feature | None:
        """The feature that a term was made from."""
        return next((f for f in self.features if f.quantity == quantity), None)


def library(state: Sequence[FieldSpec], correlation: Mapping[str, float]) -> Library:
    """The features of a State table; `correlation` as in `MetricProbe`, empty without metric access."""
    return Library(features(state), alive_name(state), frozenset(s.name for s in state), correlation)


def rounded(value: float) -> float:
    """Three significant digits, as a person would write a constant."""
    return float(f"{value:.3g}")


def log_uniform(rng: Random, low: float, high: float) -> float:
    """Uniform in the logarithm between two positive numbers."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def preferences(lib: Library, candidates: Sequence[Feature]) -> list[float]:
    """The probability weights of drives: by correlation with the metric if known, else equal.

    The fourth power strongly prefers a column that is the metric itself to those that are merely correlated with it.
    What has a best value need not correlate with the metric far from it, so it keeps a share that fades as some
    quantity explains the metric; the distance to the goal of a goal-conditioned environment the largest.
    """
    if not lib.correlation:
        return [1.0] * len(candidates)
    found = [abs(lib.correlation_of(f)) for f in candidates]
    unexplained = 1.0 - max((abs(c) for c in lib.correlation.values() if math.isfinite(c)), default=0.0)
    shares = [1.0 if f.is_goal else 0.3 if f.has_best else 0.02 for f in candidates]
    floor = [share * unexplained**2 + 1e-6 for share in shares]
    return [c**4 + low for c, low in zip(found, floor, strict=True)]


def is_redundant(feature: Feature, terms: Sequence[Term]) -> bool:
    """Whether a program has a term on this quantity, or on the same column of the same field."""

    def key(quantity: str) -> str:
        return re.sub(r"^torch\.square\((\w+(\[:, \d+\])?)\)$", r"\1", quantity)

    return key(feature.quantity) in {key(t.quantity) for t in terms}


def draw_drive(lib: Library, feature: Feature, rng: Random, strength: float, shaping: Shaping | None = None) -> Term:
    """A drive worth about `strength` per step at its typical value; its sign is that of the correlation, if probed."""
    correlation = lib.correlation_of(feature)
    if lib.correlation and correlation:
        sign = math.copysign(1.0, correlation)
    else:
        sign = 1.0 if not feature.directed or rng.random() < _FORWARD_PROBABILITY else -1.0
    low, high = _DIRECTING_CORRELATION
    known = abs(correlation)
    if not feature.directed and known >= low and (known >= high or rng.random() < 0.5):
        scale = 2.0 * rng.choice(feature.temperatures)
        return Term(feature.name, feature.quantity, Shaping.TANH, rounded(sign * strength), scale=scale)
    return _shape(feature, shaping or rng.choice(feature.shapings), sign, strength, rng)


def _shape(feature: Feature, shaping: Shaping, sign: float, strength: float, rng: Random) -> Term:
    """A term with this shaping, weighted so that all shapings pay the same at their target or, below saturation, per
    typical value.
    """
    if shaping in HAS_TARGET:
        target = sign * rng.choice(feature.targets) or 0.0  # not -0.0
        weight = strength * (abs(target) / feature.typical or 1.0)
        temperature = rng.choice(feature.temperatures)
        return Term(feature.name, feature.quantity, shaping, rounded(weight), target, temperature)
    direction = sign if feature.directed else -1.0
    if shaping is Shaping.TANH:
        scale = rng.choice(feature.saturations or feature.temperatures)
        weight = direction * strength * scale / feature.typical
        return Term(feature.name, feature.quantity, shaping, rounded(weight), scale=scale)
    return Term(feature.name, feature.quantity, shaping, rounded(direction * strength / feature.typical))


def draw_penalty(feature: Feature, rng: Random, share: float | None = None) -> Term:
    """A regulariser worth about `share` per step at typical values, always a penalty."""
    share = log_uniform(rng, *_PENALTY) if share is None else share
    weight = -rounded(min(share / feature.typical, feature.max_weight))
    scale = rng.choice(feature.saturations) if feature.saturations else None
    return Term(feature.name, feature.quantity, feature.shapings[0], weight, scale=scale)


def alive(lib: Library, weight: float) -> Term:
    """The constant bonus: small, since otherwise standing still would be the best policy."""
    return Term(lib.alive, "", Shaping.LINEAR, rounded(weight))


def draw_secondary(lib: Library, terms: Sequence[Term], rng: Random) -> Term | None:
    """A weaker second drive, on a quantity that the program does not reward yet."""
    free = [f for f in lib.drives if not is_redundant(f, terms) and not _is_twin(lib, f, terms)]
    if not free:
        return None
    # A second drive should cover what the first one misses, so the metric's influence on the choice is weaker.
    weights = [math.sqrt(p) for p in preferences(lib, free)]
    return draw_drive(lib, rng.choices(free, weights)[0], rng, log_uniform(rng, *_SECONDARY))


def _is_twin(lib: Library, feature: Feature, terms: Sequence[Term]) -> bool:
    """Whether the feature and one in use are both so correlated with the metric that they must be one quantity."""
    used = [f for f in (lib.feature_of(t.quantity) for t in terms) if f is not None]
    return min(abs(lib.correlation_of(feature)), max([0.0, *(abs(lib.correlation_of(f)) for f in used)])) > _TWIN


def draw_regulariser(lib: Library, terms: Sequence[Term], rng: Random) -> Term | None:
    """A penalty on something that the program does not use yet."""
    free = [f for f in lib.regularisers if not is_redundant(f, terms)]
    return draw_penalty(rng.choice(free), rng) if free else None


def draw_program(lib: Library, rng: Random) -> Program:
    """A fresh program of two to five terms: a main drive, weaker ones, penalties, perhaps an alive bonus."""
    secondaries, penalties = rng.choice((0, 0, 1, 2)), rng.choice((0, 1, 1, 2))
    terms: list[Term] = []
    if lib.drives:
        main = rng.choices(lib.drives, preferences(lib, lib.drives))[0]
        terms.append(draw_drive(lib, main, rng, log_uniform(rng, *_MAIN)))
    else:
        penalties = max(penalties, 1)
    for _ in range(secondaries):
        terms += [t for t in [draw_secondary(lib, terms, rng)] if t]
    for _ in range(penalties):
        terms += [t for t in [draw_regulariser(lib, terms, rng)] if t]
    if len(terms) < 2 or (len(terms) < MAX_TERMS and rng.random() < 0.6):
        terms.append(alive(lib, log_uniform(rng, *_ALIVE)))
    return Program(tuple(terms))


def plain_program(lib: Library, rng: Random) -> Program:
    """The obvious first program: the likeliest drive, linear if suitable, a small effort penalty, a small bonus."""
    terms: list[Term] = []
    if lib.drives:
        likely = preferences(lib, lib.drives)
        best = [f for f, p in zip(lib.drives, likely, strict=True) if p == max(likely)]
        main = rng.choice(best)
        terms.append(draw_drive(lib, main, rng, 1.0, main.shapings[0]))
    efforts = [f for f in lib.regularisers if f.is_effort] or list(lib.regularisers)
    efforts = [f for f in efforts if not is_redundant(f, terms)]
    if efforts:
        terms.append(draw_penalty(efforts[0], rng, 0.06))
    return Program((*terms, alive(lib, 0.1)))
