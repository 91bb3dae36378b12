"""Films as data: jobs, results, paths in a run folder, and the note of each film.

A film is an mp4 with a poster of the same name (`.jpg`) and a note (`.json`) on what the film shows or why it could not
be made. A film that the user put there has no note.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from eureka.config import RunConfig
from eureka.core.errors import StoreError
from eureka.core.pictures import Look
from eureka.core.serialize import DecodeError, loads
from eureka.store.files import read_text, store_errors
from eureka.store.paths import candidate_path

NO_FILMS = Path("no_films.txt")
"""A file that says why nothing can be rendered on the machine of the run."""
BEST = Path("best/rollout.mp4")
"""The film of the best reward's policy from the search."""


@dataclass(frozen=True, kw_only=True)
class FilmJob:
    """A policy to be filmed.

    Attributes:
        config: config of the run; only its environment and trainer are used.
        task_dirs: absolute paths of further folders with tasks.
        policy: the bytes of a `policy.pt`.
        graph: the JSON text of the reward graph that an overlay shows; empty: none.
        folder: folder searched last for modules that the config names; empty: none.
    """

    config: RunConfig
    task_dirs: tuple[str, ...] = ()
    policy: bytes = field(repr=False)
    graph: str = field(default="", repr=False)
    look: Look = field(default_factory=Look)
    folder: str = ""


@dataclass(frozen=True)
class FilmedEpisode:
    """One filmed episode: its control steps and their simulated time, the task metric over them, and how it ended.

    `ended` is `terminated`, `time limit`, or `cut` if the film stops before the episode's end.
    """

    steps: int
    seconds: float
    metric: float
    ended: str


@dataclass(frozen=True)
class Video:
    """A finished mp4 (H.264, playable while it loads) and its poster JPEG."""

    path: str
    poster: str
    frames: int
    fps: float
    episodes: tuple[FilmedEpisode, ...]


@dataclass(frozen=True, kw_only=True)
class FilmNote:
    """What a film shows, or in `error` why it is missing; then all fields except the policy are empty.

    Attributes:
        policy: `policy_hash` of the filmed policy.
        name, seed, score: the training of the policy.
        seconds, metric, ended: of its first episode, as in `FilmedEpisode`.
    """

    policy: str
    name: str = ""
    seed: int = 0
    score: float = 0.0
    seconds: float = 0.0
    metric: float = 0.0
    ended: str = ""
    error: str = ""


def policy_hash(policy: bytes) -> str:
    """A short hash that identifies a policy in notes."""
    return hashlib.sha256(policy).hexdigest()[:16]


def film_of_evaluation(name: str) -> Path:
    """The path of the film of a reward's training in the final comparison; `best` is the best reward's."""
    return Path(f"evaluation/{name}.mp4")


def film_of_candidate(name: str) -> Path:
    """The path of the film of a candidate's policy at the end of its training.

    Raises:
        StoreError: `name` is not the id of a candidate, as in a run folder that was edited by hand.
    """
    try:
        return candidate_path(name) / "rollout.mp4"
    except ValueError as error:
        raise StoreError(str(error)) from error


def film_of_review(generation: int, name: str) -> Path:
    """The path of the film of a policy that a person is to judge."""
    return Path(f"review/generation_{generation:02d}/{name}.mp4")


def read_note(folder: Path, film: Path) -> FilmNote | None:
    """The note about the film at `film` in a run folder; None if there is none.

    Raises:
        StoreError: the note cannot be read.
    """
    path = folder / film.with_suffix(".json")
    if not path.is_file():
        return None
    with store_errors(f"read {film.with_suffix('.json')}", folder):
        text = read_text(path, within=folder)
    try:
        return loads(FilmNote, text)
    except DecodeError as error:
        raise StoreError(f"{path}: was changed by hand: {error}; delete it") from error


def why_no_films(folder: Path) -> str:
    """Why nothing can be rendered on the machine of a run; empty if unknown.

    Raises:
        StoreError: the file cannot be read.
    """
    path = folder / NO_FILMS
    with store_errors(f"read {NO_FILMS}", folder):
        return read_text(path, within=folder).strip() if path.is_file() else ""
