"""The table of all candidates tried so far, and the properties that go with high and low scores, for prompts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import fmean
from types import MappingProxyType

from eureka.core.ideas import JOB, Contrast, Idea, IdeaStatus, Sensitivity
from eureka.core.ids import INIT_ID, generation_of
from eureka.core.training import TrainingResult
from eureka.core.types import AnswerKind, FieldSpec, Rejected, Reward
from eureka.reward.analysis.structure import structure
from eureka.reward.export.expressions import component_expressions
from eureka.reward.graph.format import GraphError, NodeRef
from eureka.reward.graph.parse import parse_graph
from eureka.search.history import History
from eureka.search.outcomes import Outcome, ranked
from eureka.search.racing import stopped_after
from eureka.search.tuning import changed_constants, one_of_each_structure, sensitivities

LONGEST_REASON = 160
MAX_CONTRASTS = 8
CLEAR = 2.0
"""How many standard errors the two means of a contrast must be apart."""
_LEAST = 3
"""Minimum number of rewards on either side of a contrast."""


def ideas(history: History) -> tuple[Idea, ...]:
    """Every candidate of earlier generations: the trained ones by worth, then those that never trained, by id."""
    outcomes = {outcome.candidate.id: outcome for outcome in history.outcomes}
    stopped = stopped_after(history.results)
    earlier = [name for name in history.samples if _is_told(history, name)]
    trained = ranked(outcomes[name] for name in earlier if name in outcomes)
    others = sorted(name for name in earlier if name not in outcomes)
    leading = one_of_each_structure(history, trained)
    measured = {outcome.candidate.id: sensitivities(history, outcome.candidate.id) for outcome in leading}
    return (
        *(_trained(history, o, stopped.get(o.candidate.id), measured.get(o.candidate.id, {})) for o in trained),
        *(_untrained(history, name) for name in others if name in history.rejections and not history.is_tuned(name)),
    )


def _is_told(history: History, name: str) -> bool:
    is_reward = history.samples[name][0].answer is AnswerKind.REWARD
    return is_reward and (name == INIT_ID or generation_of(name) < history.generation)


def _trained(
    history: History, outcome: Outcome, stopped: int | None, measured: Mapping[str, Sensitivity] = MappingProxyType({})
) -> Idea:
    name = outcome.candidate.id
    first = history.samples[name][0]
    changed = changed_constants(history, name)
    return Idea(
        candidate_id=name,
        fate=IdeaStatus.TRAINED if stopped is None else IdeaStatus.STOPPED,
        # A tuned candidate has the same expressions as its parent.
        components={} if changed else _components(history.rewards.get(name), history.spec.fields),
        job=first.notes.get(JOB, ""),
        parents=first.parents,
        reason="" if stopped is None else f"stopped after {stopped} steps",
        scores=_scores(outcome),
        estimate=outcome.worth,
        curve=_curve(outcome.results) if outcome.preference is None else (),
        constants=changed,
        sensitivities=measured,
    )


def _untrained(history: History, name: str) -> Idea:
    rejected, first = history.rejections[name], history.samples[name][0]
    return Idea(
        candidate_id=name,
        fate=IdeaStatus.REPEATED if rejected.duplicate_of else IdeaStatus.REJECTED,
        components=_components(history.rewards.get(name), history.spec.fields),
        job=first.notes.get(JOB, ""),
        parents=first.parents,
        reason=_reason(rejected),
    )


def _reason(rejected: Rejected) -> str:
    if rejected.duplicate_of:
        return f"the same reward as {rejected.duplicate_of}"
    if not rejected.feedback:
        return "it could not be trained, which is no mistake of the code"
    text = " ".join(rejected.reason.split())
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON].rstrip()} [...]"


def _scores(outcome: Outcome) -> tuple[float, ...]:
    if outcome.preference is not None:
        return (outcome.preference,)
    return tuple(result.score for result in outcome.results)


def _curve(results: Sequence[TrainingResult]) -> tuple[float, ...]:
    """The mean score over seeds at each evaluation."""
    return tuple(map(fmean, zip(*(result.checkpoint_scores for result in results), strict=False)))


def _components(reward: Reward | None, fields: Sequence[FieldSpec]) -> Mapping[str, str]:
    if reward is None:
        return {}
    try:
        return component_expressions(reward.graph, fields)
    except GraphError:  # recorded with other State fields, or by a version with other graph operations
        return dict.fromkeys(reward.components, "")


# ---- what goes with high and low scores ------------------------------------------------------------------------------


def contrasts(history: History, among: Iterable[Outcome], noise: float | None = None) -> tuple[Contrast, ...]:
    """Properties that separate rewards of clearly different worth, the clearest first.

    Differences that `noise` alone would make, by which the score of the same reward differs between seeds, are omitted.
    Only rewards with the longest training are compared, and no tuned ones (which differ from another in constants
    alone). The standard error of a difference assumes the same variance on both sides.
    """
    among = list(among)
    farthest = max((outcome.num_evaluations for outcome in among), default=0)
    worth: dict[str, float] = {}
    trainings: dict[str, int] = {}
    having: dict[str, set[str]] = {}
    for outcome in among:
        name = outcome.candidate.id
        if outcome.num_evaluations != farthest or name not in history.rewards or history.is_tuned(name):
            continue
        worth[name] = outcome.worth
        trainings[name] = len(outcome.results)
        for text in properties(history.rewards[name].graph, outcome.results[0]):
            having.setdefault(text, set()).add(name)
    found: dict[frozenset[str], tuple[float, Contrast]] = {}
    for text, names in having.items():
        inside = [value for name, value in worth.items() if name in names]
        outside = [value for name, value in worth.items() if name not in names]
        if min(len(inside), len(outside)) < _LEAST or (clear := _clearness(inside, outside)) < CLEAR:
            continue
        if abs(fmean(inside) - fmean(outside)) < CLEAR * (noise or 0.0) * _left_of_noise(trainings, names):
            continue
        contrast = Contrast(text, len(inside), fmean(inside), len(outside), fmean(outside))
        found.setdefault(frozenset(names), (clear, contrast))  # of several properties with the same rewards, the first
    by_clearness = sorted(found.values(), key=lambda pair: -pair[0])
    return tuple(contrast for _, contrast in by_clearness[:MAX_CONTRASTS])


def _left_of_noise(trainings: Mapping[str, int], inside: Collection[str]) -> float:
    """The standard deviation of the difference of two mean scores, in that of one training's score.

    Args:
        trainings: the number of trainings of every reward.
        inside: the rewards of one of the two means.
    """
    counts = [sum(count for name, count in trainings.items() if (name in inside) is side) for side in (True, False)]
    return math.sqrt(sum(1 / count for count in counts))


def _clearness(inside: Sequence[float], outside: Sequence[float]) -> float:
    """The difference of two means in standard errors."""
    means = fmean(inside), fmean(outside)
    squares = sum((v - m) ** 2 for values, m in zip((inside, outside), means, strict=True) for v in values)
    degrees = len(inside) + len(outside) - 2
    error = math.sqrt(squares / degrees * (1 / len(inside) + 1 / len(outside))) if degrees else 0.0
    difference = abs(means[0] - means[1])
    return difference / error if error > 0.0 else (math.inf if difference > 0.0 else 0.0)


FORMS: Mapping[str, tuple[str, ...]] = {
    "have an exponential": ("exp",),
    "have a hyperbolic tangent or a sigmoid": ("tanh", "sigmoid"),
    "have a hard threshold (a comparison or `where`)": (
        "where.self",
        "gt.Scalar",
        "lt.Scalar",
        "ge.Scalar",
        "le.Scalar",
    ),
}
"""Forms that a reward may use, with the graph operations that identify them."""


def properties(graph: str, result: TrainingResult) -> list[str]:
    """Short descriptions of a reward: the fields it reads, its forms, its components.

    A penalty is a component that was never positive in training.
    """
    try:
        parsed = parse_graph(graph)
    except GraphError:
        return []
    operations = {node.op for node in parsed.nodes}
    found = [f"read `{name}`" for name in structure(parsed).reads]
    found += [words for words, wanted in FORMS.items() if operations.intersection(wanted)]
    products = [
        node.op == "mul.Tensor" and all(isinstance(argument, NodeRef) for argument in node.args[:2])
        for node in parsed.nodes
    ]
    penalties = [each.maximum <= 0.0 and each.minimum < 0.0 for each in result.statistics.values()]
    further = {
        "multiply terms with each other (gates, conditions)": any(products),
        "have a penalty": any(penalties),
        "have one or two components": len(parsed.components) <= 2,
        "have four components or more": len(parsed.components) >= 4,
    }
    found += [words for words, holds in further.items() if holds]
    return found + [f"have a component named `{component.name}`" for component in parsed.components]
