"""The films of a run's report: embedded up to a size limit, with reasons for missing ones."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.store.files import MAX_POLICY_BYTES, read_bounded, store_errors
from eureka.store.paths import evaluation_path, policy_path
from eureka.ui.report.text import duration, number
from eureka.ui.report.views import RunView
from eureka.ui.video.film import (
    BEST,
    FilmNote,
    film_of_candidate,
    film_of_evaluation,
    policy_hash,
    read_note,
    why_no_films,
)

MAX_BYTES = 5_900_000
"""Maximum size of all embedded videos and posters in bytes: base64 adds a third, so that with 2 MB of page the file
stays under 10 MB."""
_ENDS = {
    "terminated": "an episode, which ended early after {}",
    "time limit": "a whole episode of {}",
    "cut": "the first {} of an episode",
}
_OFF = {
    "none": "This run makes no films (report.films=none).",
    "best": "This run films the best reward alone (report.films=best).",
}
_BASELINES = {"human": "the human-written reward", "sparse": "the bare task metric as reward"}


@dataclass(frozen=True)
class EmbeddedFilm:
    """A film: its path in the run folder and, if it fits, its data as `data:` addresses.

    `detail` describes what it shows; empty if unknown.
    """

    path: str
    caption: str
    detail: str
    data: str | None = None
    poster: str | None = None


@dataclass(frozen=True)
class RunFilms:
    """The films at the head of the page, that of the best reward first, and those of single candidates.

    `in_head` is the candidate whose film is at the head. `missing` is the reason for a missing film, by candidate;
    `none_at_all` is that for the head.
    """

    head: tuple[EmbeddedFilm, ...]
    of_candidates: Mapping[str, EmbeddedFilm]
    in_head: str | None
    missing: Mapping[str, str]
    none_at_all: str


def run_films(run: RunView) -> RunFilms:
    """The films in a run folder, and why others are missing.

    Raises:
        StoreError: one of them cannot be read.
    """
    baselines = (
        _film(run, film_of_evaluation(n), said, map(evaluation_path, run.evaluations.get(n, ())))
        for n, said in _BASELINES.items()
    )
    head = [film for film in (_best(run), *baselines) if film is not None]
    in_head = run.best.id if run.best and head and head[0].path == str(film_of_candidate(run.best.id)) else None
    reason = _reason(run)
    own: dict[str, EmbeddedFilm] = {}
    missing: dict[str, str] = {}
    trained = [candidate for candidate in run.candidates if candidate.results]
    for candidate in sorted(trained, key=lambda c: (c.score is None, -(c.score or 0.0), c.id)):
        path = film_of_candidate(candidate.id)
        film = _film(run, path, f"{candidate.id} at the end of training")
        if film is None:
            note = read_note(run.folder, path)
            missing[candidate.id] = f"It could not be filmed: {note.error}." if note and note.error else reason
        elif candidate.id != in_head:
            own[candidate.id] = film
    embedded = _embedded(run.folder, [*head, *own.values()])
    of_candidates = dict(zip(own, embedded[len(head) :], strict=True))
    return RunFilms(tuple(embedded[: len(head)]), of_candidates, in_head, missing, reason)


def _best(run: RunView) -> EmbeddedFilm | None:
    """The film of a training with a fresh seed, as for the baselines, if there is one; else of a training of the
    search.
    """
    if run.best is None:
        return None
    caption = f"{run.best.id}, the best reward"
    return (
        _film(run, film_of_evaluation("best"), caption, map(evaluation_path, run.evaluations.get(run.best.id, ())))
        or _film(run, BEST, caption, map(policy_path, run.best.results))
        or _film(run, film_of_candidate(run.best.id), caption)
    )


def _film(run: RunView, path: Path, caption: str, policies: Iterable[Path] | None = None) -> EmbeddedFilm | None:
    """The film at `path`, not embedded yet; None if it is missing or shows none of these policies."""
    if not (run.folder / path).is_file():
        return None
    note = read_note(run.folder, path)
    if note is None or note.error:
        return EmbeddedFilm(path.as_posix(), caption, "")
    if policies is not None and not any(_is_of(note, run.folder / each, run.folder) for each in policies):
        return None
    return EmbeddedFilm(path.as_posix(), caption, _detail(note, run))


def _is_of(note: FilmNote, policy: Path, folder: Path) -> bool:
    if not policy.is_file():
        return False
    with store_errors(f"read {policy.relative_to(folder)}", folder):
        return note.policy == policy_hash(read_bounded(policy, MAX_POLICY_BYTES, within=folder))


def _detail(note: FilmNote, run: RunView) -> str:
    unit = f"\u00a0{run.unit}" if run.unit else ""
    shown = duration(note.seconds).replace(" ", "\u00a0")
    scores = f", scores {number(note.score)}{unit}" if run.has_metric else ""
    return f"Trained with seed {note.seed}{scores}. Shown: {_ENDS[note.ended].format(shown)}."


def _reason(run: RunView) -> str:
    """Why a trained policy has no film."""
    if said := why_no_films(run.folder):
        return f"No films: {said}."
    wanted = str(run.settings.get("report.films", ""))
    return _OFF.get(wanted, "Not filmed yet." if not run.is_finished else "Not filmed: the run did not wait for it.")


def _embedded(folder: Path, films: Iterable[EmbeddedFilm]) -> list[EmbeddedFilm]:
    """The films, with their data embedded up to the size limit."""
    left, found = MAX_BYTES, []
    for film in films:
        path = folder / film.path
        with store_errors(f"read {film.path}", folder):
            picture = path.with_suffix(".jpg")
            poster = read_bounded(picture, MAX_BYTES, within=folder) if picture.is_file() else b""
            size = path.stat().st_size + len(poster)
            if size > left:
                found.append(film)
                continue
            data = _data("video/mp4", read_bounded(path, MAX_BYTES, within=folder))
        left -= size
        found.append(replace(film, data=data, poster=_data("image/jpeg", poster) if poster else None))
    return found


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
