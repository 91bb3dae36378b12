"""The prompts. All wording is in the templates of this folder; numbers come from `PromptFacts`."""

from eureka.prompts.render import (
    for_person,
    render_continuation,
    render_job,
    render_prompt,
    render_repair,
    render_variety,
)
from eureka.prompts.shorten import briefer, shortened

__all__ = [
    "briefer",
    "for_person",
    "render_continuation",
    "render_job",
    "render_prompt",
    "render_repair",
    "render_variety",
    "shortened",
]
