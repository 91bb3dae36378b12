"""What prompts are told of a task, and how they are kept within a number of tokens."""

from __future__ import annotations

from collections.abc import Mapping

from eureka.core.types import PromptFacts, Ranges, TaskSpec
from eureka.prompts import briefer, render_prompt
from eureka.proposers.tokens import token_estimate


def task_facts(
    spec: TaskSpec, seed: int, generation: int, hint: str, training_steps: int, random_ranges: Mapping[str, Ranges]
) -> PromptFacts:
    """The facts of a prompt that concern the task alone: those of a first generation."""
    return PromptFacts(
        task=spec.name,
        seed=seed,
        generation=generation,
        state=spec.fields,
        hint=hint,
        has_metric=spec.has_metric,
        training_steps=training_steps,
        random_ranges=random_ranges,
    )


ENDING_TOKENS = 500
"""Room for a sample's ending, which gives it its job, and for tuning lists the constants."""


def within(spec: TaskSpec, facts: PromptFacts, tokens: int) -> PromptFacts:
    """The facts, shortened until their prompt with the ending of a sample has at most about `tokens` tokens.

    The task's own part of the prompt is never shortened; if that part alone is longer, so is the prompt.
    """
    while token_estimate(render_prompt(spec, facts).messages) > tokens - ENDING_TOKENS:
        shorter = briefer(facts)
        if shorter is None:
            break
        facts = shorter
    return facts
