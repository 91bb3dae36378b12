"""The work behind `eureka train`: one reward, trained with a few seeds before or after any search."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from statistics import fmean

from eureka.app.build import resolve, training_length
from eureka.app.checking import as_candidate
from eureka.app.configs import compose_config
from eureka.app.play import film
from eureka.config import Films, RunConfig, to_yaml
from eureka.core.errors import ConfigError, TrainingError, VideoError
from eureka.core.pictures import Look
from eureka.core.training import OwnReward, TrainingJob, TrainingResult
from eureka.core.types import Rejected
from eureka.evaluation import statistics
from eureka.evaluation.trainings import Retraining, Trainings
from eureka.prompts.render import numbers
from eureka.reward.analysis.confined import LIMITS, PRELOAD
from eureka.reward.trace.service import RewardVerifier
from eureka.sandbox import Sandbox
from eureka.search.reflection import points
from eureka.store import RunFacts, RunStore, free_name, require_free
from eureka.trainers.base import Trainer
from eureka.trainers.registry import make_trainer
from eureka.ui.console import View, line, print_table, say, watching

REWARDS: Mapping[str, OwnReward] = {"human": OwnReward.OWN, "metric": OwnReward.METRIC}
"""The environment's own rewards, by the value of `reward=`."""
CURVES = "curves.csv"


def train_reward(
    overrides: Sequence[str], seeds: int, task_dirs: Sequence[Path], environment: Mapping[str, str], *, filmed: bool
) -> None:
    """Train one reward, and print its scores and curves.

    The output folder holds the trainings with their policies, `curves.csv`, and a film of the training with the median
    score.

    Args:
        overrides: `reward=human`, `reward=metric` or `reward=FILE`, and the keys of a run.
        seeds: number of trainings, with consecutive seeds from `seed=`.
        filmed: whether to make a film, if rendering is available.

    Raises:
        ConfigError: no reward is named, or the file has none.
        EurekaError: the task, the machine or the training failed.
    """
    named, others = _named(overrides)
    config = resolve(compose_config(others, task_dirs), environment)
    with closing(make_trainer(config, task_dirs, environment)) as trainer:
        if not trainer.spec.has_metric:
            raise ConfigError(f"task {trainer.spec.name} has no metric, so a training of it has no score")
        name, reward = _reward(named, config, trainer)
        length = training_length(config, trainer)
        jobs = [TrainingJob(name, reward, config.seed + number, length) for number in range(seeds)]
        for sentence in (trainer.description, *trainer.cost(jobs).sentences):
            say(sentence)
        folder = _folder(config)
        require_free(folder)
        with RunStore.create(folder, to_yaml(config), RunFacts(sentence=trainer.spec.sentence)) as store:
            say(f"folder: {folder}")
            results = _train(store, trainer, jobs)
            store.mark_finished()
            _tell(store, trainer, name, results)
            if filmed and trainer.can.renders and config.report.films is not Films.none:
                _film(store, name, environment, task_dirs)


def _named(overrides: Sequence[str]) -> tuple[str, list[str]]:
    named = [text.partition("=")[2] for text in overrides if text.startswith("reward=")]
    if not named or not named[-1]:
        raise ConfigError("give reward=human, reward=metric or reward=FILE, a Python file with compute_reward")
    return named[-1], [text for text in overrides if not text.startswith("reward=")]


def _folder(config: RunConfig) -> Path:
    if config.output is not None:
        return Path(config.output)
    return free_name(Path("outputs") / config.environment_name / f"train_{datetime.now():%Y-%m-%d_%H-%M-%S}")


def _reward(named: str, config: RunConfig, trainer: Trainer) -> tuple[str, str | OwnReward]:
    """The name of the trainings in the folder, and their reward."""
    if named in REWARDS:
        own = REWARDS[named]
        baselines = trainer.baselines()
        if own not in baselines:
            raise ConfigError(f"reward={named}: task {trainer.spec.name} has none that differs from its other one")
        return named, baselines[own]
    try:
        source = Path(named).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise ConfigError(f"reward={named}: cannot be read: {reason}; give human, metric or a Python file") from error
    found = as_candidate(source, trainer.spec.fields)
    if not isinstance(found, Rejected):
        with Sandbox(preload=PRELOAD, limits=LIMITS, mode=config.sandbox.value) as sandbox:
            state, rows = trainer.record().state, trainer.can.reward_rows
            verdict = RewardVerifier(trainer.spec.fields, state, sandbox, rows).verify(found)
        if not isinstance(verdict, Rejected):
            return "file", verdict.graph
        found = verdict
    raise ConfigError(f"reward={named}: {' '.join(found.feedback.split())}")


def _train(store: RunStore, trainer: Trainer, jobs: Sequence[TrainingJob]) -> list[TrainingResult]:
    name, reward = jobs[0].candidate_id, jobs[0].reward
    seeds = tuple(job.seed for job in jobs)
    view = View(f"{trainer.spec.name}, {name}", trainer.spec.unit, store, trainings=len(jobs))
    with watching(view) as observe:
        trainings = Trainings(store, trainer, store.checkpoint_folder, jobs[0].length, seeds, observe, None)
        failures = trainings.train([Retraining(name, reward)])
    trainer.forget(store.checkpoint_folder)
    if failures:
        raise TrainingError(f"the training with reward={name} was given up: {failures[name]}")
    return list(trainings.results(name).values())


def _tell(store: RunStore, trainer: Trainer, name: str, results: Sequence[TrainingResult]) -> None:
    unit = trainer.spec.unit
    header = ["seed", unit or "score", "best evaluation", "at each evaluation"]
    rows = [[str(r.seed), f"{r.score:.3g}", f"{r.best_score:.3g}", numbers(r.checkpoint_scores)] for r in results]
    scores = [result.score for result in results]
    notes = [f"each after {results[0].trained_steps:,} control steps; {trainer.spec.judged_by}"]
    found = statistics.iqm(scores)
    if found.interval is not None:
        low, high = found.interval
        notes.insert(0, f"interquartile mean {found.value:.3g} [{low:.3g}, {high:.3g}] {unit}")
    print_table(f"{trainer.spec.name} trained with the reward `{name}`", header, rows, notes)
    curves = {
        component: points([fmean(values) for values in zip(*(r.components[component] for r in results), strict=False)])
        for component in results[0].components
    }
    metric = points([fmean(values) for values in zip(*(result.metric for result in results), strict=False)])
    means = [["task metric in training", numbers(metric)], *([key, numbers(row)] for key, row in curves.items())]
    print_table("over training, means over the seeds", ["", "by tenth of the training"], means)
    line(f"wrote {store.write_file(CURVES, _csv(results))}")


def _csv(results: Sequence[TrainingResult]) -> str:
    """Every curve as CSV, one row per seed and update of the policy."""
    text = io.StringIO()
    components = list(results[0].components)
    writer = csv.writer(text)
    writer.writerow(["seed", "steps", "metric", "episode_length", "total", *components])
    for result in results:
        columns = (result.steps, result.metric, result.episode_length, result.total)
        for row in zip(*columns, *(result.components[name] for name in components), strict=True):
            writer.writerow([result.seed, *row])
    return text.getvalue()


def _film(store: RunStore, name: str, environment: Mapping[str, str], task_dirs: Sequence[Path]) -> None:
    try:
        filmed = film(store, name, Look(), environment, task_dirs=task_dirs)
    except VideoError as error:
        say(f"no film: {error}")
        return
    line(f"wrote {filmed.video.path}")
