"""Tunes the constants of leading rewards, and estimates the effect of each constant on the score.

After the answers of a generation have trained, `search.tune` further candidates are made without asking the model: the
sources of the leading rewards with other values of their weights and scales. The factors come from a scrambled Sobol
sequence (Sobol 1967, Owen 1998); their logarithms are normally distributed around 0.

The effect of each constant on the score is estimated over all rewards of one structure, by Bayesian linear regression
on the logarithms of the constants. This gives a slope with its standard deviation, which is large where few values were
tried.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from eureka.core.ideas import JOB, TUNED, Sensitivity
from eureka.core.ids import candidate_id, generation_of
from eureka.core.types import Origin, PromptFacts, Reward, Sample
from eureka.reward.extract.named_numbers import named_numbers, with_numbers
from eureka.reward.graph.format import ConstantRef, GraphError, format_graph, references
from eureka.reward.graph.parse import parse_graph
from eureka.search.estimates import seed_noise
from eureka.search.history import History
from eureka.search.outcomes import Outcome, ranked

if TYPE_CHECKING:
    from eureka.reward.analysis.parameters import RewardConstant

LEADERS = 2
"""Number of structures, the best ones, that are tuned in a generation."""
MOST_CONSTANTS = 6
"""Maximum number of tuned constants per reward: those that change its total most."""
LARGEST_FACTOR = 4.0
_DOUBLINGS = 0.7
"""Standard deviation of the base-2 logarithm of a factor: two in three factors lie between 0.62 and 1.6."""
_FACTORS = frozenset({"mul.Tensor", "div.Tensor"})
_PHYSICAL = re.compile(
    r"(?:^|_)(?:g|gravity|mass|inertia|length|radius|dt|pi|omega0)(?:_squared)?(?:_(?:m|kg|s|s2|m2|rad|n|hz))*$",
    re.ASCII | re.IGNORECASE,
)
"""Names of physical quantities, optionally followed by a unit."""
_LEAST = 3
"""Minimum number of rewards of one structure before anything is said about its constants."""


@dataclass(frozen=True)
class Tuning:
    """Makes a generation's tuned candidates.

    Attributes:
        variants: number of tuned candidates.
        constants: function that returns a reward's named constants, with the effect of changing each on its total.
    """

    variants: int
    constants: Callable[[Reward], Sequence[RewardConstant]]

    def samples(self, history: History) -> list[Sample]:
        """Variants of the leading rewards in turn; empty once this generation has them.

        Called after the rest of the generation has trained.
        """
        if any(sample.origin is Origin.TUNED for sample in _first(history) if _is_now(history, sample)):
            return []
        among = one_of_each_structure(history, ranked(history.outcomes))
        # Lazily, one after another: examining a reward's constants takes a confined process.
        looked_at = ((outcome, self._tunable(history, outcome)) for outcome in among)
        leaders = list(islice(((outcome, values) for outcome, values in looked_at if values), LEADERS))
        return [
            self._sample(history, *leaders[number % len(leaders)], number) for number in range(self.variants) if leaders
        ]

    def _sample(self, history: History, leader: Outcome, values: Mapping[str, float], number: int) -> Sample:
        parent = leader.candidate
        drawn = factors(f"{history.seed}/{parent.id}", len(values), self._drawn_before(history, parent.id) + number)
        changed = {
            name: float(f"{value * factor:.3g}") for (name, value), factor in zip(values.items(), drawn, strict=True)
        }
        spec = history.spec
        return Sample(
            id=candidate_id(history.generation, history.budget.samples + 1 + number),
            facts=PromptFacts(spec.name, history.seed, history.generation, spec.fields, has_metric=spec.has_metric),
            parents=(parent.id,),
            origin=Origin.TUNED,
            source=with_numbers(parent.source, changed),
            notes={**history.samples[parent.id][0].notes, JOB: TUNED},
        )

    def _drawn_before(self, history: History, parent: str) -> int:
        """Upper bound of the points of the parent's sequence that earlier generations used."""
        return self.variants * (history.generation - generation_of(parent))

    def _tunable(self, history: History, outcome: Outcome) -> dict[str, float]:
        """The constants that may be changed, those with the largest effect on the total first.

        Empty for a graph recorded by a version with other operations.
        """
        reward = history.rewards.get(outcome.candidate.id)
        if reward is None:
            return {}
        try:
            weights = tunable(reward.graph)
        except GraphError:
            return {}
        written = named_numbers(outcome.candidate.source)
        free = {name: value for name, value in weights.items() if written.get(name) == value}
        if not free:
            return {}
        effects = {c.name: max(c.doubled or 0.0, c.halved or 0.0) for c in self.constants(reward)}
        names = sorted(free, key=lambda name: (-effects.get(name, 0.0), name))[:MOST_CONSTANTS]
        return {name: free[name] for name in names}


