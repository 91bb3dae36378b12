"""Does searching help? Several seeded searches a task with program_search, judged by trainings with fresh seeds.

    python benchmarks/search_study.py swingup ant [--searches 5] [--fresh-seeds 3] [--baseline-seeds 10]

Each search is run with metric probing (`llm.use_probe`) and without. The best reward of its first generation, the best
of its last one (each by the search's own scores), and the one that it called best after confirmation are then trained
with seeds that no search used, and so are the human-written reward and the bare metric. It goes on where it was
stopped: what is done is in the run folders under `--folder`. The result goes to `search_study_<task>.json`,
from which `benchmarks/tables.py` makes the README's table.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from result_files import add_results_option
from search_study_data import (
    VERSION,
    Condition,
    Picked,
    Search,
    SearchStudy,
    Settings,
    this_hardware,
    write_study,
)

from eureka import __version__
from eureka.app.build import resolve, training_length
from eureka.app.configs import compose_config, from_yaml
from eureka.app.preparing import search_session
from eureka.app.runs import Invocation, search_in
from eureka.config import RunConfig
from eureka.core.events import Event, Trained, TrainingStarted
from eureka.core.ids import generation_of
from eureka.core.training import OwnReward, TrainingLength
from eureka.evaluation.trainings import Retraining, Trainings, fresh_seeds
from eureka.search.outcomes import outcomes, ranked
from eureka.store import RunStore
from eureka.tasks import Task, load_task
from eureka.trainers.base import Trainer
from eureka.trainers.registry import make_trainer


def print_line(event: Event) -> None:
    """Print what is trained."""
    if isinstance(event, TrainingStarted):
        print(f"  {len(event.seeds)} trainings with fresh seeds, {event.steps:,} steps each", flush=True)
    elif isinstance(event, Trained):
        print(f"  {event.candidate} seed {event.seed}: {event.score:.4g}", flush=True)


def study(task: Task, options: argparse.Namespace) -> SearchStudy:
    """Run the whole study of one task, or the rest of it."""
    conditions = []
    for use_probe in (True, False):
        searches = []
        for seed in range(options.searches):
            name = f"probe_{'on' if use_probe else 'off'}_seed_{seed}"
            folder = options.folder / task.info.name / name
            print(f"{task.info.name}: {name}", flush=True)
            config = search_config(task.info.name, folder, seed, use_probe, options.overrides)
            search(folder, config)
            searches.append(judge(folder, options))
        conditions.append(Condition(use_probe, tuple(searches)))
    human, sparse = baselines(options.folder / task.info.name / "baselines", config, options)
    trainer = make_trainer(config, [], os.environ)
    length = fresh_length(config, trainer, options)
    return SearchStudy(
        version=VERSION,
        task=task.info.name,
        metric=task.metric.description,
        unit=task.metric.unit,
        settings=Settings(
            searches=options.searches,
            generations=config.search.generations,
            samples=config.search.samples,
            search_steps=trainer.evaluated_after(training_length(config, trainer))[-1],
            fresh_steps=trainer.evaluated_after(length)[-1],
            fresh_seeds=options.fresh_seeds,
            baseline_seeds=options.baseline_seeds,
            eval_episodes=length.eval_episodes,
            overrides=tuple(options.overrides),
        ),
        hardware=this_hardware(),
        versions={"eureka": __version__, **{name: version(name) for name in ("torch", "numpy", "mujoco")}},
        human=human,
        sparse=sparse,
        conditions=tuple(conditions),
    )


def search_config(task: str, folder: Path, seed: int, use_probe: bool, overrides: Sequence[str]) -> RunConfig:
    """One search's config; its final comparison is made here instead."""
    own = [
        f"task={task}",
        "budget=quick",
        "llm=program_search",
        f"llm.use_probe={str(use_probe).lower()}",
        f"seed={seed}",
        f"output={folder}",
        "evaluation.seeds=0",
    ]
    return resolve(compose_config([*own, *overrides]))


