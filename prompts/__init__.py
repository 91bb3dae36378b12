"""What a model is told. All wording lives in the templates beside this file; numbers come from `PromptFacts`."""

from eureka.prompts.render import render_prompt

__all__ = ["render_prompt"]
