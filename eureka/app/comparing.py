"""The final comparison of a run, from its config and store to what is printed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.app.build import (
    cache_folder,
    evaluated_config,
    evaluation_length,
    full_length,
    require_task_dirs,
    training_length,
)
from eureka.app.own_runs import task_folders
from eureka.config import EvaluationConfig, RunConfig
from eureka.core.errors import StoreError
from eureka.core.events import Observer, tell_all
from eureka.core.text import table
from eureka.core.training import OwnReward, TrainingJob
from eureka.core.types import Phase, Reward, Selection
from eureka.evaluation import Comparison, Role, read_comparison, seed_rows, summary_rows, verdict, write_comparison
from eureka.evaluation.cache import TrainingCache
from eureka.evaluation.compare import Contest, choose_and_compare, compare
from eureka.evaluation.data import as_event
from eureka.evaluation.trainings import Trainings, fresh_seeds
from eureka.reward.analysis.confined import Examiner, confined_graphs
from eureka.search.outcomes import Outcome
from eureka.store import RunStore
from eureka.trainers.base import Trainer
from eureka.trainers.registry import make_trainer
from eureka.ui.console import View, paragraph, print_table, say, watching

_ROLES = {OwnReward.OWN: Role.HUMAN, OwnReward.METRIC: Role.SPARSE}


@dataclass(frozen=True)
class Comparer:
    """What every comparison of a run needs, ready before the search begins."""

    config: RunConfig
    trainer: Trainer
    baselines: Mapping[Role, str | OwnReward]
    environment: Mapping[str, str]
    examiner: Examiner

    @classmethod
    def prepare(
        cls, config: RunConfig, trainer: Trainer, environment: Mapping[str, str], examiner: Examiner
    ) -> Comparer:
        """Look at the environment's own rewards.

        Args:
            examiner: computes the candidates' rewards.

        Raises:
            TaskError: one of them cannot be trained with.
        """
        baselines = {_ROLES[own]: reward for own, reward in trainer.baselines().items()}
        return cls(config, trainer, baselines, environment, examiner)

    def choose(self, store: RunStore, ranked: Sequence[Outcome], tracker: Observer) -> Outcome:
        """Compare the best of `ranked` with the baselines, after a closer look at the second if need be.

        Gives the best, which is recorded as such, as is the comparison.
        """
        with watching(View(f"{self.trainer.spec.name}, fresh seeds", self.trainer.spec.unit, store)) as shown:
            observe = tell_all(shown, tracker)
            contest = self._contest(store, self.config.evaluation.seeds, None, observe)
            comparison = choose_and_compare(contest, ranked)
            observe(as_event(comparison))
        best = comparison.method(Role.BEST)
        assert best is not None
        last = max(store.finished_generations())
        store.record_selection(Selection(generation=last, phase=Phase.EVALUATION, best=best.name, stop=True))
        write_comparison(store, comparison)
        return next(outcome for outcome in ranked if outcome.candidate.id == best.name)

    def again(self, store: RunStore, seeds: int, steps: int) -> Comparison:
        """Compare the best once more, with so many seeds and control steps of each training."""
        with watching(View(f"{self.trainer.spec.name}, fresh seeds", self.trainer.spec.unit, store)) as observe:
            contest = self._contest(store, seeds, steps, observe)
            comparison = compare(contest, best_reward(store).candidate_id, read_comparison(store.folder))
            observe(as_event(comparison))
        return write_comparison(store, comparison)

    def _contest(self, store: RunStore, seeds: int, steps: int | None, observe: Observer) -> Contest:
        length = evaluation_length(self.config, self.trainer)
        folder = store.checkpoint_folder
        if steps is not None:
            length, folder = replace(length, steps=steps), folder / "evaluation"
        provenance = self.trainer.provenance if self.config.evaluation.cache else None
        cache = None
        if provenance is not None:
            cache = TrainingCache(cache_folder(self.environment), self.trainer.spec.name, provenance)
        searched = self.trainer.evaluated_after(training_length(self.config, self.trainer))
        return Contest(
            spec=self.trainer.spec,
            baselines=self.baselines,
            graphs={reward.candidate_id: reward.graph for reward in store.rewards()},
            examiner=self.examiner,
            trainings=Trainings(store, self.trainer, folder, length, fresh_seeds(store, seeds), observe, cache),
            search_steps=searched[-1],
        )


def evaluate_run(
    store: RunStore,
    num_seeds: int | None,
    steps: int | None,
    task_dirs: Sequence[Path],
    environment: Mapping[str, str],
    overrides: Sequence[str] = (),
) -> None:
    """Compare a run's best reward with the baselines once more, and print it.

    Args:
        num_seeds: as the run's config has them where None.
        steps: control steps of each training; as `full_length` has them where None. Trainings of another length
            replace those there are.
        overrides: see `evaluated_config`.
    """
    config = evaluated_config(store, overrides, environment)
    task_dirs = task_folders(store, task_dirs, environment)
    require_task_dirs(store, task_dirs)
    with closing(make_trainer(config, task_dirs, environment)) as trainer, confined_graphs() as sandbox:
        if not trainer.spec.has_metric:
            raise StoreError(
                f"{store.folder}: task {trainer.spec.name} has no metric, so rewards cannot be compared by it"
            )
        best = best_reward(store)
        count = num_seeds or config.evaluation.seeds or EvaluationConfig().seeds
        say(f"{best.candidate_id}, the human-written reward and the bare metric are trained with {count} fresh seeds")
        examiner = Examiner(sandbox, trainer.record().state)
        comparer = Comparer.prepare(config, trainer, environment, examiner)
        length = full_length(config, trainer)
        rewards = [best.graph, *comparer.baselines.values()]
        jobs = [TrainingJob(best.candidate_id, reward, seed, length) for reward in rewards for seed in range(count)]
        for sentence in trainer.cost(jobs).sentences:
            say(sentence)
        comparison = comparer.again(store, count, steps or length.steps)
    print_comparison(comparison)


def best_reward(store: RunStore) -> Reward:
    """The best reward so far.

    Raises:
        StoreError: no generation has finished with a usable reward yet.
    """
    best_id = next((best for best in reversed(store.finished_generations().values()) if best), None)
    if best_id is None:
        raise StoreError(
            f"{store.folder}: no generation has finished with a usable reward; `eureka resume {store.folder}` goes on"
        )
    return next(reward for reward in store.rewards() if reward.candidate_id == best_id)


def print_comparison(comparison: Comparison) -> None:
    """Both tables and the verdict, in the terminal's mode."""
    for rows in (seed_rows(comparison), summary_rows(comparison)):
        print_table(rows.title, rows.header, rows.rows, rows.notes)
    paragraph(verdict(comparison))


def comparison_lines(comparison: Comparison) -> list[str]:
    """Both tables and the verdict as plain lines."""
    lines = []
    for rows in (seed_rows(comparison), summary_rows(comparison)):
        lines += [rows.title, *table([rows.header, *rows.rows]), *rows.notes, ""]
    return [*lines, verdict(comparison)]
