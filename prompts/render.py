"""PromptFacts -> Prompt, by Jinja2 templates.

The parts that stay the same through a run (role, contract, task, State, source) come first, so that a provider's cache
of the common prefix serves every generation.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from statistics import fmean
from types import MappingProxyType
from typing import Protocol

import jinja2

from eureka.core.diagnosis import Diagnosis
from eureka.core.errors import ConfigError
from eureka.core.ideas import Sensitivity
from eureka.core.ids import INIT_ID
from eureka.core.jobs import SampleJob
from eureka.core.training import EpisodeTrace
from eureka.core.types import (
    Completion,
    ComponentReflection,
    FieldSpec,
    Message,
    MetricSpec,
    Prompt,
    PromptFacts,
    Rejected,
    Stage,
    TaskSpec,
)

_MAX_MISTAKE = 400
"""Characters of one error of an earlier candidate, of which a prompt has a whole list."""
TIME_LIMIT = "time limit"
_ENDINGS = {TIME_LIMIT: "ended at the time limit", "terminated": "were terminated", "diverged": "diverged"}
_MAX_CONDITION = 120
"""Characters of the condition that ended an episode."""
_MAX_EXPRESSION = 240
"""Characters of a component's expression in the table of ideas."""
_MAX_SOURCE = 20_000
_MAX_ANSWER = 4_000
"""Characters of an answer that nothing could be taken from: enough to see what it did."""
_MAX_WORST = 6_000
"""Characters of the reward that a person liked least."""
_MAX_QUOTE = 500
"""Characters of what a person wrote about one generation."""


def render_prompt(spec: TaskSpec, facts: PromptFacts, *, template: str = "user.jinja2", ending: str = "") -> Prompt:
    """The messages for one candidate: a system message, and one user message.

    The user message ends with what a person said, the errors of earlier candidates and the Reflection on the parent, or
    with the errors alone where no candidate was usable, or with none of it in a first generation.

    Args:
        spec: what is to be learned.
        facts: what the prompt says of the run so far.
        template: the file of this folder that the user message is rendered by.
        ending: what this candidate's prompt alone says, after what a generation's prompts share.
    """
    content = _rendered(
        template,
        description=spec.sentence,
        environment_source=spec.source,
        control_step_s=spec.control_step_s,
        episode_steps=spec.episode_steps,
        physical_facts=spec.physical_facts,
        hint=facts.hint,
        state=facts.state,
        reflection=facts.reflection,
        further_parents=facts.further_parents,
        init_id=INIT_ID,
        mistakes=[mistake(rejected) for rejected in facts.rejected],
        feedback=facts.feedback,
        worst_source=facts.worst_source,
        has_metric=facts.has_metric,
        metric=spec.metric,
        ideas=facts.ideas,
        curve_points=max((len(idea.curve) for idea in facts.ideas), default=0),
        contrasts=facts.contrasts,
        failures=facts.failures,
        seed_noise=facts.seed_noise,
    )
    system = _rendered("system.jinja2", has_metric=facts.has_metric)
    return Prompt((Message("system", system), Message("user", content)), facts, ending)


def render_repair(prompt: Prompt, rejected: Rejected, attempt: int, *, source: str, answer: str) -> Prompt:
    """A conversation about one rejected candidate: its generation's prompt, its code, and the exact error.

    Args:
        attempt: the number of the answer that is asked for, 1 for the first repair.
        source: the candidate's code, whose lines the error counts; empty where none could be taken from the answer.
        answer: what it had answered, shown where there is no `source`.
    """
    shown = fenced(_cut(source, _MAX_SOURCE), "python") if source else _cut(answer.strip(), _MAX_ANSWER)
    request = _rendered("repair.jinja2", stage=rejected.stage.value, feedback=rejected.feedback)
    return _conversation(prompt, attempt, shown or "(no text)", request)


def render_continuation(prompt: Prompt, answer: Completion) -> Prompt:
    """A conversation that asks for the rest of an answer that was cut off."""
    return _conversation(prompt, answer.attempt + 1, answer.text.rstrip(), _rendered("continuation.jinja2"))


def for_model(diagnosis: Diagnosis) -> str:
    """What a prompt says about a diagnosis and what to do about it; may be empty."""
    return _worded(diagnosis, model=True)


def for_person(diagnosis: Diagnosis) -> str:
    """A diagnosis in words for a person: a sentence without a capital and a full stop, names in backticks; empty for
    good news."""
    return _worded(diagnosis, model=False)


class _Numbers(dict[str, float | None]):
    """A number that is not there is undefined, and no error: diagnoses come from confined processes too."""

    def __missing__(self, key: str) -> None:
        return None


def _worded(diagnosis: Diagnosis, *, model: bool) -> str:
    words = getattr(_environment().get_template("diagnosis.jinja2").module, diagnosis.kind.value)
    return str(words(diagnosis, _Numbers(diagnosis.numbers), model)).strip()


def render_variety(sample: int, samples: int) -> str:
    """What tells sample `sample`, counted from 1, of `samples` to take a line of its own; empty for a lone one."""
    return _rendered("variety.jinja2", sample=sample, samples=samples) if samples > 1 else ""


