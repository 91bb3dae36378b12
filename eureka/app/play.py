"""Videos of the policies that a run trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.app.build import require_task_dirs
from eureka.app.comparing import best_reward
from eureka.app.configs import from_yaml
from eureka.core.errors import ConfigError, StoreError, VideoError
from eureka.core.types import TrainingResult
from eureka.store import RunStore
from eureka.tasks import Metric, load_task
from eureka.tasks.preference import NO_METRIC
from eureka.ui.video.film import BEST as BEST_FILM
from eureka.ui.video.film import FilmJob, Look, Video, film_of_candidate, film_of_evaluation
from eureka.ui.video.plan import PlannedFilm, best_training, median_training
from eureka.ui.video.process import FilmProcess
from eureka.ui.video.queue import film_into_run

BEST = "best"
_ENDS = {"terminated": "ended early", "time limit": "up to the time limit", "cut": "not shown to its end"}


@dataclass(frozen=True)
class FilmedPolicy:
    """A policy's video: which training it is of, and where it lies."""

    result: TrainingResult
    metric: Metric
    video: Video


def film(
    store: RunStore,
    name: str,
    look: Look,
    environment: Mapping[str, str],
    *,
    to: Path | None = None,
    task_dirs: Sequence[Path] = (),
    retrained: bool = False,
) -> FilmedPolicy:
    """Film the policy of `name` as `look` says, into the run folder where `to` is not given.

    There it is `best/rollout.mp4`, `generation_02/candidate_05/rollout.mp4` or `evaluation/human.mp4`, each with a
    `.jpg` and a `.json` beside it.

    Args:
        name: `best`, a candidate such as `g02-c05`, or a baseline of the comparison, such as `human`.
        retrained: the policy of median score in the final comparison, where all were trained alike. Else the search's
            with the highest score, as in `best/policy.pt`.

    Raises:
        StoreError: no such policy is there yet.
        VideoError: nothing can be drawn here, or a file cannot be written. The run folder is then as it was.
    """
    require_task_dirs(store, task_dirs)
    config = from_yaml(store.config_yaml)
    if config.task is None:
        raise ConfigError(f"{store.folder}: policies of {config.environment_name} cannot be filmed by this version")
    task = load_task(config.task, task_dirs)
    result = _training(store, name, retrained)
    graph = next((reward.graph for reward in store.rewards() if reward.candidate_id == result.candidate_id), "")
    with FilmProcess(environment) as process:
        if to is None:
            planned = PlannedFilm(_place(store, name, retrained), result, look)
            video = film_into_run(store, planned, process, task_dirs, graph)
        else:
            folders = tuple(str(folder.resolve()) for folder in task_dirs)
            job = FilmJob(task=task.info.name, task_dirs=folders, policy=result.policy, graph=graph, look=look)
            video = replace(process.film(job, to), path=str(to))
    return FilmedPolicy(result, task.metric, video)


def parse_size(text: str) -> tuple[int, int]:
    """`480x360` as numbers.

    Raises:
        VideoError: anything else.
    """
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise VideoError(f"--size {text}: give width and height in pixels, as in 480x360")
    return int(width), int(height)


def describe(filmed: FilmedPolicy) -> list[str]:
    """Lines that say what a video shows and where it lies."""
    result, unit = filmed.result, filmed.metric.unit
    measured = filmed.metric is not NO_METRIC
    to = f" to {result.score:.3g} {unit}" if measured else ""
    lines = [f"{result.candidate_id}, trained with seed {result.seed}{to}"]
    for number, shown in enumerate(filmed.video.episodes, 1):
        value = f"; {shown.metric:.3g} {unit}" if measured else ""
        lines.append(f"episode {number}: {shown.steps} steps, {shown.seconds:.1f} s, {_ENDS[shown.ended]}{value}")
    return [*lines, f"wrote {filmed.video.path}"]


def _training(store: RunStore, name: str, retrained: bool) -> TrainingResult:
    wanted = best_reward(store).candidate_id if name == BEST else name
    searched, compared = store.results(policies=True), store.evaluations(policies=True)
    found = [] if retrained else [result for result in searched if result.candidate_id == wanted]
    if found:
        return best_training(found)
    found = [result for result in compared if result.candidate_id == wanted]
    if found:
        return median_training(found)
    there = sorted({result.candidate_id for result in (compared if retrained else [*searched, *compared])})
    known = f"there are {', '.join(there)}" if there else "none is trained yet"
    raise StoreError(f"{store.folder}: no trained policy of `{name}`; {known}")


def _place(store: RunStore, name: str, retrained: bool) -> Path:
    """Where the video of `name` lies in the run folder."""
    if retrained or name not in (BEST, *(result.candidate_id for result in store.results())):
        return film_of_evaluation(name)
    return BEST_FILM if name == BEST else film_of_candidate(name)
