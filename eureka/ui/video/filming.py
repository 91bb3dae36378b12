"""The films of a run's report: which policies are filmed, and how.

`python -m eureka.ui.video.filming DIR FILMS NICENESS [TASK_DIR]...` does it beside a run: it looks for what is
missing, films it, and looks again for every line on its stdin, until that ends.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from eureka.config import Films
from eureka.core.errors import RenderingUnavailable, VideoError
from eureka.core.processes import errors_end_process, lower_priority
from eureka.core.serialize import dumps
from eureka.core.types import TrainingResult
from eureka.store import RunStore
from eureka.ui.video.films import BEST, NO_FILMS, FilmNote, of_candidate, of_evaluation, policy_mark, read_note
from eureka.ui.video.gl import find_gl
from eureka.ui.video.job import EpisodeShown, Look, VideoJob
from eureka.ui.video.process import Studio

HEAD = Look(width=320, height=240, fps=20, max_seconds=6.0, crf=28)
"""Of the films at the head of the page."""
SMALL = Look(width=240, height=180, fps=15, crf=30)
"""Of a candidate's film, but for its length."""
LONGEST_S, SHORTEST_S, ALL_S = 6.0, 3.0, 200.0
"""Simulated seconds of a candidate's film, and of all together: the more there are, the shorter each is."""
MOST_CANDIDATES = 100
"""Those with the highest scores are filmed."""
FILM_TIMEOUT_S = 120.0
BASELINES = ("human", "sparse")


@dataclass(frozen=True)
class Wanted:
    """A film that the report of a run should have: where it lies in the run folder, and of which training it is."""

    path: Path
    result: TrainingResult
    look: Look


def wanted(store: RunStore, films: Films) -> list[Wanted]:
    """What should be filmed of a run as it stands, the most important first.

    The best reward and the baselines are shown by their trainings with fresh seeds, each by that of median score; a
    candidate, and the best reward before there are such trainings, by its best training in the search.
    """
    if films is Films.none:
        return []
    searched, compared = _by_name(store.results()), _by_name(store.evaluations())
    best = next((name for name in reversed(store.finished_generations().values()) if name), None)
    found = []
    if best in compared:
        names = {"best": best} | {name: name for name in BASELINES if name in compared}
        found = [Wanted(of_evaluation(shown), median_training(compared[name]), HEAD) for shown, name in names.items()]
    elif best in searched:
        found = [Wanted(BEST, best_training(searched[best]), HEAD)]
    if films is Films.best:
        return found
    trained = [best_training(results) for results in searched.values()]
    trained.sort(key=lambda result: (-result.score, result.candidate_id))
    seconds = min(max(ALL_S / max(_candidates_of(store), len(trained), 1), SHORTEST_S), LONGEST_S)
    look = replace(SMALL, max_seconds=seconds)
    return found + [Wanted(of_candidate(r.candidate_id), r, look) for r in trained[:MOST_CANDIDATES]]


def best_training(results: Sequence[TrainingResult]) -> TrainingResult:
    """The training with the highest score."""
    return max(results, key=lambda result: result.score)


