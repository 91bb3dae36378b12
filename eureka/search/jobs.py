"""The jobs of a generation's samples: a mix that depends on the state of the search, and the parents of each job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import fmean

from eureka.core.ideas import JOB
from eureka.core.ids import INIT_ID, generation_of
from eureka.core.jobs import SampleJob, SearchState
from eureka.reward.analysis import thresholds
from eureka.reward.analysis.diagnosis import rise
from eureka.search.history import History
from eureka.search.outcomes import Outcome

_EXPLOIT, _COMBINE, _EXPLORE = SampleJob.EXPLOIT, SampleJob.COMBINE, SampleJob.EXPLORE
_REPAIR, _TUNE = SampleJob.REPAIR, SampleJob.TUNE

MIXES: Mapping[SearchState, tuple[SampleJob, ...]] = {
    SearchState.NOTHING_LEARNED: (_EXPLORE, _REPAIR, _EXPLORE, _COMBINE, _EXPLORE, _EXPLORE, _REPAIR, _EXPLORE),
    SearchState.ONE_LEADS: (_EXPLOIT, _COMBINE, _EXPLORE, _TUNE, _EXPLOIT, _REPAIR, _EXPLOIT, _COMBINE),
    SearchState.SEVERAL_LEAD: (_EXPLOIT, _COMBINE, _EXPLORE, _EXPLOIT, _REPAIR, _COMBINE, _TUNE, _COMBINE),
    SearchState.PLATEAU: (_COMBINE, _EXPLORE, _EXPLOIT, _COMBINE, _REPAIR, _EXPLOIT, _TUNE, _COMBINE),
}
"""The jobs of a generation's samples, in order. Larger generations repeat the sequence, smaller ones use its beginning.

Once something has learned, one of eight explores: in recorded searches with a language model explorers come out above
everything before them half as often as rewards that exploit or combine (docs/results.md, "The loop against asking
anew").
"""

MAX_PARENTS = 3
"""Number of leading rewards that are shown with code and statistics."""
LATE_GAIN = 0.1
"""Share of the leader's score: a reward that gained more than this in the second half of its training learns late, and
one that is further below the leader is clearly behind."""


@dataclass(frozen=True)
class Assignment:
    """A sample's job and its parents, the main one first."""

    job: SampleJob
    parents: tuple[str, ...] = ()


def state_of(history: History, leaders: Sequence[Outcome]) -> SearchState:
    """The state of the search.

    Args:
        leaders: the leading rewards, best first; at least one.
    """
    first = leaders[0]
    if history.spec.has_metric and _has_learned_nothing(first):
        return SearchState.NOTHING_LEARNED
    before = history.generation - 1
    if before > 1 and first.candidate.id != INIT_ID and generation_of(first.candidate.id) < before:
        return SearchState.PLATEAU
    if len(leaders) == 1 or _leads(first, leaders[1]):
        return SearchState.ONE_LEADS
    return SearchState.SEVERAL_LEAD


def _has_learned_nothing(outcome: Outcome) -> bool:
    """Whether the metric of every training stayed near 0, or hardly moved over the evaluations."""
    curves = [result.checkpoint_scores or (result.score,) for result in outcome.results]
    if all(0.0 <= score < thresholds.ZERO_METRIC for curve in curves for score in curve):
        return True
    trained = [result.metric for result in outcome.results if len(result.metric) > 1]
    return bool(trained) and all(abs(rise(metric)) < thresholds.FLAT_RISE for metric in trained)


def _leads(first: Outcome, second: Outcome) -> bool:
    """Whether `first` is clearly worth more than `second`."""
    if first.estimate is None or second.estimate is None:
        return False
    return first.estimate.mean - second.estimate.mean > first.estimate.std + second.estimate.std


def promising(outcomes: Sequence[Outcome], leaders: Sequence[Outcome], noise: float | None = None) -> list[Outcome]:
    """Rewards clearly below the leaders that improved much late in training, or fell back by its end; the largest
    change first.

    Both changes are measured against `LATE_GAIN` of the first leader's score, and against `noise`, by which the score
    of the same reward differs between seeds, as far as it is left in the mean of a reward's seeds.
    """
    first, names = leaders[0], {leader.candidate.id for leader in leaders}
    least = LATE_GAIN * abs(first.score)
    behind = [o for o in outcomes if o.candidate.id not in names and o.score < first.score - least]
    # By estimates, where there are some: a reward that only noise puts behind needs no repair.
    behind = [o for o in behind if first.estimate is None or o.estimate is None or _leads(first, o)]
    moved = [(max(_late_gain(outcome), _loss(outcome)), outcome) for outcome in behind]
    by_move = sorted(moved, key=lambda pair: (-pair[0], pair[1].candidate.id))
    return [o for move, o in by_move if move > max(least, (noise or 0.0) / sqrt(len(o.results))) and least > 0.0]


def repaired(history: History) -> frozenset[str]:
    """The rewards that an earlier generation was asked to repair: a second attempt would be told the same."""
    asked = (attempts[0] for attempts in history.samples.values())
    return frozenset(
        parent
        for sample in asked
        if sample.notes.get(JOB) == _REPAIR.value and generation_of(sample.id) < history.generation
        for parent in sample.parents
    )


def lost_at_the_end(outcome: Outcome) -> bool:
    """Whether a promising failure fell back by the end of training, rather than learned late."""
    return _loss(outcome) > _late_gain(outcome)


def _late_gain(outcome: Outcome) -> float:
    """The mean gain over seeds from the best evaluation until half time to the last one."""
    return _mean_of_curves(outcome, lambda curve: curve[-1] - max(curve[: (len(curve) + 1) // 2]))


def _loss(outcome: Outcome) -> float:
    """The mean loss over seeds from the best evaluation to the end."""
    return _mean_of_curves(outcome, lambda curve: max(curve) - curve[-1])


def _mean_of_curves(outcome: Outcome, of_curve: Callable[[Sequence[float]], float]) -> float:
    curves = [result.checkpoint_scores for result in outcome.results if len(result.checkpoint_scores) > 1]
    return fmean(map(of_curve, curves)) if curves else 0.0


def assign(
    mix: Sequence[SampleJob], count: int, leaders: Sequence[str], failed: Sequence[str], tunable: Sequence[str]
) -> list[Assignment]:
    """The jobs of a generation. A job without a suitable parent becomes an exploitation.

    Args:
        count: samples of the generation.
        leaders: the leading rewards, best first; at least one.
        failed: rewards that failed promisingly.
        tunable: leaders with named constants, best first.
    """
    pairs = list(combinations(leaders, 2))
    done = dict.fromkeys(SampleJob, 0)
    found = []
    for number in range(count):
        job = mix[number % len(mix)]
        lacking = {SampleJob.COMBINE: not pairs, SampleJob.REPAIR: not failed, SampleJob.TUNE: not tunable}
        job = SampleJob.EXPLOIT if lacking.get(job, False) else job
        turn = done[job]
        done[job] += 1
        parents: tuple[str, ...] = ()
        if job is SampleJob.EXPLOIT:
            parents = (leaders[turn % len(leaders)],)
        elif job is SampleJob.COMBINE:
            parents = pairs[turn % len(pairs)]
        elif job is SampleJob.REPAIR:
            parents = (failed[turn % len(failed)],)
        elif job is SampleJob.TUNE:
            parents = (tunable[turn % len(tunable)],)
        found.append(Assignment(job, parents))
    return found
