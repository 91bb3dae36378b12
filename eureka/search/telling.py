"""Keeps prompts within a number of tokens by leaving facts out or shortening them."""

from __future__ import annotations

from eureka.core.types import PromptFacts, TaskSpec
from eureka.prompts import briefer, render_prompt
from eureka.proposers.tokens import token_estimate

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
