"""The films of a run: embedded while there is room, those of the head first and then by score; and why others miss."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.core.types import TrainingResult
from eureka.store.files import store_errors
from eureka.ui.report.text import duration, number
from eureka.ui.report.views import RunView
from eureka.ui.video.films import BEST, NO_FILMS, FilmNote, of_candidate, of_evaluation, policy_mark, read_note

MAX_BYTES = 5_900_000
"""Of all embedded videos and posters: a third more as text, beside 2 MB of page, stays under 10 MB."""
_ENDS = {
    "terminated": "an episode, which ended early after {}",
    "time limit": "a whole episode of {}",
    "cut": "the first {} of an episode",
}
_OFF = {
    "none": "This run makes no films (report.films=none).",
    "best": "This run films the best reward alone (report.films=best).",
}


@dataclass(frozen=True)
class Video:
    """A rollout: where it lies in the run folder, and where there was room its data, each as a `data:` address.

    `detail` says what it shows; empty where that is not known.
    """

    path: str
    caption: str
    detail: str
    data: str | None
    poster: str | None


@dataclass(frozen=True)
class Videos:
    """What stands at the head of the page, the best reward's first, and what stands with single candidates.

    `in_head` is the candidate whose own film stands at the head. `missing` says why there is no film, by candidate;
    `none_at_all` says it of the head.
    """

    head: tuple[Video, ...]
    of_candidates: Mapping[str, Video]
    in_head: str | None
    missing: Mapping[str, str]
    none_at_all: str


@dataclass(frozen=True)
class _Film:
    path: Path
    caption: str
    detail: str


def videos(run: RunView) -> Videos:
    """The films that lie in a run folder, and why others do not.

    Raises:
        StoreError: one of them cannot be read.
    """
    head = [film for film in (_best(run), *_baselines(run)) if film is not None]
    trained = [candidate for candidate in run.candidates if candidate.results]
    ranked = sorted(trained, key=lambda c: (c.score is None, -(c.score or 0.0), c.id))
    in_head = run.best.id if run.best and head and head[0].path == of_candidate(run.best.id) else None
    reason = _reason(run)
    own: dict[str, _Film] = {}
    missing: dict[str, str] = {}
    for candidate in ranked:
        film = _film(run, of_candidate(candidate.id), f"{candidate.id} at the end of training")
        if film is None:
            note = read_note(run.folder, of_candidate(candidate.id))
            missing[candidate.id] = f"It could not be filmed: {note.error}." if note and note.error else reason
        elif candidate.id != in_head:
            own[candidate.id] = film
    left = MAX_BYTES
    embedded = []
    for film in [*head, *own.values()]:
        video, size = _embedded(run.folder, film, left)
        left -= size
        embedded.append(video)
    of_candidates = dict(zip(own, embedded[len(head) :], strict=True))
    return Videos(tuple(embedded[: len(head)]), of_candidates, in_head, missing, reason)


def _best(run: RunView) -> _Film | None:
    """Of a training with a fresh seed where there is one, as the baselines' are; else of one of the search."""
    if run.best is None:
        return None
    caption = f"{run.best.id}, the best reward"
    fresh = run.evaluations.get(run.best.id, ())
    films = (
        _film(run, of_evaluation("best"), caption, fresh),
        _film(run, BEST, caption, run.best.results),
        _film(run, of_candidate(run.best.id), caption),
    )
    return next((film for film in films if film is not None), None)


def _baselines(run: RunView) -> list[_Film | None]:
    captions = {"human": "the human-written reward", "sparse": "the bare task metric as reward"}
    return [
        _film(run, of_evaluation(name), caption, run.evaluations.get(name, ())) for name, caption in captions.items()
    ]


def _film(run: RunView, path: Path, caption: str, shown: tuple[TrainingResult, ...] | None = None) -> _Film | None:
    """The film at `path`; None where there is none, or where it is of none of the trainings `shown`."""
    if not (run.folder / path).is_file():
        return None
    note = read_note(run.folder, path)
    if note is None or note.error:
        return _Film(path, caption, "")
    if shown is not None and note.policy not in {policy_mark(result.policy) for result in shown}:
        return None
    return _Film(path, caption, _detail(note, run))


def _detail(note: FilmNote, run: RunView) -> str:
    unit = f"\u00a0{run.unit}" if run.unit else ""
    shown = duration(note.seconds).replace(" ", "\u00a0")
    scores = f", scores {number(note.score)}{unit}" if run.has_metric else ""
    return f"Trained with seed {note.seed}{scores}. Shown: {_ENDS[note.ended].format(shown)}."


def _reason(run: RunView) -> str:
    """Why a policy that is trained has no film."""
    path = run.folder / NO_FILMS
    if path.is_file():
        with store_errors(f"read {NO_FILMS}", run.folder):
            said = path.read_text(encoding="utf-8", errors="replace").strip()
        return f"No films: {said}."
    wanted = str(run.settings.get("report.films", ""))
    return _OFF.get(wanted, "Not filmed yet." if not run.is_finished else "Not filmed: the run did not wait for it.")


def _embedded(folder: Path, film: _Film, left: int) -> tuple[Video, int]:
    """The video, and how many bytes of it are embedded."""
    path = film.path
    linked = Video(path.as_posix(), film.caption, film.detail, None, None)
    with store_errors(f"read {path}", folder):
        size = (folder / path).stat().st_size
        picture = folder / path.with_suffix(".jpg")
        poster = picture.read_bytes() if picture.is_file() else b""
        if size + len(poster) > left:
            return linked, 0
        content = (folder / path).read_bytes()
    video = replace(
        linked,
        data=_data("video/mp4", content),
        poster=_data("image/jpeg", poster) if poster else None,
    )
    return video, len(content) + len(poster)


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
