"""The result of a run in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eureka.core.text import counted
from eureka.evaluation.data import Comparison, Estimate, Role
from eureka.ui.report.text import number, percent
from eureka.ui.report.views import CandidateView, RunView


@dataclass(frozen=True)
class Headline:
    """`sentence` is at the top of the page; `detail` describes its certainty, `figure` is its number."""

    sentence: str
    detail: str
    figure: str


def headline(run: RunView) -> Headline:
    """The strongest statement that the run's records support."""
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
        return Headline(
            f"{run.best.called} reaches {_amount(mean, run)} on average over "
            f"{counted(len(scores), 'training')} with fresh seeds{spread}.",
            "It was not compared with the human-written reward.",
            _amount(mean, run),
        )
    return _searched(run, run.best)


def _nothing_yet(run: RunView) -> Headline:
    rejected = sum(candidate.status == "rejected" for candidate in run.candidates)
    searched = sum(generation.is_finished for generation in run.generations)
    if run.is_finished or 0 < run.generations_wanted == searched:
        text = f"No usable reward among {counted(len(run.candidates), 'candidate')}: {rejected} were rejected."
    else:
        text = "No generation has finished with a usable reward yet."
    return Headline(text, f"{counted(len(run.candidates), 'candidate')} so far, {rejected} rejected.", "")


def _compared(run: RunView, comparison: Comparison) -> Headline | None:
    best = comparison.method(Role.BEST)
    if best is None or best.iqm is None:
        return None
    seeds = counted(len(best.scores), "fresh seed")
    figure = _amount(best.iqm.value, run)
    called = run.best.called if run.best is not None and run.best.id == best.name else best.name
    reaches = f"{called} reaches {figure}"
    steps = f"{comparison.steps:,} control steps each"
    detail = f"It reaches {figure}: interquartile mean of {seeds}{_interval(best.iqm)}, {steps}."
    if best.normalised is not None and _tells(best.normalised, 1.0):
        share = f"{number(best.normalised.value)} of the human reward"
        sentence = f"{called} is worth {share}{_interval(best.normalised)}, {seeds}."
        return Headline(
            sentence,
            f"{detail} On this scale 0 is the bare task metric as reward, and 1 the human-written reward.",
            share,
        )
    if best.same_as is not None:
        return Headline(f"{called} computes the {best.same_as}-written reward itself.", detail, figure)
    human = comparison.method(Role.HUMAN)
    if best.improvement is not None and human is not None and human.iqm is not None:
        if set(best.scores) == set(human.scores):
            return Headline(f"{reaches}, as the human-written reward does, {seeds}.", detail, figure)
        return _against_human(reaches, number(human.iqm.value), best.improvement, seeds, detail, figure)
    return Headline(f"{reaches}{_interval(best.iqm)}, {seeds}.", detail, figure)


def _against_human(reaches: str, human: str, improvement: Estimate, seeds: str, detail: str, figure: str) -> Headline:
    """The probability that the best beats the human-written reward: in the sentence if the number of seeds supports it,
    else in the detail.
    """
    chance = f"better in {percent(improvement.value)} of all pairs of trainings{_interval(improvement, percent)}"
    if _tells(improvement, 0.5):
        return Headline(f"{reaches}, the human-written reward {human}: {chance}, {seeds}.", detail, figure)
    says = "says little" if improvement.interval is None else "do not tell which is better"
    sentence = f"{reaches} and the human-written reward {human}; {seeds} {says}."
    return Headline(sentence, f"It is {chance}. {detail}", figure)


def _tells(estimate: Estimate, level: float) -> bool:
    """Whether the interval excludes the value at which the best and the human-written reward are equal."""
    return estimate.interval is not None and not estimate.interval[0] <= level <= estimate.interval[1]


def _interval(estimate: Estimate, shown: Callable[[float], str] = number) -> str:
    if estimate.interval is None:
        return ""
    return f", 95% interval {shown(estimate.interval[0])} to {shown(estimate.interval[1])}"


def _amount(value: float, run: RunView) -> str:
    return f"{number(value)} {run.unit}".rstrip()


def _searched(run: RunView, best: CandidateView) -> Headline:
    trained = sum(candidate.status == "trained" for candidate in run.candidates)
    score = best.score if best.score is not None else float("nan")
    so_far = "" if run.is_finished else "So far, "
    scores = sorted(result.score for result in best.results)
    spread = f", from {number(scores[0])} to {number(scores[-1])}" if len(scores) > 1 else ""
    if best.preference is not None:
        return Headline(
            f"{so_far}{best.called} is the best of {counted(trained, 'trained reward')}, as a person chose.",
            f"Its {_amount(score, run)} is a Bradley-Terry score of that person's choices: the task has "
            "no metric, and so there is no comparison by one.",
            _amount(score, run),
        )
    return Headline(
        f"{so_far}{best.called} is the best of {counted(trained, 'trained reward')}: {_amount(score, run)}.",
        f"That is the search's own evaluation of {counted(len(scores), 'training')}{spread}, and the best of many is "
        "partly luck. Trainings with fresh seeds, beside the human-written reward, say what it is worth: "
        "eureka evaluate.",
        _amount(score, run),
    )
