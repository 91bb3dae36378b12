"""Where things lie in a run folder, and which folders can become one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eureka.core.errors import StoreError
from eureka.core.ids import place_of
from eureka.core.training import TrainingResult
from eureka.store.files import store_errors

DATABASE = "run.db"
_PATTERNS = (f"*/{DATABASE}", f"*/*/{DATABASE}", f"*/*/*/{DATABASE}")
"""Where runs are below a folder: `outputs/<task>/<date>_<time>`, or of several such folders."""
_LEFTOVERS = {"config.yaml", "run.lock", "run.db.partial", "run.db.partial-journal"}
"""What a process killed inside `RunStore.create` can leave: nothing was recorded, so it does not count as a run."""


def candidate_path(identity: str) -> Path:
    """`generation_02/candidate_05` of `g02-c05`, below the run folder."""
    place = place_of(identity)
    return Path(f"generation_{place.generation:02d}") / f"candidate_{place.sample:02d}"


def policy_path(result: TrainingResult) -> Path:
    """Where the policy of one of the search's trainings lies, below the run folder."""
    return candidate_path(result.candidate_id) / f"policy_seed{result.seed}.pt"


def evaluation_path(result: TrainingResult) -> Path:
    """Where the policy of a re-training with a fresh seed lies, below the run folder."""
    return Path("evaluation") / f"{result.candidate_id}_seed{result.seed}.pt"


def require_free(folder: Path) -> None:
    """Raises StoreError, with a free name, where `folder` holds something and so cannot become a run folder."""
    with store_errors("look into the folder", folder):
        if folder.exists() and not (folder.is_dir() and all(map(_is_leftover, folder.iterdir()))):
            raise StoreError(f"{folder}: exists already; name another with output={free_name(folder)}")


def claim_name(folder: Path) -> Path:
    """Make `folder`, or where it is taken the first of `folder_2`, ... that is free, which nobody else then gets."""
    while True:
        candidate = free_name(folder)
        with store_errors("make the run folder", candidate):
            try:
                candidate.mkdir(parents=True)
            except FileExistsError:  # somebody else was faster
                continue
        return candidate


def is_run(folder: Path) -> bool:
    """Whether `folder` is itself a run folder."""
    return (folder / DATABASE).is_file()


def find_runs(root: Path) -> dict[str, Path]:
    """Run folders by the name that addresses them, the newest first; `root` itself where it is one.

    A name is the path below `root` with `~` for its slashes: `ant~2026-11-21_10-00-00`. What a link leads out of `root`
    is not shown.
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
        StoreError: one of them is no run folder and holds none.
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
    """`folder` itself where it is free, else the first of `folder_2`, `folder_3`, ... that is."""
    number = 2
    candidate = folder
    while candidate.exists():
        candidate = folder.with_name(f"{folder.name}_{number}")
        number += 1
    return candidate