def tunable(graph: str) -> dict[str, float]:
    """The constants of a graph that are weights or scales: those used only in multiplications and divisions.

    Constants that are added, compared or used as exponents are excluded, and so are zeros and those whose names say
    that they are physical quantities, such as gravity, a mass or a length.
    """
    parsed = parse_graph(graph)
    otherwise = {
        ref.name
        for node in parsed.nodes
        if node.op not in _FACTORS
        for argument in node.arguments
        for ref in references(argument)
        if isinstance(ref, ConstantRef)
    }
    return {
        name: value
        for name, value in parsed.constants.items()
        if value and name not in otherwise and not _PHYSICAL.search(name)
    }


def factors(key: str, count: int, number: int) -> list[float]:
    """Point `number` of a sequence of `count` factors each, between 1 / LARGEST_FACTOR and LARGEST_FACTOR.

    The same key gives the same sequence in every process.
    """
    import torch  # slow to import, and a report that reads tuned candidates does not need it
    from torch.quasirandom import SobolEngine

    sobol = SobolEngine(count, scramble=True, seed=crc32(key.encode()))  # type: ignore[no-untyped-call]
    uniform = sobol.draw(number + 1, dtype=torch.float64)[number].clamp(1e-6, 1.0 - 1e-6).tolist()
    normal, most = NormalDist(sigma=_DOUBLINGS), math.log2(LARGEST_FACTOR)
    return [2.0 ** min(max(normal.inv_cdf(share), -most), most) for share in uniform]


# ---- structures ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def structure_key(graph: str) -> str:
    """A key that is equal for two rewards that differ only in the values of named constants.

    Raises:
        GraphError: the graph was recorded by a version with other operations.
    """
    parsed = parse_graph(graph)
    nodes = tuple(replace(node, line=None, name=None) for node in parsed.nodes)
    return format_graph(replace(parsed, nodes=nodes, constants=dict.fromkeys(parsed.constants, 0.0)))


def one_of_each_structure(history: History, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The outcomes, without those that have the same structure as an earlier one."""
    found: dict[str, Outcome] = {}
    for outcome in outcomes:
        found.setdefault(_structure(history, outcome), outcome)
    return list(found.values())


def _structure(history: History, outcome: Outcome) -> str:
    try:
        return structure_key(history.rewards[outcome.candidate.id].graph)
    except (KeyError, GraphError):
        return outcome.candidate.id


def changed_constants(history: History, name: str) -> dict[str, float]:
    """The named constants of a tuned candidate that differ from its parent's; empty for other candidates."""
    if not history.is_tuned(name):
        return {}
    first = history.samples[name][0]
    before = named_numbers(history.candidates[first.parents[0]].source)
    return {key: value for key, value in named_numbers(first.source).items() if before.get(key) != value}


# ---- what the constants do -------------------------------------------------------------------------------------------


def sensitivities(history: History, name: str) -> dict[str, Sensitivity]:
    """The effect of each constant of a candidate on the score, over all trained rewards of its structure.

    Empty if fewer than `_LEAST` of them have the longest training, or if their constants do not differ.
    """
    farthest = max((outcome.num_evaluations for outcome in history.outcomes), default=0)
    judged = [o for o in history.outcomes if o.num_evaluations == farthest and o.preference is None]
    ours = next((o for o in judged if o.candidate.id == name), None)
    if ours is None:
        return {}
    key = _structure(history, ours)
    alike = [o for o in judged if _structure(history, o) == key]
    if len(alike) < _LEAST:
        return {}
    constants = [dict(parse_graph(history.rewards[o.candidate.id].graph).constants) for o in alike]
    varied = [
        constant
        for constant, value in constants[0].items()
        if value and all(each[constant] / value > 0.0 for each in constants)
        if len({each[constant] for each in constants}) > 1
    ]
    if not varied:
        return {}
    scores = {o.candidate.id: [result.score for result in o.results] for o in judged}
    return _regression(
        np.array([[math.log2(abs(each[constant])) for constant in varied] for each in constants]),
        np.array([fmean(scores[o.candidate.id]) for o in alike]),
        np.array([seed_noise(scores) ** 2 / len(o.results) for o in alike]),
        float(np.std([fmean(row) for row in scores.values()])),
        varied,
    )


def _regression(
    logs: np.ndarray, scores: np.ndarray, variances: np.ndarray, spread: float, names: Sequence[str]
) -> dict[str, Sensitivity]:
    """Slopes of the score by constant, with their standard deviations.

    Args:
        logs: (rewards, constants), logarithms to the base of 2.
        variances: (rewards,), variances of the scores.
        spread: prior standard deviation of a slope: the spread of the run's scores.
    """
    if spread == 0.0 or variances.min() == 0.0:
        return {}
    weights = 1.0 / variances
    middle = weights / weights.sum()
    x, y = logs - middle @ logs, scores - middle @ scores
    precision = (x * weights[:, None]).T @ x + np.eye(len(names)) / spread**2
    covariance = np.linalg.inv(precision)
    slopes = covariance @ (x * weights[:, None]).T @ y
    stds = np.sqrt(np.diag(covariance))
    return {n: Sensitivity(float(s), float(d)) for n, s, d in zip(names, slopes, stds, strict=True)}


def _first(history: History) -> list[Sample]:
    return [attempts[0] for attempts in history.samples.values()]


def _is_now(history: History, sample: Sample) -> bool:
    return generation_of(sample.id) == history.generation
