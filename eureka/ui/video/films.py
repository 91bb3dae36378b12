"""Where the films of a run lie, and what is kept beside each: what it shows, or why there is none.

A film is an mp4 with a poster of the same name (`.jpg`) and a note (`.json`); those made by hand have no note.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from eureka.core.errors import StoreError
from eureka.core.serialize import DecodeError, loads
from eureka.store.files import store_errors

NO_FILMS = Path("no_films.txt")
"""Holds the sentence that says why nothing can be filmed on the machine of the run, where that is so."""
BEST = Path("best/rollout.mp4")
"""The policy of the best reward that the search trained."""


@dataclass(frozen=True, kw_only=True)
class FilmNote:
    """What a film shows; `error` says why there is none, and all but the policy is then empty.

    Attributes:
        policy: `policy_mark` of the policy that is filmed.
        name, seed, score: the training that it is of.
        seconds, metric, ended: of its first episode, as in `eureka.ui.video.EpisodeShown`.
    """

    policy: str
    name: str = ""
    seed: int = 0
    score: float = 0.0
    seconds: float = 0.0
    metric: float = 0.0
    ended: str = ""
    error: str = ""


def of_evaluation(name: str) -> Path:
    """The film of a reward's training in the final comparison; `best` is the best reward's."""
    return Path(f"evaluation/{name}.mp4")


def of_candidate(name: str) -> Path:
    """The film of a candidate's policy at the end of its training."""
    generation, _, sample = name.removeprefix("g").partition("-c")
    return Path(f"generation_{generation}/candidate_{sample}/rollout.mp4")


def policy_mark(policy: bytes) -> str:
    """Tells policies apart."""
    return hashlib.sha256(policy).hexdigest()[:16]


def read_note(folder: Path, film: Path) -> FilmNote | None:
    """The note beside the film at `film` in a run folder; None where there is none.

    Raises:
        StoreError: it cannot be read.
    """
    path = folder / film.with_suffix(".json")
    if not path.is_file():
        return None
    with store_errors(f"read {film.with_suffix('.json')}", folder):
        text = path.read_text(encoding="utf-8")
    try:
        return loads(FilmNote, text)
    except DecodeError as error:
        raise StoreError(f"{path}: was changed by hand: {error}; delete it") from error
