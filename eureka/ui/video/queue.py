"""Makes the films of a run: in the background at the lowest priority, or in the foreground of a command."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Condition, Thread
from types import TracebackType
from typing import Self

from eureka.config import Films, RunConfig, declared_values, environment_from_yaml
from eureka.core.errors import EurekaError, RenderingUnavailable, VideoError
from eureka.core.processes import LOWEST_PRIORITY
from eureka.core.serialize import dumps
from eureka.store import RunStore
from eureka.ui.video.film import NO_FILMS, FilmJob, FilmNote, Video, policy_hash
from eureka.ui.video.plan import PlannedFilm, is_made, report_films, review_films
from eureka.ui.video.process import FilmProcess

WAIT_S = 10.0
"""Seconds that the end of a run waits for films; missing ones can be made later at any time."""
FILM_TIMEOUT_S = 120.0


def film_job(
    store: RunStore, film: PlannedFilm, task_dirs: Sequence[Path] = (), graph: str = "", config: RunConfig | None = None
) -> FilmJob:
    """The job for the rendering process that makes a film of this run.

    Args:
        task_dirs: further folders to look for the task; those recorded by the run are not used.
        graph: graph of the reward that an overlay shows.
        config: the run's config, if the user gave it now; None: the recorded one, which must not name code.

    Raises:
        RenderingUnavailable: the run folder names code.
    """
    folders = tuple(str(folder.resolve()) for folder in task_dirs)
    if config is None:
        config = environment_from_yaml(store.config_yaml)
        if named := declared_values(config):
            raise RenderingUnavailable(f"the run's {', '.join(named)} would run code that the run folder names")
    environment = RunConfig(
        task=config.task, env=config.env, metric=config.metric, trainer=config.trainer, description=config.description
    )
    folder = os.getcwd() if declared_values(environment) else ""
    policy = film.result.policy
    return FilmJob(config=environment, task_dirs=folders, policy=policy, graph=graph, look=film.look, folder=folder)


def film_into_run(
    store: RunStore,
    film: PlannedFilm,
    process: FilmProcess,
    task_dirs: Sequence[Path] = (),
    graph: str = "",
    config: RunConfig | None = None,
) -> Video:
    """Film a policy into the run folder: the mp4, its poster and its note. Arguments are those of `film_job`.

    Raises:
        VideoError: the film cannot be made; the run folder is then unchanged.
        StoreError: the run folder cannot be written.
    """
    result, made = film.result, process.scratch / "film.mp4"
    video = process.film(film_job(store, film, task_dirs, graph, config), made)
    shown = video.episodes[0]
    note = FilmNote(
        policy=policy_hash(result.policy),
        name=result.candidate_id,
        seed=result.seed,
        score=result.score,
        seconds=shown.seconds,
        metric=shown.metric,
        ended=shown.ended,
    )
    # The mp4 is written last: if it exists, it is complete and has its note.
    poster = store.write_file(film.path.with_suffix(".jpg"), made.with_suffix(".jpg").read_bytes())
    store.write_file(film.path.with_suffix(".json"), dumps(note))
    path = store.write_file(film.path, made.read_bytes())
    (store.folder / NO_FILMS).unlink(missing_ok=True)
    return Video(str(path), str(poster), video.frames, video.fps, video.episodes)


def film_or_note(
    store: RunStore,
    film: PlannedFilm,
    process: FilmProcess,
    task_dirs: Sequence[Path],
    config: RunConfig | None = None,
) -> str:
    """Film a policy into the run folder, or write a note there with the reason of the failure. Returns that reason,
    else "".

    Raises:
        RenderingUnavailable: rendering is not available on this machine; this is noted in the run folder.
        StoreError: the run folder cannot be written.
    """
    try:
        film_into_run(store, film, process, task_dirs, config=config)
    except RenderingUnavailable as error:
        store.write_file(NO_FILMS, str(error))
        raise
    except VideoError as error:
        if not process.is_closed:
            note = FilmNote(policy=policy_hash(film.result.policy), error=str(error))
            store.write_file(film.path.with_suffix(".json"), dumps(note))
        return str(error)
    return ""


def film_run(
    store: RunStore,
    films: Films,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    task_dirs: Sequence[Path] = (),
) -> int:
    """Make the films that a run's report lacks, including those that failed before. Returns how many were made.

    Raises:
        RenderingUnavailable: rendering is not available on this machine.
        StoreError: the run cannot be read or written.
    """
    made = 0
    with FilmProcess(environment, timeout_s=FILM_TIMEOUT_S) as process:
        for film in report_films(store, films):
            if not is_made(store.folder, film, retry=True):
                reason = film_or_note(store, film, process, task_dirs)
                made += not reason
                say(f"{film.path}: {reason or 'filmed'}")
    return made


class FilmQueue:
    """Films policies in the background of a run, one at a time: first those that a person is waiting for, then the
    report's.

    A thread of this process sends them to the single rendering process. If rendering is not available on this machine,
    that is reported once, and the run is not affected. Leaving the context ends the filming, finished or not.

    Args:
        films: which films are made for the report.
        environment: environment variables of the process; without keys.
        say: called with one line per event.
        task_dirs: further folders to look for the task.
        config: the run's config, if the user gave it now; None: as in `film_job`.
    """

    def __init__(
        self,
        store: RunStore,
        films: Films,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        task_dirs: Sequence[Path] = (),
        config: RunConfig | None = None,
    ) -> None:
        self._store = store
        self._films = films
        self._say = say
        self._task_dirs = tuple(task_dirs)
        self._config = config
        self._process = FilmProcess(environment, niceness=LOWEST_PRIORITY, timeout_s=FILM_TIMEOUT_S)
        self._thread: Thread | None = None
        self._changed = Condition()
        # The fields below are protected by the condition `_changed`.
        self._urgent: list[PlannedFilm] = []
        self._waiting: list[PlannedFilm] = []
        self._ends = False
        self._failed = False

    def film_report(self) -> None:
        """Queue the films that the report of the run's current state lacks."""
        if self._films is not Films.none:
            self._take(waiting=report_films(self._store, self._films))

    def film_review(self, generation: int, names: Sequence[str]) -> None:
        """Queue the films that a person judges a generation by, before all others."""
        self._take(urgent=review_films(self._store, generation, names))

    def finish(self) -> None:
        """Wait for films that the report lacks, for at most `WAIT_S` seconds or until the user interrupts."""
        self.film_report()
        with self._changed:
            self._ends = True
            self._changed.notify()
        if not self._is_filming(0.1):
            return
        self._say(f"filming policies for the report (at most {WAIT_S:.0f} s)")
        if self._is_filming(WAIT_S):
            again = "".join(f" --task-dir {shlex.quote(str(folder.resolve()))}" for folder in self._task_dirs)
            command = f"eureka report {self._store.folder} --films{again}"
            self._say(f"the rest is not filmed: {command} does it, some seconds a policy")

    def _is_filming(self, wait_s: float) -> bool:
        """Whether the thread still films after so many seconds, or when the user interrupts."""
        if self._thread is None:
            return False
        with suppress(KeyboardInterrupt):
            self._thread.join(wait_s)
        return self._thread.is_alive()

    def _take(self, *, urgent: list[PlannedFilm] | None = None, waiting: list[PlannedFilm] | None = None) -> None:
        with self._changed:
            self._urgent = self._urgent if urgent is None else urgent
            self._waiting = self._waiting if waiting is None else waiting
            if not self._failed and self._thread is None and (self._urgent or self._waiting):
                self._thread = Thread(target=self._film, name="eureka-films", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _film(self) -> None:
        """The thread's function: film until the queue is empty and closed."""
        while (film := self._next()) is not None:
            try:
                if not is_made(self._store.folder, film):
                    film_or_note(self._store, film, self._process, self._task_dirs, self._config)
            except EurekaError as error:
                with self._changed:
                    self._failed = True
                self._say(f"no films: {error}")
                return

    def _next(self) -> PlannedFilm | None:
        with self._changed:
            while not (self._urgent or self._waiting or self._ends):
                self._changed.wait()
            films = self._urgent or self._waiting
            return films.pop(0) if films else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.end()
        with self._changed:
            self._urgent, self._waiting, self._ends = [], [], True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._process.__exit__(kind, error, trace)


def update_films(
    store: RunStore,
    films: Films,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    task_dirs: Sequence[Path] = (),
) -> None:
    """Make the films that the current state of a run lacks, for at most `WAIT_S` seconds."""
    with FilmQueue(store, films, environment, say, task_dirs) as queue:
        queue.finish()
