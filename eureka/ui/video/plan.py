"""Decides which policies of a run are filmed, with which options, and which films are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.config import Films
from eureka.config.settings import stored_settings
from eureka.core.pictures import Look
from eureka.core.training import TrainingResult
from eureka.store import RunStore
from eureka.ui.video.film import (
    BEST,
    film_of_candidate,
    film_of_evaluation,
    film_of_review,
    policy_hash,
    read_note,
)

HEAD = Look(width=320, height=240, fps=20, max_seconds=6.0, crf=28, typical=9)
"""Options of the films at the head of the report: the typical one of nine episodes, since the policy's score is shown
next to it."""
SMALL = Look(width=240, height=180, fps=15, crf=30)
"""Options of a candidate's film in the report; its length is set by `report_films`."""
REVIEW = Look(width=320, height=240, fps=25, max_seconds=10.0)
"""Options of the films that a person judges: the same start states for all, and small enough to play side by side."""
LONGEST_S, SHORTEST_S, ALL_S = 6.0, 3.0, 200.0
"""Simulated seconds: longest and shortest film of a candidate, and all films together. More films are shorter."""
MOST_CANDIDATES = 100
"""Maximum number of candidates to film, those with the highest scores."""
BASELINES = ("human", "sparse")


@dataclass(frozen=True)
class PlannedFilm:
    """A film that a run should have: its path in the run folder, and the training it shows."""

    path: Path
    result: TrainingResult
    look: Look


def report_films(store: RunStore, films: Films) -> list[PlannedFilm]:
    """The films for the current report of a run, the most important first.

    For the best reward and the baselines, the training with fresh seeds that has the median score; for candidates, and
    for the best reward before there are such trainings, the best training in the search.
    """
    if films is Films.none:
        return []
    searched, compared = _by_name(store.results(policies=True)), _by_name(store.evaluations(policies=True))
    best = next((name for name in reversed(store.finished_generations().values()) if name), None)
    head = []
    if best in compared:
        names = {"best": best} | {name: name for name in BASELINES if name in compared}
        head = [
            PlannedFilm(film_of_evaluation(shown), median_training(compared[name]), HEAD)
            for shown, name in names.items()
        ]
    elif best in searched:
        head = [PlannedFilm(BEST, best_training(searched[best]), HEAD)]
    if films is Films.best:
        return head
    trained = [best_training(results) for results in searched.values()]
    trained.sort(key=lambda result: (-result.score, result.candidate_id))
    settings = stored_settings(store.config_yaml)
    a_generation = int(str(settings["search.samples"])) + int(str(settings.get("search.tune", 0)))
    asked = int(str(settings["search.generations"])) * a_generation
    seconds = ALL_S / max(asked, len(trained), 1)
    look = replace(SMALL, max_seconds=min(max(seconds, SHORTEST_S), LONGEST_S))
    return head + [PlannedFilm(film_of_candidate(r.candidate_id), r, look) for r in trained[:MOST_CANDIDATES]]


def review_films(store: RunStore, generation: int, names: Sequence[str]) -> list[PlannedFilm]:
    """The films by which a person judges a generation, each of a candidate's best training."""
    results = _by_name(store.results(policies=True))
    return [PlannedFilm(film_of_review(generation, name), best_training(results[name]), REVIEW) for name in names]


def best_training(results: Sequence[TrainingResult]) -> TrainingResult:
    """The training with the highest score."""
    return max(results, key=lambda result: result.score)


def median_training(results: Sequence[TrainingResult]) -> TrainingResult:
    """The training with the median score: neither the luckiest nor the unluckiest."""
    return sorted(results, key=lambda result: result.score)[len(results) // 2]


def is_made(folder: Path, film: PlannedFilm, *, retry: bool = False) -> bool:
    """Whether the run folder has a film of exactly this policy, or (unless `retry`) a note that it failed."""
    note = read_note(folder, film.path)
    if note is None:
        return (folder / film.path).is_file()
    if note.policy != policy_hash(film.result.policy):
        return False
    return not retry if note.error else (folder / film.path).is_file()


def _by_name(results: Sequence[TrainingResult]) -> dict[str, list[TrainingResult]]:
    grouped: dict[str, list[TrainingResult]] = {}
    for result in results:
        grouped.setdefault(result.candidate_id, []).append(result)
    return grouped
