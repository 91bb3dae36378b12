"""Films the policies that a run trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.app.build import require_task_dirs
from eureka.app.comparing import best_reward
from eureka.app.own_runs import task_folders
from eureka.core.errors import StoreError, VideoError
from eureka.core.pictures import Look
from eureka.core.training import TrainingResult
from eureka.store import RunStore
from eureka.ui.video.film import BEST as BEST_FILM
from eureka.ui.video.film import Video, film_of_candidate, film_of_evaluation
from eureka.ui.video.plan import PlannedFilm, best_training, median_training
from eureka.ui.video.process import FilmProcess
from eureka.ui.video.queue import film_into_run, film_job

BEST = "best"
_ENDS = {"terminated": "ended early", "time limit": "up to the time limit", "cut": "not shown to its end"}


@dataclass(frozen=True)
class FilmedPolicy:
    """The video of a policy: its training and its path; `unit` is the metric's, None without a metric."""

    result: TrainingResult
    unit: str | None
    video: Video


def film(
    store: RunStore,
    name: str,
    look: Look,
    environment: Mapping[str, str],
    *,
    to: Path | None = None,
    task_dirs: Sequence[Path] = (),
) -> FilmedPolicy:
    """Film the policy of `name` as `look` says, to the file `to`, or into the run folder if that is None.

    In the run folder, the video is `best/rollout.mp4`, `generation_02/candidate_05/rollout.mp4` or
    `evaluation/human.mp4`, each with a `.jpg` and a `.json` next to it.

    Args:
        name: `best` or a candidate such as `g02-c05`: the search's training with the highest score, as in
            `best/policy.pt`; or a baseline of the final comparison, such as `human`: its training of median score.

    Raises:
        StoreError: there is no such policy yet.
        VideoError: rendering is not available, or a file cannot be written. The run folder is then unchanged.
    """
    task_dirs = task_folders(store, task_dirs, environment)
    require_task_dirs(store, task_dirs)
    facts = store.facts()
    unit = facts.metric_unit if facts.has_metric else None
    film = _planned(store, name, look)
    graph = next((reward.graph for reward in store.rewards() if reward.candidate_id == film.result.candidate_id), "")
    with FilmProcess(environment) as process:
        if to is None:
            video = film_into_run(store, film, process, task_dirs, graph)
        else:
            video = replace(process.film(film_job(store, film, task_dirs, graph), to), path=str(to))
    return FilmedPolicy(film.result, unit, video)


def parse_size(text: str) -> tuple[int, int]:
    """Parse a size such as `480x360`.

    Raises:
        VideoError: the text has another form.
    """
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise VideoError(f"--size {text}: give width and height in pixels, as in 480x360")
    return int(width), int(height)


def describe(filmed: FilmedPolicy) -> list[str]:
    """Lines that describe a video and its path."""
    result, unit = filmed.result, filmed.unit
    measured = unit is not None
    to = f" to {result.score:.3g} {unit}" if measured else ""
    lines = [f"{result.candidate_id}, trained with seed {result.seed}{to}"]
    for number, shown in enumerate(filmed.video.episodes, 1):
        value = f"; {shown.metric:.3g} {unit}" if measured else ""
        lines.append(f"episode {number}: {shown.steps} steps, {shown.seconds:.1f} s, {_ENDS[shown.ended]}{value}")
    return [*lines, f"wrote {filmed.video.path}"]


def _planned(store: RunStore, name: str, look: Look) -> PlannedFilm:
    """The training whose policy `name` means, and the path of its film in the run folder."""
    wanted = best_reward(store).candidate_id if name == BEST else name
    searched, compared = store.results(policies=True), store.evaluations(policies=True)
    found = [result for result in searched if result.candidate_id == wanted]
    if found:
        return PlannedFilm(BEST_FILM if name == BEST else film_of_candidate(name), best_training(found), look)
    found = [result for result in compared if result.candidate_id == wanted]
    if found:
        return PlannedFilm(film_of_evaluation(name), median_training(found), look)
    there = sorted({result.candidate_id for result in (*searched, *compared)})
    known = f"there are {', '.join(there)}" if there else "none is trained yet"
    raise StoreError(f"{store.folder}: no trained policy of `{name}`; {known}")
