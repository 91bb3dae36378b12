"""Which policies of a run are filmed, how, and which of these films are still missing."""

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
"""For the films at the head of the report: of nine episodes the typical one, since its figures stand beside it."""
SMALL = Look(width=240, height=180, fps=15, crf=30)
"""For a candidate's film in the report; its length is set by `report_films`."""
REVIEW = Look(width=320, height=240, fps=25, max_seconds=10.0)
"""For the films that a person judges: the same start states for each, small enough to play side by side."""
LONGEST_S, SHORTEST_S, ALL_S = 6.0, 3.0, 200.0
"""Simulated seconds of a candidate's film, and of all together: the more there are, the shorter each is."""
MOST_CANDIDATES = 100
"""Those with the highest scores are filmed."""
BASELINES = ("human", "sparse")


@dataclass(frozen=True)
class PlannedFilm:
    """A film that a run should have: where it lies in the run folder, and of which training it is."""

    path: Path
    result: TrainingResult
    look: Look


def report_films(store: RunStore, films: Films) -> list[PlannedFilm]:
    """The films of a run's report as it stands, the most important first.

    The best reward and the baselines are shown by their trainings with fresh seeds, each by that of median score; a
    candidate, and the best reward before there are such trainings, by its best training in the search.
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
    """The films that a person judges a generation by, each of a candidate's best training."""
    results = _by_name(store.results(policies=True))
    return [PlannedFilm(film_of_review(generation, name), best_training(results[name]), REVIEW) for name in names]


def best_training(results: Sequence[TrainingResult]) -> TrainingResult:
    """The training with the highest score."""
    return max(results, key=lambda result: result.score)


def median_training(results: Sequence[TrainingResult]) -> TrainingResult:
    """The training of median score: neither the luckiest nor the unluckiest."""
    return sorted(results, key=lambda result: result.score)[len(results) // 2]


def is_made(folder: Path, film: PlannedFilm, *, retry: bool = False) -> bool:
    """Whether a film of this very policy lies in the run folder, or (unless `retry`) has failed before."""
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
