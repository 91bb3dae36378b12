"""Prompts within a number of tokens: what is left out or said in fewer words."""

from __future__ import annotations

from eureka.core.types import PromptFacts, TaskSpec
from eureka.prompts import briefer, render_prompt
from eureka.proposers.tokens import token_estimate


def within(spec: TaskSpec, facts: PromptFacts, tokens: int) -> PromptFacts:
    """The facts, shortened while their prompt has more than about so many tokens.

    A task's own part of the prompt is never shortened, so that a prompt may have more where that part alone has.
    """
    while token_estimate(render_prompt(spec, facts).messages) > tokens:
        shorter = briefer(facts)
        if shorter is None:
            break
        facts = shorter
    return facts
