"""Where things lie in a run folder, and which folders can become one."""

from __future__ import annotations

from pathlib import Path

from eureka.core.errors import StoreError
from eureka.core.ids import place_of
from eureka.core.training import TrainingResult
from eureka.store.files import store_errors

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
