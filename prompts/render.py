"""PromptFacts -> Prompt, by Jinja2 templates.

The parts that stay the same through a run (role, contract, task, State, source) come first, so that a provider's cache
of the common prefix serves every generation.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import jinja2

from eureka.types import FieldSpec, Message, Prompt, PromptFacts, Rejected

# The most distinct errors of rejected candidates that are worth a prompt's tokens.
_MAX_FAILURES = 8


@dataclass(frozen=True)
class Failure:
    """One error, and the candidates that it befell."""

    candidate_ids: tuple[str, ...]
    stage: str
    feedback: str


def render_prompt(*, description: str, environment_source: str, facts: PromptFacts) -> Prompt:
    """The messages for one generation: a system message, and one user message.

    `description` is the task's sentence; `environment_source` the source that a model may see. The user message ends
    with the Reflection on the parent and the errors of rejected candidates, or with the errors alone where no candidate
    was usable, or with neither in a first generation.
    """
    failures = _failures(facts.rejected)
    user = _environment().get_template("user.jinja2")
    content = user.render(
        description=description,
        environment_source=environment_source,
        state=facts.state,
        reflection=facts.reflection,
        failures=failures[:_MAX_FAILURES],
        failures_left_out=len(failures[_MAX_FAILURES:]),
    )
    system = _environment().get_template("system.jinja2").render()
    return Prompt((Message("system", system.strip()), Message("user", content.strip())), facts)


def _failures(rejected: Sequence[Rejected]) -> list[Failure]:
    """Rejections with the same error together, in order of first appearance."""
    groups: dict[tuple[str, str], list[str]] = {}
    for rejection in rejected:
        groups.setdefault((rejection.stage.value, rejection.feedback), []).append(rejection.candidate_id)
    return [Failure(tuple(ids), stage, feedback) for (stage, feedback), ids in groups.items()]


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        undefined=jinja2.StrictUndefined,
        # The prompts are text, not HTML: escaping would corrupt code.
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"number": number, "numbers": numbers, "shape": shape, "fenced": fenced}
    return environment


def _template(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def number(value: float | None) -> str:
    """Three significant digits, without an exponent where that stays short; `undefined` for None."""
    if value is None:
        return "undefined"
    if value == 0.0:
        return "0"
    if math.isfinite(value) and 1000 <= abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.3g}"


def numbers(values: Sequence[float]) -> str:
    """A curve: `[0.1, 0.2, 0.4]`."""
    return f"[{', '.join(number(value) for value in values)}]"


def shape(spec: FieldSpec) -> str:
    """A field's shape with its batch dimension: `(num_envs,)`, `(num_envs, 3)`."""
    return f"(num_envs, {', '.join(str(size) for size in spec.shape)})" if spec.shape else "(num_envs,)"


def fenced(text: str, info: str = "") -> str:
    """A code block whose fence is longer than any run of backticks in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{info}\n{text.rstrip()}\n{fence}"
