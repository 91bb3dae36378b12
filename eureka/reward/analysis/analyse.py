"""The complete analysis of one verified reward before it is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from eureka.core.diagnosis import Diagnosis, Severity
from eureka.reward.analysis.behaviour import Behaviour, behaviours, non_finite_extrapolations
from eureka.reward.analysis.diagnosis import of_recorded
from eureka.reward.analysis.parameters import RewardConstant, parameters
from eureka.reward.analysis.ranking import Ranking, rank
from eureka.reward.analysis.structure import Structure, Unreported, structure
from eureka.reward.analysis.trajectory import Trajectory
from eureka.reward.graph.format import InputRef, Ref
from eureka.reward.graph.runtime import RewardFunction, evaluate

State = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Analysis:
    """The result of `analyse`; `diagnoses` are the findings, the most important first."""

    structure: Structure
    total: Behaviour
    components: Mapping[str, Behaviour]
    parameters: tuple[RewardConstant, ...]
    ranking: Ranking | None
    diagnoses: tuple[Diagnosis, ...]

    @property
    def has_problem(self) -> bool:
        return any(diagnosis.severity is Severity.PROBLEM for diagnosis in self.diagnoses)


def analyse(
    reward: RewardFunction,
    state: State,
    trajectories: Sequence[Trajectory] = (),
    gamma: float = 0.99,
    *,
    with_parameters: bool = True,
) -> Analysis:
    """Analyse a reward on recorded transitions, and on whole trajectories if there are any.

    Args:
        state: transitions, (num, ...) for every field that the reward reads; the reward must be finite on all of them.
        gamma: the trainer's discount per control step.
        with_parameters: whether to try other values of its named constants, which the diagnoses do not need.
    """
    form = structure(reward.graph)
    total, components = behaviours(reward, state, form.entries)
    ranking = rank(reward, trajectories, gamma) if trajectories else None
    shares = _shares(reward, state, form.unreported)
    found = of_recorded(form, total, components, shares, non_finite_extrapolations(reward, state), ranking)
    tried = parameters(reward, state) if with_parameters else ()
    return Analysis(form, total, components, tried, ranking, found)


def _shares(reward: RewardFunction, state: State, terms: Sequence[Unreported]) -> list[tuple[Unreported, float | None]]:
    """Each term with its share of the total's variance, cov(weight * term, total) / var(total)."""
    if not terms:
        return []
    first = next(iter(state.values()))
    values = evaluate(reward.graph, state, first.shape[0], first.device)
    total = _value(reward.graph.total, state, values)
    variance = float(total.var(correction=0))
    shares: list[tuple[Unreported, float | None]] = []
    for term in terms:
        value = term.weight * _value(term.value, state, values).expand_as(total)
        covariance = float(((value - value.mean()) * (total - total.mean())).mean())
        shares.append((term, covariance / variance if variance > 0.0 else None))
    return shares


def _value(ref: Ref, state: State, values: Sequence[torch.Tensor]) -> torch.Tensor:
    if isinstance(ref, InputRef):
        return state[ref.name].double()
    found = values[ref.index]
    return (found if ref.item is None else found[ref.item]).double()
