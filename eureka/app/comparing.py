"""Runs the final comparison of a run and prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing
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
from eureka.core.events import Observer
from eureka.core.text import clean, table
from eureka.core.training import TrainingJob
from eureka.core.types import Reward, TaskSpec
from eureka.evaluation import Comparison, seed_rows, summary_rows, verdict
from eureka.evaluation.comparer import Comparer, baselines_of
from eureka.reward.analysis.confined import Examiner, confined_graphs
from eureka.store import RunStore
from eureka.trainers.base import Trainer
from eureka.trainers.registry import make_trainer
from eureka.ui.console import View, paragraph, print_table, say, watching


def make_comparer(config: RunConfig, trainer: Trainer, environment: Mapping[str, str], examiner: Examiner) -> Comparer:
    """The comparer of a run's rewards with the environment's own.

    Raises:
        TaskError: one of the environment's own rewards cannot be used for training.
    """
    return Comparer(
        trainer,
        baselines_of(trainer),
        examiner,
        evaluation_length(config, trainer),
        trainer.evaluated_after(training_length(config, trainer))[-1],
        cache_folder(environment) if config.evaluation.cache else None,
    )


def watching_comparison(store: RunStore, spec: TaskSpec) -> AbstractContextManager[Observer]:
    """An observer that shows the progress of trainings with fresh seeds."""
    return watching(View(f"{spec.name}, fresh seeds", spec.unit, store))


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
        num_seeds: number of fresh seeds; None: as in the run's config.
        steps: control steps of each training; None: as `full_length`. Trainings of another length replace the recorded
            ones.
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
        comparer = make_comparer(config, trainer, environment, examiner)
        length = full_length(config, trainer)
        rewards = [best.graph, *comparer.baselines.values()]
        jobs = [TrainingJob(best.candidate_id, reward, seed, length) for reward in rewards for seed in range(count)]
        for sentence in trainer.cost(jobs).sentences:
            say(sentence)
        with watching_comparison(store, trainer.spec) as observe:
            comparison = comparer.again(store, best.candidate_id, count, steps or length.steps, observe)
    print_comparison(comparison)


def best_reward(store: RunStore) -> Reward:
    """The best reward so far.

    Raises:
        StoreError: no generation has finished with a usable reward yet, or the folder was changed by hand.
    """
    best_id = next((best for best in reversed(store.finished_generations().values()) if best), None)
    if best_id is None:
        raise StoreError(
            f"{store.folder}: no generation has finished with a usable reward; `eureka resume {store.folder}` goes on"
        )
    found = next((reward for reward in store.rewards() if reward.candidate_id == best_id), None)
    if found is None:
        raise StoreError(
            f"{store.folder}: its best is {clean(best_id, 40)}, of which it holds no reward: it was changed"
        )
    return found


def print_comparison(comparison: Comparison) -> None:
    """Print both tables and the verdict, in the terminal's mode."""
    for rows in (seed_rows(comparison), summary_rows(comparison)):
        print_table(rows.title, rows.header, rows.rows, rows.notes)
    paragraph(verdict(comparison))


def comparison_lines(comparison: Comparison) -> list[str]:
    """Both tables and the verdict as plain lines."""
    lines = []
    for rows in (seed_rows(comparison), summary_rows(comparison)):
        lines += [rows.title, *table([rows.header, *rows.rows]), *rows.notes, ""]
    return [*lines, verdict(comparison)]