def search(folder: Path, config: RunConfig) -> None:
    """Run a search, or the rest of it."""
    if not (folder / "run.db").exists():
        search_in(folder, config, Invocation(environment=os.environ))
        return
    with RunStore.open(folder) as store:
        if not store.is_finished:
            recorded = from_yaml(store.config_yaml)
            with search_session(recorded, [], os.environ, {}, store) as session:
                session.search(store)


def judge(folder: Path, options: argparse.Namespace) -> Search:
    """Train the rewards selected by a search with fresh seeds."""
    with RunStore.open(folder) as store:
        config = from_yaml(store.config_yaml)
        first = best_of(store, config, 1)
        last = best_of(store, config, config.search.generations)
        called_best = store.finished_generations()[config.search.generations]
        assert called_best is not None
        graphs = {reward.candidate_id: reward.graph for reward in store.rewards()}
        names = sorted({name for name in (first, last, called_best) if name is not None})
        with fresh_trainings(store, config, options, options.fresh_seeds) as trainings:
            for name, reason in trainings.train([Retraining(name, graphs[name]) for name in names]).items():
                print(f"  {name}: a training was given up: {reason}", flush=True)
            picked = {
                name: Picked(name, tuple(result.score for result in trainings.results(name).values())) for name in names
            }
    return Search(
        seed=config.seed,
        first=picked[first] if first else None,
        last=picked[last] if last else None,
        called_best=picked[called_best],
    )


def best_of(store: RunStore, config: RunConfig, generation: int) -> str | None:
    """The best of one generation by the trainings of that generation alone, without later confirmations."""
    seeds = range(config.seed, config.seed + config.train.num_seeds)
    found = [o.with_seeds(seeds) for o in outcomes(store) if generation_of(o.candidate.id) == generation]
    return next((outcome.candidate.id for outcome in ranked(found)), None)


def baselines(
    folder: Path, config: RunConfig, options: argparse.Namespace
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Scores of the human-written reward and the bare metric."""
    print(f"{config.task}: human, sparse", flush=True)
    opened = RunStore.open(folder) if (folder / "run.db").exists() else RunStore.create(folder, "")
    with opened as store, fresh_trainings(store, config, options, options.baseline_seeds) as trainings:
        failures = trainings.train([Retraining("human", OwnReward.OWN), Retraining("sparse", OwnReward.METRIC)])
        if failures:
            raise SystemExit(f"a baseline cannot be trained: {failures}")
        human, sparse = (
            tuple(result.score for result in trainings.results(name).values()) for name in ("human", "sparse")
        )
    return human, sparse


@contextmanager
def fresh_trainings(store: RunStore, config: RunConfig, options: argparse.Namespace, seeds: int) -> Iterator[Trainings]:
    """Trainings with seeds that the search of this store did not use; workers start with the first of them."""
    folder = store.checkpoint_folder / "fresh"
    with closing(make_trainer(config, [], os.environ)) as trainer:
        length = fresh_length(config, trainer, options)
        yield Trainings(store, trainer, folder, length, fresh_seeds(store, seeds), print_line, cache=None)


def fresh_length(config: RunConfig, trainer: Trainer, options: argparse.Namespace) -> TrainingLength:
    """The length of trainings as in the search, unless `--steps` is given."""
    searched = training_length(config, trainer)
    return replace(searched, steps=options.steps or searched.steps)


def main() -> None:
    """Run the study for every task that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+")
    parser.add_argument("--searches", type=int, default=5, help="searches a task, with probing and without")
    parser.add_argument("--fresh-seeds", type=int, default=3, help="trainings of each reward that a search picked")
    parser.add_argument("--baseline-seeds", type=int, default=10, help="trainings of each baseline")
    parser.add_argument("--steps", type=int, help="control steps of these trainings; as in the search if not given")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--folder", type=Path, default=Path("outputs/search_study"), help="for the runs")
    add_results_option(parser)
    options = parser.parse_args()
    for name in options.tasks:
        print(f"wrote {write_study(study(load_task(name), options), options.results)}", flush=True)


if __name__ == "__main__":
    main()
