"""Aggregates several searches: one row per task, over all of its runs.

Intervals resample the searches, and for each the seeds of its best reward's trainings, so that they include the
variation between searches and not only between trainings of the same reward. Baselines do not depend on the search:
their trainings may be shared between runs by the cache, and each counts once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from eureka.evaluation.data import Comparison, Estimate, Role
from eureka.evaluation.record import read_comparison
from eureka.evaluation.statistics import (
    LEVEL,
    NUM_RESAMPLES,
    difference,
    excludes_zero,
    interquartile_mean,
    iqm,
    share_above,
)
from eureka.store import RunStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class SearchRun:
    """The figures of one run for the table.

    `control_steps` are those of the search's trainings, `tokens` and `usd` the cost of its answers: None if unknown for
    any of them, 0 if no language model was used.
    """

    folder: Path
    proposer: str
    comparison: Comparison
    control_steps: int
    tokens: float | None
    usd: float | None


@dataclass(frozen=True)
class TaskRow:
    """All searches of one task whose best rewards were trained for the same number of steps in the comparison.

    Attributes:
        best: IQM over all trainings of the searches' best rewards.
        human: IQM of the human-written reward, None if it has no scores.
        improvement: probability that a training with a search's best reward scores above one with the human-written
            reward.
        normalised: (best - bare metric) / |human - bare metric|; None if human and bare metric do not clearly differ.
        control_steps, tokens, usd: the mean over the searches.
        shared: number of trainings of baselines that occur in several runs, and count once.
    """

    task: str
    metric: str
    unit: str
    proposers: tuple[str, ...]
    searches: int
    trainings: int
    steps: int
    best: Estimate
    human: Estimate | None
    improvement: Estimate | None
    normalised: Estimate | None
    control_steps: float
    tokens: float | None
    usd: float | None
    shared: int


def read_search(folder: Path) -> SearchRun | None:
    """The figures of the run in `folder`; None if it has no comparison, or its best reward has no score.

    Raises:
        StoreError: the run cannot be read.
    """
    comparison = read_comparison(folder)
    best = comparison.method(Role.BEST) if comparison else None
    if comparison is None or best is None or not best.scores:
        return None
    with RunStore.open(folder, read_only=True) as store:
        answers = [a for a in chain.from_iterable(store.completions().values()) if a.was_asked]
        trained = sum(result.trained_steps for result in store.results())
    # Proposers that are not language models count no tokens.
    is_model = any(answer.usage.input_tokens is not None for answer in answers)
    tokens = _sum_known([_sum_known([answer.usage.input_tokens, answer.usage.output_tokens]) for answer in answers])
    return SearchRun(
        folder=folder,
        proposer=", ".join(dict.fromkeys(answer.model for answer in answers)) or "nobody",
        comparison=comparison,
        control_steps=trained,
        tokens=tokens if is_model else 0.0,
        usd=_sum_known([answer.usage.usd for answer in answers]) if is_model else 0.0,
    )


def _sum_known(values: Sequence[float | None]) -> float | None:
    return None if None in values else float(sum(value for value in values if value is not None))


def task_rows(runs: Iterable[SearchRun]) -> list[TaskRow]:
    """One row per task, metric and length of the comparison's trainings, in order of the tasks' names."""
    groups: dict[tuple[str, str, int], list[SearchRun]] = {}
    for run in runs:
        found = run.comparison
        groups.setdefault((found.task, found.metric, found.steps), []).append(run)
    return [_row(groups[key]) for key in sorted(groups)]


def _row(runs: Sequence[SearchRun]) -> TaskRow:
    first = runs[0].comparison
    best = [method.scores for run in runs if (method := run.comparison.method(Role.BEST)) is not None]
    all_human, all_sparse = _trainings(runs, Role.HUMAN), _trainings(runs, Role.SPARSE)
    human, sparse = _each_once(all_human), _each_once(all_sparse)
    shared = len(all_human) - len(human) + len(all_sparse) - len(sparse)
    gap = difference(human, sparse) if human and sparse else None
    return TaskRow(
        task=first.task,
        metric=first.metric,
        unit=first.unit,
        proposers=tuple(sorted({run.proposer for run in runs})),
        searches=len(runs),
        trainings=sum(map(len, best)),
        steps=first.steps,
        best=nested(interquartile_mean, best),
        human=iqm(human) if human else None,
        improvement=nested(share_above, best, human) if human else None,
        normalised=nested(_normalised, best, human, sparse) if gap is not None and excludes_zero(gap) else None,
        control_steps=sum(run.control_steps for run in runs) / len(runs),
        tokens=_mean([run.tokens for run in runs]),
        usd=_mean([run.usd for run in runs]),
        shared=shared,
    )


def _normalised(scores: Array, human: Array, sparse: Array) -> Array:
    import numpy as np

    base = interquartile_mean(sparse)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (interquartile_mean(scores) - base) / abs(interquartile_mean(human) - base)


def _trainings(runs: Sequence[SearchRun], role: Role) -> list[tuple[int, float]]:
    """Seed and score of every training of a baseline in these runs."""
    methods = [run.comparison.method(role) for run in runs]
    return [
        pair
        for method in methods
        if method is not None and method.same_as is None
        for pair in zip(method.seeds, method.scores, strict=False)
    ]


def _each_once(trainings: Sequence[tuple[int, float]]) -> list[float]:
    """The scores, with trainings of equal seed and score counted once."""
    return [score for _, score in dict.fromkeys(trainings)]


def _mean(values: Sequence[float | None]) -> float | None:
    total = _sum_known(values)
    return None if total is None else total / len(values)


def nested(statistic: Callable[..., Array], searches: Sequence[Sequence[float]], *others: Sequence[float]) -> Estimate:
    """`statistic` of all scores of the searches together and of the others, with a percentile interval.

    A resample draws searches, of each drawn one its scores anew, and of the others their scores.

    Args:
        statistic: function of arrays with scores in the last axis, which it reduces.
    """
    import numpy as np

    pooled = [np.asarray(list(chain.from_iterable(searches)), dtype=np.float64)]
    fixed = [np.asarray(other, dtype=np.float64) for other in others]
    value = float(statistic(*pooled, *fixed))
    if len(searches) < 2 and len(searches[0]) < 2:
        return Estimate(value, None)
    rng = np.random.default_rng(0)
    length = max(map(len, searches))
    counts = np.asarray([len(scores) for scores in searches])
    padded = np.asarray([[*scores, *[0.0] * (length - len(scores))] for scores in searches], dtype=np.float64)
    drawn = rng.integers(len(searches), size=(NUM_RESAMPLES, len(searches)))
    # Searches with fewer scores get as many draws as the others, so that every search has the same weight.
    places = (rng.random((NUM_RESAMPLES, len(searches), length)) * counts[drawn][:, :, None]).astype(np.int64)
    scores = padded[drawn[:, :, None], places].reshape(NUM_RESAMPLES, -1)
    resampled = [rng.choice(array, (NUM_RESAMPLES, len(array))) for array in fixed]
    values = statistic(scores, *resampled)
    low, high = np.quantile(values[np.isfinite(values)], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, (float(low), float(high)))
