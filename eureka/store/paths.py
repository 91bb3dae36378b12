"""Paths in a run folder, and checks which folders can become one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eureka.core.errors import StoreError
from eureka.core.ids import place_of
from eureka.core.training import TrainingResult
from eureka.store.files import store_errors

DATABASE = "run.db"
_PATTERNS = (f"*/{DATABASE}", f"*/*/{DATABASE}", f"*/*/*/{DATABASE}")
"""Patterns of run folders below a folder: `outputs/<task>/<date>_<time>`, or several such folders."""
_LEFTOVERS = {"config.yaml", "run.lock", "run.db.partial", "run.db.partial-journal"}
"""Files that a process killed inside `RunStore.create` can leave: nothing was recorded, so they do not make a run."""


def candidate_path(identity: str) -> Path:
    """The folder of a candidate below the run folder: `generation_02/candidate_05` for `g02-c05`."""
    place = place_of(identity)
    return Path(f"generation_{place.generation:02d}") / f"candidate_{place.sample:02d}"


def policy_path(result: TrainingResult) -> Path:
    """The path of the policy of a training in the search, below the run folder."""
    return candidate_path(result.candidate_id) / f"policy_seed{result.seed}.pt"


def evaluation_path(result: TrainingResult) -> Path:
    """The path of the policy of a training with a fresh seed, below the run folder."""
    return Path("evaluation") / f"{result.candidate_id}_seed{result.seed}.pt"


def require_free(folder: Path) -> None:
    """Raise StoreError, suggesting a free name, if `folder` is not empty and so cannot become a run folder."""
    with store_errors("look into the folder", folder):
        if folder.exists() and not (folder.is_dir() and all(map(_is_leftover, folder.iterdir()))):
            go_on = f", or go on with that run: `eureka resume {folder}`" if is_run(folder) else ""
            raise StoreError(f"{folder}: exists already; name another with output={free_name(folder)}{go_on}")


def claim_name(folder: Path) -> Path:
    """Create `folder`, or if it exists the first free one of `folder_2`, ..., atomically among processes."""
    while True:
        candidate = free_name(folder)
        with store_errors("make the run folder", candidate):
            try:
                candidate.mkdir(parents=True)
            except FileExistsError:  # another process created it first
                continue
        return candidate


def is_run(folder: Path) -> bool:
    """Whether `folder` is itself a run folder."""
    return (folder / DATABASE).is_file()


def find_runs(root: Path) -> dict[str, Path]:
    """Run folders by the name that addresses them, the newest first; `root` itself if it is one.

    A name is the path below `root` with `~` for its slashes: `ant~2026-11-21_10-00-00`. Links out of `root` are
    ignored.
    """
    if is_run(root):
        return {root.resolve().name or "run": root}
    top = root.resolve()
    databases = [path for pattern in _PATTERNS for path in root.glob(pattern) if path.resolve().is_relative_to(top)]
    folders = sorted((path.parent for path in databases), key=lambda folder: folder.name, reverse=True)
    return {"~".join(folder.relative_to(root).parts): folder for folder in folders}


def runs_in(folders: Sequence[Path]) -> list[Path]:
    """Every run folder among and below `folders`, each once: as they are given, and below each by name.

    Raises:
        StoreError: one of them is not a run folder and contains none.
    """
    found: dict[Path, Path] = {}
    for folder in folders:
        below = sorted(find_runs(folder).values())
        if not below:
            raise StoreError(
                f"{folder}: no run folder and none below it (no run.db); runs are under outputs/TASK/DATE_TIME"
            )
        for run in below:
            found.setdefault(run.resolve(), run)
    return list(found.values())


def _is_leftover(path: Path) -> bool:
    return path.name in _LEFTOVERS or (path.name.startswith(".config.yaml.") and path.name.endswith(".partial"))


def free_name(folder: Path) -> Path:
    """`folder` itself if it is free, else the first free one of `folder_2`, `folder_3`, ...."""
    number = 2
    candidate = folder
    while candidate.exists():
        candidate = folder.with_name(f"{folder.name}_{number}")
        number += 1
    return candidate
