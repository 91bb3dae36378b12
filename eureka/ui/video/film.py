"""Films as data: what is to be filmed, what was filmed, where films are in a run folder, and the note with each.

A film is an mp4 with a poster of the same name (`.jpg`) and a note (`.json`), which says what the film shows or why it
could not be made. A film that the user put there has no note.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from eureka.config import RunConfig
from eureka.core.errors import StoreError
from eureka.core.ids import place_of
from eureka.core.pictures import Look
from eureka.core.serialize import DecodeError, loads
from eureka.store.files import read_text, store_errors

NO_FILMS = Path("no_films.txt")
"""Says why nothing can be drawn on the machine of the run, where that is so."""
BEST = Path("best/rollout.mp4")
"""The best reward's policy, as the search trained it."""


@dataclass(frozen=True, kw_only=True)
class FilmJob:
    """A policy to be filmed.

    Attributes:
        config: its environment and trainer; nothing else of it is read.
        task_dirs: absolute paths where else to look for a task.
        policy: the bytes of a `policy.pt`.
        graph: the JSON text of the reward graph that an overlay shows; none where empty.
        folder: where modules that the config names are looked for last; nowhere where empty.
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

    `ended` is `terminated`, `time limit`, or `cut` where the episode went on after what is shown.
    """

    steps: int
    seconds: float
    metric: float
    ended: str


@dataclass(frozen=True)
class Video:
    """A finished mp4 (H.264, playable while it loads) and the JPEG that stands for it."""

    path: str
    poster: str
    frames: int
    fps: float
    episodes: tuple[FilmedEpisode, ...]


@dataclass(frozen=True, kw_only=True)
class FilmNote:
    """What a film shows; `error` says why there is none, and all but the policy is then empty.

    Attributes:
        policy: `policy_hash` of the policy that is filmed.
        name, seed, score: the training that it is of.
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
    """Where the film of a reward's training in the final comparison lies; `best` is the best reward's."""
    return Path(f"evaluation/{name}.mp4")


def film_of_candidate(name: str) -> Path:
    """Where the film of a candidate's policy at the end of its training lies.

    Raises:
        StoreError: not the id of a candidate, as in a run folder that was changed by hand.
    """
    try:
        place = place_of(name)
    except ValueError as error:
        raise StoreError(str(error)) from error
    return Path(f"generation_{place.generation:02d}/candidate_{place.sample:02d}/rollout.mp4")


def film_of_review(generation: int, name: str) -> Path:
    """Where the film of a policy that a person is to judge lies."""
    return Path(f"review/generation_{generation:02d}/{name}.mp4")


def read_note(folder: Path, film: Path) -> FilmNote | None:
    """The note about the film at `film` in a run folder; None where there is none.

    Raises:
        StoreError: it cannot be read.
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
    """Why nothing can be drawn on the machine of a run; empty where that is not known.

    Raises:
        StoreError: it cannot be read.
    """
    path = folder / NO_FILMS
    with store_errors(f"read {NO_FILMS}", folder):
        return read_text(path, within=folder).strip() if path.is_file() else ""
