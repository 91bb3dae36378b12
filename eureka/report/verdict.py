"""What a run found, in one sentence, and what the numbers of a training warn of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eureka.comparison.data import Comparison, Estimate, Role
from eureka.report.text import counted, number, percent
from eureka.report.views import CandidateView, RunView
from eureka.types import ComponentReflection, Finding, FindingKind, Reflection

SATURATED = 0.02
"""Of a component's range: how near to its maximum its last third must stay."""


@dataclass(frozen=True)
class Verdict:
    """`sentence` stands on top of the page; `detail` says how sure it is, `figure` is the number of it."""

    sentence: str
    detail: str
    figure: str


def verdict(run: RunView) -> Verdict:
    """The strongest thing that the run's store allows to say."""
    if run.best is None:
        return _nothing_yet(run)
    compared = _compared(run, run.comparison) if run.comparison else None
    if compared is not None:
        return compared
    fresh = run.evaluations.get(run.best.id, ())
    if fresh:
        scores = sorted(result.score for result in fresh)
        mean = sum(scores) / len(scores)
        spread = f", from {number(scores[0])} to {number(scores[-1])}" if len(scores) > 1 else ""
        return Verdict(
            f"{run.best.id} reaches {_amount(mean, run)} on average over "
            f"{counted(len(scores), 'training')} with fresh seeds{spread}.",
            "It was not compared with the human-written reward.",
            _amount(mean, run),
        )
    return _searched(run, run.best)


def _nothing_yet(run: RunView) -> Verdict:
    rejected = sum(candidate.status == "rejected" for candidate in run.candidates)
    searched = sum(generation.is_finished for generation in run.generations)
    if run.is_finished or 0 < run.generations_wanted == searched:
        text = f"No usable reward among {counted(len(run.candidates), 'candidate')}: {rejected} were rejected."
    else:
        text = "No generation has finished with a usable reward yet."
    return Verdict(text, f"{counted(len(run.candidates), 'candidate')} so far, {rejected} rejected.", "")


def _compared(run: RunView, comparison: Comparison) -> Verdict | None:
    best = comparison.method(Role.BEST)
    if best is None or best.iqm is None:
        return None
    seeds = counted(len(best.scores), "fresh seed")
    figure = _amount(best.iqm.value, run)
    reaches = f"{best.name} reaches {figure}"
    detail = f"{reaches}: interquartile mean of {seeds}{_interval(best.iqm)}, {comparison.steps:,} control steps each."
    if best.normalised is not None:
        share = f"{number(best.normalised.value)} of the human reward"
        sentence = f"{best.name} is worth {share}{_interval(best.normalised)}, {seeds}."
        return Verdict(
            sentence,
            f"{detail} On this scale 0 is the bare task metric as reward, and 1 the human-written reward.",
            share,
        )
    if best.same_as is not None:
        return Verdict(f"{best.name} computes the {best.same_as}-written reward itself.", detail, figure)
    human = comparison.method(Role.HUMAN)
    if best.improvement is not None and human is not None and human.iqm is not None:
        if set(best.scores) == set(human.scores):
            return Verdict(f"{reaches}, as the human-written reward does, {seeds}.", detail, figure)
        chance = f"better in {percent(best.improvement.value)} of all pairs of trainings"
        sentence = (
            f"{reaches}, the human-written reward {number(human.iqm.value)}: {chance}"
            f"{_interval(best.improvement, percent)}, {seeds}{_sureness(best.improvement)}."
        )
        return Verdict(sentence, detail, figure)
    return Verdict(f"{reaches}{_interval(best.iqm)}, {seeds}.", detail, figure)


def _sureness(improvement: Estimate) -> str:
    if improvement.interval is None:
        return "; one seed says little"
    low, high = improvement.interval
    return "; these seeds do not tell which is better" if low <= 0.5 <= high else ""


def _interval(estimate: Estimate, shown: Callable[[float], str] = number) -> str:
    if estimate.interval is None:
        return ""
    return f", 95% interval {shown(estimate.interval[0])} to {shown(estimate.interval[1])}"


def _amount(value: float, run: RunView) -> str:
    return f"{number(value)} {run.unit}".rstrip()


def _searched(run: RunView, best: CandidateView) -> Verdict:
    trained = sum(candidate.status == "trained" for candidate in run.candidates)
    score = best.score if best.score is not None else float("nan")
    so_far = "" if run.is_finished else "So far, "
    scores = sorted(result.score for result in best.results)
    spread = f", from {number(scores[0])} to {number(scores[-1])}" if len(scores) > 1 else ""
    return Verdict(
        f"{so_far}{best.id} is the best of {counted(trained, 'trained reward')}: {_amount(score, run)}.",
        f"That is the search's own evaluation of {counted(len(scores), 'training')}{spread}, and the best of many is "
        "partly luck. Trainings with fresh seeds, beside the human-written reward, say what it is worth: "
        "eureka evaluate.",
        _amount(score, run),
    )


def warnings(reflection: Reflection) -> list[str]:
    """The findings about a candidate's training as sentences for people; what merely goes on well is left out."""
    found = [text for finding in reflection.findings if (text := _warning(finding, reflection))]
    full = [component.name for component in reflection.components if is_saturated(component)]
    return found + [f"{name} is saturated: it ends at its maximum, and asks for nothing more." for name in full]


def is_saturated(component: ComponentReflection) -> bool:
    """Whether it rose to its maximum over the training and stayed there: what is left of it teaches nothing."""
    room = component.maximum - component.minimum
    last = component.points[-max(len(component.points) // 3, 1) :]
    lowest = min(last)
    return room > 0 and component.maximum > 0 and component.maximum - lowest < SATURATED * room


def _warning(finding: Finding, reflection: Reflection) -> str:
    component = next((c for c in reflection.components if c.name == finding.component), None)
    if component is not None:
        share, correlation = percent(component.variance_share), number(component.metric_correlation, 2)
        active = percent(component.active_fraction)
        return {
            FindingKind.COMPONENT_FLAT: f"{component.name} is dead: standard deviation {number(component.std)}, "
            f"active on {active} of steps.",
            FindingKind.COMPONENT_DOMINATES: f"{component.name} dominates with {share} of the total's variance.",
            FindingKind.COMPONENT_NEGLIGIBLE: f"{component.name} has no influence: {share} of the total's variance.",
            FindingKind.COMPONENT_OPPOSES: f"{component.name} works against the task: correlation {correlation} with "
            "the metric.",
        }.get(finding.kind, "")
    return {
        FindingKind.REWARD_UP_METRIC_FLAT: "The reward rose while the task metric stayed flat: the policy collects "
        "reward without doing the task (reward hacking).",
        FindingKind.METRIC_ZERO: "The task metric stayed at 0.",
        FindingKind.METRIC_FLAT: "The task metric hardly changed in training.",
        FindingKind.METRIC_FELL: f"The metric fell from its best checkpoint, {number(reflection.metric_max)}, to "
        f"{number(reflection.metric_final)} at the end.",
        FindingKind.EPISODES_SHORTEN: "Episodes became shorter without a better metric.",
    }.get(finding.kind, "")