def median_training(results: Sequence[TrainingResult]) -> TrainingResult:
    """The training of median score: neither the luckiest nor the unluckiest."""
    return sorted(results, key=lambda result: result.score)[len(results) // 2]


def note_of(result: TrainingResult, shown: EpisodeShown) -> FilmNote:
    """What is kept beside the film of a training's policy."""
    return FilmNote(
        policy=policy_mark(result.policy),
        name=result.candidate_id,
        seed=result.seed,
        score=result.score,
        seconds=shown.seconds,
        metric=shown.metric,
        ended=shown.ended,
    )


def is_there(store: RunStore, film: Wanted, *, retry: bool = False) -> bool:
    """Whether a film of this policy lies in the run folder, or could not be made and is not tried again."""
    note = read_note(store.folder, film.path)
    if note is None:
        return (store.folder / film.path).is_file()
    if note.policy != policy_mark(film.result.policy):
        return False
    return not retry if note.error else (store.folder / film.path).is_file()


class Crew:
    """Films what a run's report lacks.

    Args:
        environment: environment variables; the child that draws gets what it needs, and no keys.
        niceness: 19 for the lowest priority.
        task_dirs: where else to look for the task; what the run has recorded of these is not used.

    Raises:
        RenderingUnavailable: nothing on this machine can draw; the run folder then says so.
    """

    def __init__(
        self, store: RunStore, environment: Mapping[str, str], niceness: int, task_dirs: Sequence[Path] = ()
    ) -> None:
        self._store = store
        self._task_dirs = tuple(str(directory.resolve()) for directory in task_dirs)
        self._environment = environment
        self._niceness = niceness
        try:
            self._gl = find_gl(environment)
        except RenderingUnavailable as error:
            store.write_file(NO_FILMS, str(error))
            raise
        (store.folder / NO_FILMS).unlink(missing_ok=True)
        self._studio: Studio | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix="eureka-films-")

    def make(self, film: Wanted) -> str:
        """Film one policy; gives why it could not be done, nothing where it could."""
        store = self._store
        task = _settings(store)["task"]
        job = VideoJob(task=task, task_dirs=self._task_dirs, policy=film.result.policy, look=film.look)
        made = Path(self._scratch.name) / "film.mp4"
        note_path = film.path.with_suffix(".json")
        try:
            video = self._ready().film(job, made, timeout_s=FILM_TIMEOUT_S)
        except VideoError as error:
            self._close_studio()
            reason = str(error).removeprefix(f"{made}: ")
            store.write_file(note_path, dumps(FilmNote(policy=policy_mark(film.result.policy), error=reason)))
            return reason
        # The film last: what is there is whole, and its note says what it is.
        store.write_file(film.path.with_suffix(".jpg"), Path(video.poster).read_bytes())
        store.write_file(note_path, dumps(note_of(film.result, video.episodes[0])))
        store.write_file(film.path, made.read_bytes())
        return ""

    def _ready(self) -> Studio:
        if self._studio is None:
            self._studio = Studio(self._environment, Path(self._scratch.name), gl=self._gl, niceness=self._niceness)
        return self._studio

    def _close_studio(self) -> None:
        """The next film starts another."""
        if self._studio is not None:
            self._studio.close()
            self._studio = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_studio()
        self._scratch.cleanup()


def film_run(
    store: RunStore,
    films: Films,
    environment: Mapping[str, str],
    tell: Callable[[str], None],
    task_dirs: Sequence[Path] = (),
) -> int:
    """Make the films that a run's report lacks; gives how many were made, and tells of each.

    Args:
        task_dirs: as for `Crew`.

    Raises:
        RenderingUnavailable: nothing on this machine can draw.
        StoreError: the run cannot be read or written.
    """
    missing = [film for film in wanted(store, films) if not is_there(store, film, retry=True)]
    if not missing:
        return 0
    made = 0
    with Crew(store, environment, 0, task_dirs) as crew:
        for film in missing:
            reason = crew.make(film)
            made += not reason
            tell(f"{film.path}: {reason or 'filmed'}")
    return made


def film_beside(
    store: RunStore,
    films: Films,
    environment: Mapping[str, str],
    niceness: int,
    calls: int,
    task_dirs: Sequence[Path] = (),
) -> None:
    """Make the films that a run's report lacks while the run goes on; looks again for what comes over a pipe.

    Args:
        calls: the pipe's file descriptor. Ends when all is filmed and it is closed.
        task_dirs: as for `Crew`.

    Raises:
        RenderingUnavailable: nothing on this machine can draw; the run folder then says so.
    """
    has_more = True
    with Crew(store, environment, niceness, task_dirs) as crew:
        while True:
            for film in wanted(store, films):
                if not is_there(store, film):
                    crew.make(film)
                if has_more and select.select([calls], [], [], 0)[0]:
                    break
            if not has_more:
                return
            has_more = bool(os.read(calls, 4096))


def _by_name(results: Sequence[TrainingResult]) -> dict[str, list[TrainingResult]]:
    grouped: dict[str, list[TrainingResult]] = {}
    for result in results:
        grouped.setdefault(result.candidate_id, []).append(result)
    return grouped


def _settings(store: RunStore) -> dict[str, Any]:
    settings: dict[str, Any] = yaml.safe_load(store.config_yaml)
    return settings


def _candidates_of(store: RunStore) -> int:
    """How many candidates the run will have."""
    search = _settings(store)["search"]
    return int(search["generations"]) * int(search["samples"])


def main(folder: str, films: str, niceness: str, *task_dirs: str) -> None:
    """Film beside a run; ends the process with 1 and one line on stderr where that fails."""
    lower_priority(int(niceness))
    # An end that leaves nothing behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with errors_end_process(), RunStore.open(Path(folder), read_only=True) as store:
        folders = [Path(directory) for directory in task_dirs]
        film_beside(store, Films(films), os.environ, int(niceness), sys.stdin.fileno(), folders)


if __name__ == "__main__":
    main(*sys.argv[1:])
