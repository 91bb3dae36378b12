"""Renders prompts from PromptFacts by Jinja2 templates.

The parts that are the same for a whole run (role, contract, task, State, source) come first, so that a provider's cache
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
"""Maximum number of characters of one error of an earlier candidate in a prompt's list."""
TIME_LIMIT = "time limit"
_ENDINGS = {TIME_LIMIT: "ended at the time limit", "terminated": "were terminated", "diverged": "diverged"}
_MAX_CONDITION = 120
"""Maximum number of characters of the condition that ended an episode."""
_MAX_EXPRESSION = 240
"""Maximum number of characters of a component's expression in the table of ideas."""
_MAX_SOURCE = 20_000
_MAX_ANSWER = 4_000
"""Maximum number of characters of an answer without usable code."""
_MAX_WORST = 6_000
"""Maximum number of characters of the reward that a person rated worst."""
_MAX_QUOTE = 500
"""Maximum number of characters of a person's text about one generation."""


def render_prompt(spec: TaskSpec, facts: PromptFacts, *, template: str = "user.jinja2", ending: str = "") -> Prompt:
    """The messages for one candidate: a system message, and one user message.

    The user message ends with a person's feedback, the errors of earlier candidates and the Reflection on the parent;
    with the errors alone if no candidate was usable; with none of these in a first generation.

    Args:
        spec: the task's specification.
        facts: the facts of the run so far.
        template: the file of this folder that the user message is rendered by.
        ending: the final part of the prompt, specific to this candidate.
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
        training_steps=facts.training_steps,
        random_ranges=facts.random_ranges,
    )
    system = _rendered("system.jinja2", has_metric=facts.has_metric)
    return Prompt((Message("system", system), Message("user", content)), facts, ending)


def render_repair(prompt: Prompt, rejected: Rejected, attempt: int, *, source: str, answer: str) -> Prompt:
    """A conversation about one rejected candidate: its generation's prompt, its code, and the exact error.

    Args:
        attempt: the number of the requested answer, 1 for the first repair.
        source: the candidate's code, to whose lines the error refers; empty if the answer had no usable code.
        answer: the answer, shown if there is no `source`.
    """
    shown = fenced(_cut(source, _MAX_SOURCE), "python") if source else _cut(answer.strip(), _MAX_ANSWER)
    request = _rendered("repair.jinja2", stage=rejected.stage.value, feedback=rejected.feedback)
    return _conversation(prompt, attempt, shown or "(no text)", request)


def render_continuation(prompt: Prompt, answer: Completion) -> Prompt:
    """A conversation that asks for the rest of an answer that was cut off."""
    return _conversation(prompt, answer.attempt + 1, answer.text.rstrip(), _rendered("continuation.jinja2"))


def for_model(diagnosis: Diagnosis) -> str:
    """The text of a diagnosis in prompts, with advice; may be empty."""
    return _worded(diagnosis, model=True)


def for_person(diagnosis: Diagnosis) -> str:
    """A diagnosis in words for a person: a sentence without a capital and a full stop, names in backticks; empty for
    good news."""
    return _worded(diagnosis, model=False)


class _Numbers(dict[str, float | None]):
    """A mapping of numbers in which missing ones are undefined instead of an error, since diagnoses also come from
    confined processes.
    """

    def __missing__(self, key: str) -> None:
        return None


def _worded(diagnosis: Diagnosis, *, model: bool) -> str:
    words = getattr(_environment().get_template("diagnosis.jinja2").module, diagnosis.kind.value)
    return str(words(diagnosis, _Numbers(diagnosis.numbers), model)).strip()


def render_variety(sample: int, samples: int) -> str:
    """The sentence that asks sample `sample` (from 1) of `samples` for a different approach; empty for a single one."""
    return _rendered("variety.jinja2", sample=sample, samples=samples) if samples > 1 else ""


class TunableConstant(Protocol):
    """A reward's named constant, with the effect of doubling and halving it on the total, in its standard
    deviations."""

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
    before: int = 0,
    *,
    leader: str = "",
    lost: bool = False,
) -> str:
    """The text that gives one of `samples` answers its job, with its parents, and constants to tune.

    Args:
        measured: measured effects of some of the constants on the score.
        before: number of earlier samples of the generation with the same job; explorers are sent in
            different directions.
        leader: the first of the leading rewards, for explorers.
        lost: whether a reward to repair lost what its policies had learned; otherwise it learned late.
    """
    return _rendered(
        "jobs.jinja2",
        job=job.value,
        parents=parents,
        samples=samples,
        constants=constants,
        measured=measured,
        before=before,
        leader=leader,
        lost=lost,
    )


def mistake(rejected: Rejected) -> str:
    """An error as a warning for other candidates: in one line, without line numbers of code that they do not see.

    Advice on the form of answers is in every prompt, and omitted here.
    """
    text = rejected.reason if rejected.stage is Stage.EXTRACT else rejected.feedback
    return _cut(re.sub(r"^line \d+: ", "", " ".join(text.split())), _MAX_MISTAKE)


def _conversation(prompt: Prompt, attempt: int, answer: str, request: str) -> Prompt:
    messages = (*prompt.messages, Message("assistant", answer), Message("user", request))
    return Prompt(messages, replace(prompt.facts, attempt=attempt))


def _cut(text: str, longest: int) -> str:
    """The text, shortened to its beginning and end if it is too long."""
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
    environment.filters |= {"number": number, "numbers": numbers, "percent": percent, "shape": shape, "ranges": ranges}
    environment.filters |= {"fenced": fenced, "quoted": quoted, "metric_words": metric_words, "for_model": for_model}
    environment.filters |= {"goes_with": goes_with, "endings": endings, "field_rows": field_rows}
    environment.filters |= {
        "brief": lambda text: _cut(text, _MAX_EXPRESSION),
        "excerpt": lambda text: _cut(text, _MAX_WORST),
    }
    return environment


def _template(name: str) -> str:
    # The name may come from a run folder, so it may only refer to templates in this folder.
    if not re.fullmatch(r"[a-z_]+\.jinja2", name, re.ASCII) or not files(__package__).joinpath(name).is_file():
        raise ConfigError(f"{name[:80]!r} is none of the prompts' templates")
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def number(value: float | None) -> str:
    """A number with three significant digits, without an exponent if that stays short; `undefined` for None."""
    if value is None:
        return "undefined"
    if value == 0.0:
        return "0"
    if math.isfinite(value) and 1000 <= abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.3g}"


def percent(share: float | None) -> str:
    """A share as `99.8%`, `less than 0.01%`, or `undefined` for None."""
    if share is None:
        return "undefined"
    return "less than 0.01%" if 0.0 < abs(share) < 1e-4 else f"{number(100 * share)}%"


def numbers(values: Sequence[float]) -> str:
    """A curve as text: `[0.1, 0.2, 0.4]`."""
    return f"[{', '.join(number(value) for value in values)}]"


def metric_words(metric: MetricSpec) -> str:
    """The description of a metric with its unit, range and best possible value, as far as they are known."""
    parts = [metric.description]
    # "of the time" is not a unit to name: the description says what it is a share of.
    is_said = re.search(rf"(?<![\w']){re.escape(metric.unit)}(?!\w)", metric.description)
    if metric.unit and not metric.unit.startswith("of ") and not is_said:
        parts.append(f"unit {metric.unit}")
    if metric.lowest is not None and metric.highest is not None:
        parts.append(f"from {number(metric.lowest)} to {number(metric.highest)}")
    if metric.best is not None:
        parts.append(f"the best possible is {number(metric.best)}")
    return "; ".join([*parts, "more is better"])


def goes_with(component: ComponentReflection) -> str:
    """The correlations of a component with the task metric in words, as far as they are known."""
    known = {
        "over training": component.score_correlation,
        "between episodes": component.episode_correlation,
        "in steps": component.metric_correlation,
        "with its change": component.change_correlation,
    }
    parts = [f"{number(value)} {words}" for words, value in known.items() if value is not None]
    return f"metric {', '.join(parts)}" if parts else "metric undefined"


def field_rows(episodes: Sequence[EpisodeTrace]) -> dict[str, list[tuple[float, ...]]]:
    """State columns over these episodes, those that all of them have. Of columns that vary alike only the first is
    kept: a State may say the same in two ways."""
    rows: dict[str, list[tuple[float, ...]]] = {}
    for name in episodes[0].fields:
        if all(name in episode.fields for episode in episodes):
            values = [episode.fields[name] for episode in episodes]
            varies = any(len(set(series)) > 1 for series in values)
            if not varies or values not in rows.values():
                rows[name] = values
    return rows


def endings(episodes: Sequence[EpisodeTrace], seeds: int = 1) -> str:
    """A text on why and when evaluation episodes of `seeds` policies ended: the conditions, the scores, the scores of
    failed episodes, and when the metric first exceeded 0 and for how long, unless some episode began above 0.
    """
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
    if first and min(first) > 1:
        text += f" The metric was first above 0 after {_span(first)} steps, in {len(first)} of them."
        longest = [episode.longest_metric_steps for episode in episodes if episode.first_metric_step is not None]
        if min(longest) > 0:
            steps = "steps in a row" if max(longest) > 1 else "step"
            text += f" At the longest it stayed above 0 for {_span(longest)} {steps}."
    return text


def _span(values: Sequence[float]) -> str:
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low} to {high}"


def ranges(found: Sequence[tuple[float, float]]) -> str:
    """Ranges of a field's columns as text: `-0.1 to 0.2, 0 to 1`."""
    return ", ".join(_span(pair) for pair in found)


def shape(spec: FieldSpec) -> str:
    """A field's shape with its batch dimension: `(num_envs,)`, `(num_envs, 3)`."""
    return f"(num_envs, {', '.join(str(size) for size in spec.shape)})" if spec.shape else "(num_envs,)"


def quoted(text: str) -> str:
    """A person's words in one line, so that they cannot imitate a line of the prompt."""
    return _cut(" ".join(text.split()), _MAX_QUOTE)


def fenced(text: str, info: str = "") -> str:
    """A code block whose fence is longer than any run of backticks in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{info}\n{text.rstrip()}\n{fence}"
