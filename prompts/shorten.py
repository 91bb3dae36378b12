"""Shortens the facts of a prompt: step by step to a number of tokens, or at once if a model refuses the length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eureka.core.ideas import Idea
from eureka.core.ids import generation_of
from eureka.core.types import PromptFacts, Reflection

POINTS_LEFT = 3
"""Number of points left of a Reflection's curves: beginning, middle and end."""
IDEAS_LEFT = 16
"""Number of ideas left, the best ones, if nothing else can be omitted."""
FEWEST_IDEAS = 4
"""Number of ideas left for a model that refuses even that."""


def briefer(facts: PromptFacts) -> PromptFacts | None:
    """The facts with one item less, None if nothing more can be omitted.

    In this order: the tables of episodes, except the first parent's; the expressions of the weaker half of the ideas,
    one by one, the oldest first and of one generation the weakest; the failures but one; that parent's table; that
    failure; the older half of the errors of earlier candidates; the other expressions; the last of the further parents;
    the ideas beyond the best `IDEAS_LEFT`; all errors and most points of the curves.
    """
    if (failures := _but_a_table(facts.failures)) is not None:
        return replace(facts, failures=failures)
    if (parents := _but_a_table(facts.further_parents)) is not None:
        return replace(facts, further_parents=parents)
    told = [number for number, idea in enumerate(facts.ideas) if any(idea.components.values())]
    told.sort(key=lambda number: (generation_of(facts.ideas[number].candidate_id), -number))
    weaker = [number for number in told if number >= len(facts.ideas) // 2]
    if weaker:
        return replace(facts, ideas=_without_expressions(facts.ideas, weaker[:1]))
    if len(facts.failures) > 1:
        return replace(facts, failures=facts.failures[:-1])
    if facts.reflection is not None and _has_table(facts.reflection):
        return replace(facts, reflection=_without_table(facts.reflection))
    if facts.failures:
        return replace(facts, failures=())
    if len(facts.rejected) > 1:
        return replace(facts, rejected=facts.rejected[: len(facts.rejected) // 2])
    if told:
        return replace(facts, ideas=_without_expressions(facts.ideas, told[:1]))
    if facts.further_parents:
        return replace(facts, further_parents=facts.further_parents[:-1])
    if len(facts.ideas) > IDEAS_LEFT:
        return replace(facts, ideas=facts.ideas[:IDEAS_LEFT])
    shorter = _shortest(facts)
    return None if shorter == facts else shorter


def shortened(facts: PromptFacts, before: int) -> PromptFacts | None:
    """The facts with much less content, for a model that refused a prompt as too long; None if nothing more can be
    omitted.

    First the older half of the errors of earlier candidates is omitted, with the failures and the expressions of the
    ideas; then all errors, most points of the curves, the ideas except the best, the reward that a person rated worst,
    and all feedback except the latest; then all parents except the first, what goes with high and low scores, and the
    ideas except the best `FEWEST_IDEAS`; at last all ideas, and of the parent everything except
    code and curves.

    Args:
        before: number of earlier shortenings.
    """
    if before == 0:
        lighter = replace(
            facts,
            rejected=facts.rejected[: max(len(facts.rejected) // 2, 1)],
            ideas=_without_expressions(facts.ideas, range(len(facts.ideas))),
            failures=(),
        )
        if lighter != facts:
            return lighter
    shorter = _shortest(facts)
    if shorter == facts:
        shorter = replace(facts, further_parents=(), contrasts=(), ideas=facts.ideas[:FEWEST_IDEAS])
    if shorter == facts and facts.reflection is not None:
        shorter = replace(facts, ideas=(), reflection=replace(facts.reflection, diagnoses=(), episodes=()))
    return None if shorter == facts else shorter


def _but_a_table(told: Sequence[Reflection]) -> tuple[Reflection, ...] | None:
    """The reflections, with the last table removed; None if there is none."""
    for number in reversed(range(len(told))):
        if _has_table(told[number]):
            return (*told[:number], _without_table(told[number]), *told[number + 1 :])
    return None


def _has_table(reflection: Reflection) -> bool:
    return any(episode.fields for episode in reflection.episodes)


def _without_table(reflection: Reflection) -> Reflection:
    return replace(reflection, episodes=tuple(replace(episode, fields={}) for episode in reflection.episodes))


def _shortest(facts: PromptFacts) -> PromptFacts:
    return replace(
        facts,
        rejected=(),
        reflection=_fewer_points(facts.reflection) if facts.reflection else None,
        further_parents=tuple(map(_fewer_points, facts.further_parents)),
        failures=(),
        ideas=_without_expressions(facts.ideas[:IDEAS_LEFT], range(IDEAS_LEFT)),
        feedback=facts.feedback[:1],
        worst_source="",
    )


def _without_expressions(ideas: Sequence[Idea], numbers: Sequence[int]) -> tuple[Idea, ...]:
    """The ideas, where those with these numbers keep only the names of their components."""
    return tuple(
        replace(idea, components=dict.fromkeys(idea.components, "")) if number in numbers else idea
        for number, idea in enumerate(ideas)
    )


def _fewer_points(reflection: Reflection) -> Reflection:
    return replace(
        _without_table(reflection),
        steps=tuple(int(step) for step in _few(reflection.steps)),
        metric_points=_few(reflection.metric_points),
        episode_length_points=_few(reflection.episode_length_points),
        total_points=_few(reflection.total_points),
        components=tuple(replace(c, points=_few(c.points)) for c in reflection.components),
    )


def _few(points: Sequence[float]) -> tuple[float, ...]:
    if len(points) <= POINTS_LEFT:
        return tuple(points)
    return (points[0], points[len(points) // 2], points[-1])