class TunableConstant(Protocol):
    """A reward's named constant, and what doubling and halving it does to the total, in its standard deviations."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def doubled(self) -> float | None: ...
    @property
    def halved(self) -> float | None: ...


def render_job(
    job: SampleJob,
    parents: Sequence[str],
    samples: int,
    constants: Sequence[TunableConstant] = (),
    measured: Mapping[str, Sensitivity] = MappingProxyType({}),
) -> str:
    """What tells one of `samples` answers its job, with the rewards that it builds on, and constants to tune.

    Args:
        measured: how scores went with some of the constants.
    """
    return _rendered(
        "jobs.jinja2", job=job.value, parents=parents, samples=samples, constants=constants, measured=measured
    )


def mistake(rejected: Rejected) -> str:
    """An error as a warning to others: in one line, without the number of a line that they do not see.

    What is to be done about an answer that nothing could be taken from is said in every prompt, and left out here.
    """
    text = rejected.reason if rejected.stage is Stage.EXTRACT else rejected.feedback
    return _cut(re.sub(r"^line \d+: ", "", " ".join(text.split())), _MAX_MISTAKE)


def _conversation(prompt: Prompt, attempt: int, answer: str, request: str) -> Prompt:
    messages = (*prompt.messages, Message("assistant", answer), Message("user", request))
    return Prompt(messages, replace(prompt.facts, attempt=attempt))


def _cut(text: str, longest: int) -> str:
    """The text, or its beginning and its end where it is longer."""
    if len(text) <= longest:
        return text
    return f"{text[: longest * 2 // 3].rstrip()} [...] {text[-longest // 3 :].lstrip()}"


def _rendered(template: str, **values: object) -> str:
    return _environment().get_template(template).render(values).strip()


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
    environment.filters |= {"number": number, "numbers": numbers, "percent": percent, "shape": shape, "fenced": fenced}
    environment.filters |= {"metric_words": metric_words, "brief": lambda text: _cut(text, _MAX_EXPRESSION)}
    environment.filters |= {"goes_with": goes_with, "endings": endings}
    environment.filters |= {"for_model": for_model, "quoted": quoted, "excerpt": lambda text: _cut(text, _MAX_WORST)}
    return environment


def _template(name: str) -> str:
    # The name may come from a run folder, which may name no other file: only templates of this folder are meant.
    if not re.fullmatch(r"[a-z_]+\.jinja2", name, re.ASCII) or not files(__package__).joinpath(name).is_file():
        raise ConfigError(f"{name[:80]!r} is none of the prompts' templates")
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


def percent(share: float | None) -> str:
    """`99.8%`, `less than 0.01%`, or `undefined` for None."""
    if share is None:
        return "undefined"
    return "less than 0.01%" if 0.0 < abs(share) < 1e-4 else f"{number(100 * share)}%"


def numbers(values: Sequence[float]) -> str:
    """A curve: `[0.1, 0.2, 0.4]`."""
    return f"[{', '.join(number(value) for value in values)}]"


def metric_words(metric: MetricSpec) -> str:
    """What a metric is, in which unit and range, and which value is the best possible, as far as these are known."""
    parts = [metric.description]
    # "of the time" is no unit to name: the description says of what it is the share.
    if metric.unit and not metric.unit.startswith("of ") and metric.unit not in metric.description:
        parts.append(f"unit {metric.unit}")
    if metric.lowest is not None and metric.highest is not None:
        parts.append(f"from {number(metric.lowest)} to {number(metric.highest)}")
    if metric.best is not None:
        parts.append(f"the best possible is {number(metric.best)}")
    return "; ".join([*parts, "more is better"])


def goes_with(component: ComponentReflection) -> str:
    """How a component goes with the task metric, by the correlations that are known."""
    known = {
        "over training": component.score_correlation,
        "between episodes": component.episode_correlation,
        "in steps": component.metric_correlation,
        "with its change": component.change_correlation,
    }
    parts = [f"{number(value)} {words}" for words, value in known.items() if value is not None]
    return f"metric {', '.join(parts)}" if parts else "metric undefined"


def endings(episodes: Sequence[EpisodeTrace], seeds: int = 1) -> str:
    """Why and when evaluation episodes of the policies of `seeds` seeds ended, by which condition, what they scored,
    what is left of the score where one fails, and when the metric was first above 0."""
    kinds: dict[tuple[str, str], list[int]] = {}
    for episode in episodes:
        kinds.setdefault((episode.ended, episode.condition), []).append(episode.steps)
    ended = [
        f"{len(steps)} {_ENDINGS.get(kind, kind)}"
        + (f" by `{_cut(condition, _MAX_CONDITION)}`" if condition else "")
        + (f" (after {_span(steps)} steps)" if kind != TIME_LIMIT else "")
        for (kind, condition), steps in kinds.items()
    ]
    scores = [episode.score for episode in episodes]
    policies = f"policies of {seeds} seeds" if seeds > 1 else "policy"
    text = f"{len(episodes)} evaluation episodes of the trained {policies}: {', '.join(ended)}; scores {_span(scores)}."
    lasted = [episode.score for episode in episodes if episode.ended == TIME_LIMIT]
    failed = [episode.score for episode in episodes if episode.ended != TIME_LIMIT]
    if lasted and failed:
        text += f" Mean score {number(fmean(lasted))} where it lasted to the limit, {number(fmean(failed))} where not."
    first = [episode.first_metric_step for episode in episodes if episode.first_metric_step is not None]
    if first:
        text += f" The metric was first above 0 after {_span(first)} steps, in {len(first)} of them."
    return text


def _span(values: Sequence[float]) -> str:
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low} to {high}"


def shape(spec: FieldSpec) -> str:
    """A field's shape with its batch dimension: `(num_envs,)`, `(num_envs, 3)`."""
    return f"(num_envs, {', '.join(str(size) for size in spec.shape)})" if spec.shape else "(num_envs,)"


def quoted(text: str) -> str:
    """A person's words in one line, so that no line of theirs can look like one of the prompt's own."""
    return _cut(" ".join(text.split()), _MAX_QUOTE)


def fenced(text: str, info: str = "") -> str:
    """A code block whose fence is longer than any run of backticks in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{info}\n{text.rstrip()}\n{fence}"
