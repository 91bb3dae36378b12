"""Compares a run's best reward with the environment's own, and records the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from eureka.core.events import Observer
from eureka.core.training import OwnReward, TrainingLength
from eureka.core.types import Phase, Selection
from eureka.evaluation.cache import TrainingCache
from eureka.evaluation.compare import ComparisonInputs, choose_and_compare, compare
from eureka.evaluation.data import Comparison, Role, as_event
from eureka.evaluation.record import read_comparison, write_comparison
from eureka.evaluation.trainings import Trainings, fresh_seeds
from eureka.reward.analysis.confined import Examiner
from eureka.search.outcomes import Outcome
from eureka.store import RunStore
from eureka.trainers.base import Trainer

_ROLES = {OwnReward.OWN: Role.HUMAN, OwnReward.METRIC: Role.SPARSE}


def baselines_of(trainer: Trainer) -> Mapping[Role, str | OwnReward]:
    """The environment's own rewards, by role in the comparison.

    Raises:
        TaskError: one of them cannot be used for training.
    """
    return {_ROLES[own]: reward for own, reward in trainer.baselines().items()}


@dataclass(frozen=True)
class Comparer:
    """Makes the comparisons of a run; set up before the search begins.

    Attributes:
        baselines: the environment's own rewards, see `baselines_of`.
        examiner: evaluates the candidates' rewards.
        length: of each training.
        search_steps: control steps of a full training in the search, for the record.
        cache: the folder for cached trainings of the baselines; None: no cache.
    """

    trainer: Trainer
    baselines: Mapping[Role, str | OwnReward]
    examiner: Examiner
    length: TrainingLength
    search_steps: int
    cache: Path | None = None

    def choose(self, store: RunStore, ranked: Sequence[Outcome], seeds: int, observe: Observer) -> Outcome:
        """Compare the best of `ranked` with the baselines.

        Returns the best; it and the comparison are recorded.
        """
        comparison = choose_and_compare(self._contest(store, seeds, None, observe), ranked)
        observe(as_event(comparison))
        best = comparison.method(Role.BEST)
        assert best is not None
        last = max(store.finished_generations())
        store.record_selection(Selection(generation=last, phase=Phase.EVALUATION, best=best.name, stop=True))
        write_comparison(store, comparison)
        return next(outcome for outcome in ranked if outcome.candidate.id == best.name)

    def again(self, store: RunStore, best: str, seeds: int, steps: int, observe: Observer) -> Comparison:
        """Compare the candidate `best` again, with this number of seeds and of control steps per training."""
        inputs = self._contest(store, seeds, steps, observe)
        comparison = compare(inputs, best, read_comparison(store.folder))
        observe(as_event(comparison))
        return write_comparison(store, comparison)

    def _contest(self, store: RunStore, seeds: int, steps: int | None, observe: Observer) -> ComparisonInputs:
        length, folder = self.length, store.checkpoint_folder
        if steps is not None:
            length, folder = replace(length, steps=steps), folder / "evaluation"
        return ComparisonInputs(
            spec=self.trainer.spec,
            baselines=self.baselines,
            graphs={reward.candidate_id: reward.graph for reward in store.rewards()},
            examiner=self.examiner,
            trainings=Trainings(store, self.trainer, folder, length, fresh_seeds(store, seeds), observe, self._cache),
            search_steps=self.search_steps,
        )

    @cached_property
    def _cache(self) -> TrainingCache | None:
        provenance = self.trainer.provenance if self.cache else None
        if self.cache is None or provenance is None:
            return None
        return TrainingCache(self.cache, self.trainer.spec.name, provenance)
