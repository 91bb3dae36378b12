"""The final comparison: choice of the candidate, trainings, and statistics of the scores.

All trainings are recorded in the run's store, so a comparison that was stopped is continued by starting it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from eureka.core.training import OwnReward
from eureka.core.types import TaskSpec
from eureka.evaluation import statistics
from eureka.evaluation.data import VERSION, Choice, ComparedMethod, Comparison, Role
from eureka.evaluation.trainings import Retraining, Trainings
from eureka.reward.analysis.confined import Examiner
from eureka.reward.trace.trusted import same_total
from eureka.search.outcomes import Outcome


@dataclass(frozen=True)
class ComparisonInputs:
    """The inputs of a comparison. `examiner` computes totals, for correlations; `graphs` are by candidate."""

    spec: TaskSpec
    baselines: Mapping[Role, str | OwnReward]
    graphs: Mapping[str, str]
    examiner: Examiner
    trainings: Trainings
    search_steps: int


def choose_and_compare(inputs: ComparisonInputs, ranked: Sequence[Outcome]) -> Comparison:
    """Train the first of `ranked` and the baselines with fresh seeds, and compare them.

    The scores with fresh seeds are not used for the choice, so they are unbiased. Only if a training of the first
    fails, the next one is used instead; if all fail, the first is compared.
    """
    failures: dict[str, str] = {}
    best = ranked[0].candidate.id
    for outcome in ranked:
        failures |= _train(inputs, [outcome.candidate.id])
        if outcome.candidate.id not in failures:
            best = outcome.candidate.id
            break
    return _comparison(inputs, best, failures, None)


def compare(inputs: ComparisonInputs, best: str, earlier: Comparison | None) -> Comparison:
    """Train `best` and the baselines and compare them; how `best` was chosen is copied from the `earlier`
    comparison."""
    failures = _train(inputs, [best])
    choice = earlier.choice if earlier else None
    known = choice if choice and choice.contenders[0].candidate_id == best else None
    return _comparison(inputs, best, failures, known)


# ---- training ----------------------------------------------------------------------------------------------------


def _entries(inputs: ComparisonInputs, candidates: Sequence[str]) -> list[Retraining]:
    baselines = [Retraining(role.value, reward, is_baseline=True) for role, reward in inputs.baselines.items()]
    return [*baselines, *(Retraining(name, inputs.graphs[name]) for name in candidates)]


def _trained_as(inputs: ComparisonInputs, entry: Retraining) -> str:
    """The name of the first baseline with the same reward, whose trainings are reused; or the entry's own name."""
    baselines = inputs.baselines.items()
    return next(
        (role.value for role, reward in baselines if role.value == entry.name or _same(reward, entry.reward)),
        entry.name,
    )


def _same(one: str | OwnReward, other: str | OwnReward) -> bool:
    """Whether two rewards are the same function; rewards without a graph are compared by name."""
    if isinstance(one, OwnReward) or isinstance(other, OwnReward):
        return one == other
    return same_total(one, other)


def _train(inputs: ComparisonInputs, candidates: Sequence[str]) -> dict[str, str]:
    """Train every distinct reward; returns the reasons of failure by name."""
    entries = _entries(inputs, candidates)
    trained_as = {entry.name: _trained_as(inputs, entry) for entry in entries}
    failures = inputs.trainings.train([entry for entry in entries if trained_as[entry.name] == entry.name])
    return {name: failures[trained] for name, trained in trained_as.items() if trained in failures}


# ---- numbers -----------------------------------------------------------------------------------------------------


def _comparison(inputs: ComparisonInputs, best: str, failures: Mapping[str, str], choice: Choice | None) -> Comparison:
    entries = _entries(inputs, [best])
    roles = [*inputs.baselines, Role.BEST]
    raw = {role: _method(inputs, role, entry, failures) for role, entry in zip(roles, entries, strict=True)}
    human, sparse = raw[Role.HUMAN], raw.get(Role.SPARSE)
    gap = None
    if sparse is not None and sparse.same_as is None and human.scores and sparse.scores:
        gap = statistics.difference(human.scores, sparse.scores)
    is_normalised = gap is not None and statistics.excludes_zero(gap)

    def finished(method: ComparedMethod) -> ComparedMethod:
        if not method.scores:
            return method
        compared = method.role is not Role.HUMAN and method.same_as != human.name and bool(human.scores)
        return replace(
            method,
            improvement=statistics.probability_of_improvement(method.scores, human.scores) if compared else None,
            normalised=(
                statistics.normalised(method.scores, human.scores, sparse.scores) if is_normalised and sparse else None
            ),
        )

    return Comparison(
        version=VERSION,
        task=inputs.spec.name,
        metric=inputs.spec.judged_by,
        unit=inputs.spec.unit,
        steps=inputs.trainings.steps,
        search_steps=inputs.search_steps,
        eval_episodes=inputs.trainings.length.eval_episodes,
        methods=tuple(finished(raw[role]) for role in (Role.BEST, Role.HUMAN, Role.SPARSE) if role in raw),
        gap=gap,
        transitions=len(next(iter(inputs.examiner.state.values()))),
        choice=choice,
    )


def _method(inputs: ComparisonInputs, role: Role, entry: Retraining, failures: Mapping[str, str]) -> ComparedMethod:
    """The part of a method's results that does not depend on the others' scores."""
    trained_as = _trained_as(inputs, entry)
    results = inputs.trainings.results(trained_as)
    scores = tuple(result.score for result in results.values())
    return ComparedMethod(
        role=role,
        name=entry.name,
        seeds=tuple(results),
        scores=scores,
        iqm=statistics.iqm(scores) if scores else None,
        improvement=None,
        normalised=None,
        correlation=_correlation(inputs, entry.reward),
        cached=inputs.trainings.cached(trained_as),
        same_as=None if trained_as == entry.name else trained_as,
        failed=failures.get(entry.name),
    )


def _correlation(inputs: ComparisonInputs, reward: str | OwnReward) -> float | None:
    """The correlation of a reward's totals with the human-written reward's.

    None if one of them is not a graph, crashed its process, or is constant.
    """
    written = inputs.baselines[Role.HUMAN]
    if isinstance(reward, OwnReward) or isinstance(written, OwnReward):
        return None
    ours, human = inputs.examiner.totals(reward), inputs.examiner.totals(written)
    return statistics.correlation(ours, human) if ours and human else None
