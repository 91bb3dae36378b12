"""The films of a review, made one after the other in a process of its own with the lowest priority.

A film that cannot be made leaves the reason in its place. Nothing that goes wrong here reaches the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from eureka.core.errors import RenderingUnavailable
from eureka.core.processes import Child, module_command
from eureka.store import RunStore
from eureka.store.files import store_errors, write_atomically
from eureka.ui.video import Look
from eureka.ui.video.filming import Crew, Wanted, best_training
from eureka.ui.web.review.data import review_folder

LOOK = Look(max_seconds=10.0, width=320, height=240, fps=25)
"""All from the same start states, small enough for several to play side by side."""


@dataclass(frozen=True)
class Film:
    """A film that is ready, or that cannot be made (`problem` says why), or neither yet."""

    ready: bool
    problem: str = ""


def films_of(run_folder: Path, generation: int, shown: Sequence[str]) -> dict[str, Film]:
    """How far the films of a review are, by candidate."""
    folder = review_folder(run_folder, generation)
    found = {}
    with store_errors("read the films", run_folder):
        for name in shown:
            reason = folder / f"{name}.txt"
            problem = reason.read_text(encoding="utf-8") if reason.is_file() else ""
            found[name] = Film((folder / f"{name}.mp4").is_file(), problem)
    return found


def make_films(
    store: RunStore,
    generation: int,
    shown: Sequence[str],
    environment: Mapping[str, str],
    task_dirs: Sequence[Path] = (),
) -> None:
    """Film the policies that are not filmed yet, or leave the reason why one is not.

    Raises:
        StoreError: the run cannot be read or written.
    """
    made = films_of(store.folder, generation, shown)
    missing = [name for name in shown if not made[name].ready]
    results = store.results()
    try:
        with Crew(store, environment, 0, task_dirs) as crew:
            for name in missing:
                training = best_training([result for result in results if result.candidate_id == name])
                path = review_folder(Path(), generation) / f"{name}.mp4"
                reason = crew.make(Wanted(path, training, LOOK))
                if reason:
                    explain(store.folder, generation, [name], reason)
    except RenderingUnavailable as error:
        explain(store.folder, generation, missing, str(error))


def explain(run_folder: Path, generation: int, names: Sequence[str], reason: str) -> None:
    """Leave the reason why there are no films of these."""
    for name in names:
        path = review_folder(run_folder, generation) / f"{name}.txt"
        with store_errors(f"write {path.name}", run_folder):
            write_atomically(path, " ".join(reason.split()).encode())


class Filming:
    """The process that makes the films of one review, while the context lasts."""

    def __init__(
        self,
        run_folder: Path,
        generation: int,
        shown: Sequence[str],
        environment: Mapping[str, str],
        task_dirs: Sequence[Path] = (),
    ) -> None:
        self._folder = run_folder
        self._generation = generation
        self._shown = shown
        self._environment = dict(environment)
        self._task_dirs = [str(directory.resolve()) for directory in task_dirs]
        self._process: Child | None = None

    def __enter__(self) -> Self:
        arguments = [str(self._folder.resolve()), str(self._generation), *self._task_dirs]
        try:
            self._process = Child(module_command("eureka.ui.web.review", *arguments), self._environment)
        except OSError as error:
            self._explain_missing(str(error))
        return self

    def look_after(self) -> None:
        """Where the process has failed, leave the reason in the place of what is missing."""
        if self._process is None or self._process.returncode is None:
            return
        if self._process.returncode:
            self._explain_missing(self._process.reason())
        self._process.close()
        self._process = None

    def _explain_missing(self, reason: str) -> None:
        made = films_of(self._folder, self._generation, self._shown)
        missing = [name for name, film in made.items() if not film.ready and not film.problem]
        explain(self._folder, self._generation, missing, reason)

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None
