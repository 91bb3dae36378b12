"""The final comparison of a run, from its config and store to what is printed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.app.build import (
    cache_folder,
    evaluation_schedule,
    full_schedule,
    make_backend,
    make_schedule,
    require_task_dirs,
)
from eureka.app.configs import from_yaml
from eureka.app.estimate import find_room, memory_said
from eureka.config import EvaluationConfig, RunConfig
from eureka.core.errors import StoreError
from eureka.core.events import Observer, tell_all
from eureka.core.text import table
from eureka.core.types import Reward
from eureka.evaluation import Comparison, Role, read_comparison, seed_rows, summary_rows, verdict, write_comparison
from eureka.evaluation.baselines import Baselines, trace_baselines
from eureka.evaluation.cache import TrainingCache
from eureka.evaluation.compare import Contest, choose_and_compare, compare
from eureka.evaluation.data import as_event
from eureka.evaluation.trainings import Trainings, fresh_seeds
from eureka.physics.engine import choose, identity
from eureka.reward.analysis.confined import Examiner, confined_graphs
from eureka.search import Outcome
from eureka.store import RunStore
from eureka.tasks import Task, load_task
from eureka.trainers.population.backend import Backend
from eureka.trainers.population.memory import memory_need
from eureka.trainers.population.recording import Recording, record
from eureka.ui.console import View, paragraph, print_table, say, watching


@dataclass(frozen=True)
class Comparer:
    """What every comparison of a run needs, ready before the search begins."""

    config: RunConfig
    task: Task
    recording: Recording
    baselines: Baselines
    environment: Mapping[str, str]
    examiner: Examiner

    @classmethod
    def prepare(
        cls,
        config: RunConfig,
        task: Task,
        recording: Recording,
        environment: Mapping[str, str],
        examiner: Examiner,
    ) -> Comparer:
        """Trace the baselines.

        Args:
            examiner: computes the candidates' rewards.

        Raises:
            TaskError: the task's human or sparse reward has no graph.
        """
        return cls(config, task, recording, trace_baselines(task, recording.state), environment, examiner)

    def choose(self, store: RunStore, backend: Backend, ranked: Sequence[Outcome], tracker: Observer) -> Outcome:
        """Compare the best of `ranked` with the baselines, after a closer look at the second if need be.

        Gives the best, which is recorded as such, as is the comparison.
        """
        with watching(View(f"{self.config.task}, fresh seeds", self.task.metric.unit, store)) as shown:
            observe = tell_all(shown, tracker)
            contest = self._contest(store, backend, self.config.evaluation.seeds, None, observe)
            comparison = choose_and_compare(contest, ranked)
            observe(as_event(comparison))
        best = comparison.method(Role.BEST)
        assert best is not None
        store.record_generation(max(store.finished_generations()), best.name)
        write_comparison(store, comparison)
        return next(outcome for outcome in ranked if outcome.candidate.id == best.name)

    def again(self, store: RunStore, backend: Backend, seeds: int, steps: int) -> Comparison:
        """Compare the best once more, with so many seeds and control steps of each training."""
        with watching(View(f"{self.config.task}, fresh seeds", self.task.metric.unit, store)) as observe:
            contest = self._contest(store, backend, seeds, steps, observe)
            comparison = compare(contest, best_reward(store).candidate_id, read_comparison(store.folder))
            observe(as_event(comparison))
        return write_comparison(store, comparison)

    def _contest(self, store: RunStore, backend: Backend, seeds: int, steps: int | None, observe: Observer) -> Contest:
        schedule = evaluation_schedule(self.config, self.task.info)
        if steps is not None:
            schedule = replace(schedule, steps=steps)
        cache = None
        if self.config.evaluation.cache:
            cache = TrainingCache(
                cache_folder(self.environment), self.task, identity(choose(self.config.physics.value))
            )
        return Contest(
            task=self.task,
            baselines=self.baselines,
            graphs={reward.candidate_id: reward.graph for reward in store.rewards()},
            examiner=self.examiner,
            trainings=Trainings(store, backend, schedule, fresh_seeds(store, seeds), observe, cache),
            search_steps=make_schedule(self.config, self.task.info).trained_steps,
        )


def evaluate_run(
    store: RunStore,
    num_seeds: int | None,
    steps: int | None,
    task_dirs: Sequence[Path],
    environment: Mapping[str, str],
) -> None:
    """Compare a run's best reward with the baselines once more, and print it.

    Args:
        num_seeds: as the run's config has them where None.
        steps: control steps of each training; as `full_schedule` has them where None. Trainings of another length
            replace those there are.
    """
    config = from_yaml(store.config_yaml)
    require_task_dirs(store, task_dirs)
    task = load_task(config.task, task_dirs)
    if not task.info.has_metric:
        raise StoreError(f"{store.folder}: task {task.info.name} has no metric, so rewards cannot be compared by it")
    best = best_reward(store)
    count = num_seeds or config.evaluation.seeds or EvaluationConfig().seeds
    say(f"{best.candidate_id}, the human-written reward and the bare metric are trained with {count} fresh seeds each")
    with confined_graphs() as sandbox:
        recording = record(task)
        comparer = Comparer.prepare(config, task, recording, environment, Examiner(sandbox, recording.state))
        trainings = count * (1 + len(comparer.baselines.graphs))
        schedule = full_schedule(config, task.info)
        need = memory_need(task, schedule, trainings, config.train.workers or 1)
        room = find_room(config, need)
        for text in memory_said(config, need):
            say(text)
        folder = store.checkpoint_folder / "evaluation"
        with closing(make_backend(config, folder, task_dirs, environment, room)) as backend:
            comparison = comparer.again(store, backend, count, steps or schedule.steps)
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
