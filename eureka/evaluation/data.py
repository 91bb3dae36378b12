"""The results of a final comparison as plain numbers, for the terminal, the report and `evaluation.json`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from eureka.core.events import Compared, ComparedReward

VERSION = 1
"""The version of the format of `evaluation.json`."""


class Role(StrEnum):
    """The role of a reward in the comparison."""

    BEST = "best"
    HUMAN = "human"
    SPARSE = "sparse"


@dataclass(frozen=True)
class Estimate:
    """A statistic of trainings with several seeds and its 95% bootstrap interval, None for a single seed."""

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class ComparedMethod:
    """One reward, trained with fresh seeds; `scores` are the task metric of each seed's final policy.

    Attributes:
        name: the key of its trainings in the run's store: a candidate's id, `human` or `sparse`.
        iqm: interquartile mean over seeds; None if no training finished.
        improvement: probability that a training with it scores above one with the human reward; None for the human
            reward itself, for an equal one, and if either has no scores.
        normalised: (method - sparse) / |human - sparse| of the IQMs; None if that is meaningless, see `Comparison`.
        correlation: Pearson's, of this reward with the human one over recorded transitions; None where one is constant.
        cached: the seeds whose trainings were cached by an earlier run.
        same_as: the method with an equal reward, whose trainings are reused.
        failed: why a training failed, if one did.
    """

    role: Role
    name: str
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    iqm: Estimate | None
    improvement: Estimate | None
    normalised: Estimate | None
    correlation: float | None
    cached: tuple[int, ...] = ()
    same_as: str | None = None
    failed: str | None = None


@dataclass(frozen=True)
class Contender:
    """One of the candidates that were compared for the choice of the best; `iqm` is over the fresh seeds, None if all
    failed.
    """

    candidate_id: str
    iqm: Estimate | None


@dataclass(frozen=True)
class Choice:
    """A choice in runs of earlier versions: if the search could not decide between its first two, both were trained
    again.

    `contenders` has the chosen one first, which was reported on the seeds that it was chosen by.
    """

    contenders: tuple[Contender, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The best reward of a run against the human-written one and the bare task metric, at equal budgets.

    Attributes:
        steps: control steps of every training, in `num_envs` worlds together.
        search_steps: control steps of a training in the search.
        eval_episodes: evaluation episodes behind each score, on start states never trained on.
        methods: the best reward, the human one, and the metric as a reward where the task has that.
        gap: IQM of human minus IQM of sparse. Scores are only normalised if its interval excludes 0.
        transitions: recorded transitions behind the correlations.
        unsafe: a warning for a run without confinement; otherwise empty.
    """

    version: int
    task: str
    metric: str
    unit: str
    steps: int
    search_steps: int
    eval_episodes: int
    methods: tuple[ComparedMethod, ...]
    gap: Estimate | None
    transitions: int
    choice: Choice | None = None
    unsafe: str = ""

    def method(self, role: Role) -> ComparedMethod | None:
        """The method with this role, if any."""
        return next((method for method in self.methods if method.role is role), None)


def as_event(comparison: Comparison) -> Compared:
    """The comparison as an event for observers."""

    def value(estimate: Estimate | None) -> float | None:
        return estimate.value if estimate else None

    return Compared(
        tuple(
            ComparedReward(
                role=method.role.value,
                seeds=method.seeds,
                scores=method.scores,
                iqm=value(method.iqm),
                probability_of_improvement=value(method.improvement),
                human_normalised=value(method.normalised),
            )
            for method in comparison.methods
        )
    )
