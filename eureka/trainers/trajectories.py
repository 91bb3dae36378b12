"""Episodes of policies of different skill, on which rewards are judged before any training with them.

They are made once for an environment and cached: a policy is trained with the human-written reward, and episodes are
recorded with it at half of its training and at the end, and with random actions.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from eureka.core.errors import TaskError
from eureka.core.training import OwnReward, TrainingJob, TrainingLength, TrainingResult
from eureka.core.types import Rejected
from eureka.reward.analysis.trajectory import LONGEST, Trajectory
from eureka.store.files import write_atomically
from eureka.trainers.base import Trainer

KINDS = ("random", "half-trained", "trained")
EPISODES = 8
"""Number of trajectories of each kind."""
_FORMAT = 2
_STEPS = 200_000

Trajectories = tuple[Trajectory, ...]


def cached_trajectories(trainer: Trainer, cache: Path | None, say: Callable[[str], None]) -> Trajectories:
    """Trajectories from the cache; if missing, they are made by a training and stored there. Empty if the trainer has
    no rollouts.

    Args:
        cache: a folder that may be emptied at any time; None: nothing is stored.
        say: called with a sentence if they have to be made.

    Raises:
        TaskError: the human-written reward cannot be used for training.
        TrainingError: the host's machinery failed.
    """
    if not trainer.can.records_trajectories:
        return ()
    name = trainer.spec.name
    path = cache / f"{name}_{_key(trainer)}.pt" if cache and trainer.provenance else None
    known = _read(path) if path else None
    if known is not None:
        return known
    kept = f"once, then they are kept in {path}" if path else "they are not kept"
    say(
        f"recording trajectories of {name}: a policy is trained with the task's own human-written reward for "
        f"{_length(trainer).steps:,} control steps, and random, half-trained and trained policies act; {kept}"
    )
    made = make_trajectories(trainer)
    if path:
        _write(path, made)
    return made


def make_trajectories(trainer: Trainer) -> Trajectories:
    """Train a policy as for `budget=quick`, and record episodes of its middle and final state.

    Raises:
        TaskError: the human-written reward cannot be used for training.
        TrainingError: the host's machinery failed.
    """
    length = _length(trainer)
    job = TrainingJob("human", trainer.baselines()[OwnReward.OWN], 0, length)
    with TemporaryDirectory() as folder:
        beginning = TrainingJob(job.candidate_id, job.reward, 0, TrainingLength(length.steps, 2, 1, stop_after=1))
        policies = [None, *(_policy(trainer, each, Path(folder)) for each in (beginning, job))]
    return tuple(trainer.rollouts(dict(zip(KINDS, policies, strict=True)), EPISODES))


def _policy(trainer: Trainer, job: TrainingJob, folder: Path) -> bytes:
    for event in trainer.train([job], folder):
        if isinstance(event, Rejected):
            raise TaskError(
                f"{trainer.spec.name}: no trajectories of skilled policies can be recorded, for in a training with its "
                f"human-written reward, {event.reason}"
            )
        if isinstance(event, TrainingResult):
            policy = event.policy
    return policy


def _length(trainer: Trainer) -> TrainingLength:
    """The shortest budgeted length of a training, with evaluations at half of it and at the end."""
    return TrainingLength(min(trainer.budgets.values(), default=_STEPS), 2, 1)


# ---- cache -----------------------------------------------------------------------------------------------------------


def _key(trainer: Trainer) -> str:
    parts = f"{trainer.provenance} {(_FORMAT, EPISODES, LONGEST)}"
    return hashlib.sha256(parts.encode()).hexdigest()[:24]


def _write(path: Path, trajectories: Trajectories) -> None:
    """Write trajectories to the cache; an unwritable cache is not a failure."""
    buffer = io.BytesIO()
    torch.save([vars(t) | {"state": dict(t.state)} for t in trajectories], buffer)
    with suppress(OSError):
        write_atomically(path, buffer.getvalue())


def _read(path: Path) -> Trajectories | None:
    """Read what `_write` wrote; None if it is missing or incomplete."""
    try:
        saved: list[dict[str, Any]] = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        return None
    return tuple(Trajectory(**entry) for entry in saved)
