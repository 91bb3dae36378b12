"""Rollout videos, embedded while there is room: the best reward's first, then the baselines', then by score."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eureka.report.views import RunView
from eureka.store.files import store_errors

MAX_BYTES = 5_900_000
"""Of all embedded videos and posters: a third more as text, beside 2 MB of page, stays under 10 MB."""

_BASELINES = {"human": "the human-written reward", "sparse": "the bare task metric as reward"}


@dataclass(frozen=True)
class Video:
    """A rollout: where it lies in the run folder, and where there was room its data, each as a `data:` address."""

    path: str
    caption: str
    data: str | None
    poster: str | None


@dataclass(frozen=True)
class Videos:
    """What stands at the head of the page, the best reward's first, and what stands with single candidates."""

    head: tuple[Video, ...]
    of_candidates: Mapping[str, Video]


def videos(run: RunView) -> Videos:
    """The videos that lie in a run folder.

    Raises:
        StoreError: one of them cannot be read.
    """
    wanted: dict[Path, str] = {}
    if run.best is not None:
        wanted[Path("best/rollout.mp4")] = f"{run.best.id}, the best reward"
    wanted |= {Path(f"evaluation/{name}.mp4"): caption for name, caption in _BASELINES.items()}
    ranked = sorted(run.candidates, key=lambda c: (c.score is None, -(c.score or 0.0), c.id))
    owners = {_of(c.generation, c.id): c.id for c in ranked}
    wanted |= {path: f"{name} at the end of training" for path, name in owners.items()}
    left = MAX_BYTES
    head, of_candidates = [], {}
    for path, caption in wanted.items():
        if not (run.folder / path).is_file():
            continue
        video, size = _embedded(run.folder, path, caption, left)
        left -= size
        if path in owners:
            of_candidates[owners[path]] = video
        else:
            head.append(video)
    return Videos(tuple(head), of_candidates)


def _of(generation: int, name: str) -> Path:
    return Path(f"generation_{generation:02d}/candidate_{name.partition('-c')[2]}/rollout.mp4")


def _embedded(folder: Path, path: Path, caption: str, left: int) -> tuple[Video, int]:
    """The video, and how many bytes of it are embedded."""
    with store_errors(f"read {path}", folder):
        size = (folder / path).stat().st_size
        picture = folder / path.with_suffix(".jpg")
        poster = picture.read_bytes() if picture.is_file() else b""
        if size + len(poster) > left:
            return Video(path.as_posix(), caption, None, None), 0
        film = (folder / path).read_bytes()
    return (
        Video(path.as_posix(), caption, _data("video/mp4", film), _data("image/jpeg", poster) if poster else None),
        len(film) + len(poster),
    )


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
