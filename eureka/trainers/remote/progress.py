"""The stored progress of a training in another interpreter: curves, statistics, and its checkpoint."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from eureka.core.training import TrainingJob, TrainingResult
from eureka.trainers.curves import TrainingCurves
from eureka.trainers.remote.inside.reward_terms import REST
from eureka.trainers.statistics import ComponentRecorder

POLICY_FORMAT = "rsl_rl"
_FOLDER = "trained"


@dataclass
class RemoteProgress(TrainingCurves):
    """The progress of one training: its last evaluation followed update `done`."""

    done: int = 0
    checkpoint: bytes = b""
    policy: bytes = b""
    wall_s: float = 0.0
    recorder: ComponentRecorder | None = None

    def add(self, rows: torch.Tensor, metric: torch.Tensor, components: tuple[str, ...]) -> None:
        """Add an update's rollout: components (steps x num_envs, components) and metric (steps x num_envs,)."""
        named = {name: rows[:, index] for index, name in enumerate(components) if name != REST}
        self.recorder = self.recorder or ComponentRecorder(tuple(named))
        self.recorder.add(rows.sum(dim=1), named, metric)

    def remote_result(self, job: TrainingJob) -> TrainingResult:
        """The result of the training."""
        assert self.recorder is not None
        result = self.result(job.candidate_id, job.seed, self.recorder)
        return replace(result, policy=self.policy, policy_format=POLICY_FORMAT, wall_s=self.wall_s)


def training_key(job: TrainingJob, setup: str) -> str:
    """A key of a training without its length: jobs with the same key are parts of one training.

    Args:
        setup: the environment, its size and the versions that train in it.
    """
    start = hashlib.sha256(job.start.data).hexdigest() if job.start is not None else ""
    return hashlib.sha256(repr((job.reward, job.seed, dict(job.options), start, setup)).encode()).hexdigest()[:20]


def save(folder: Path, key: str, progress: RemoteProgress) -> None:
    """Store a training's progress in place of earlier progress."""
    recorder = progress.recorder
    assert recorder is not None
    values = {name: value for name, value in vars(progress).items() if name != "recorder"}
    state = {**values, "components": list(recorder.components), "recorder": recorder.state_dict()}
    path = folder / _FOLDER / f"{key}-{progress.done}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    torch.save({name: _tensor(value) if isinstance(value, bytes) else value for name, value in state.items()}, buffer)
    partial = path.with_suffix(".partial")
    partial.write_bytes(buffer.getvalue())
    os.replace(partial, path)
    for other in path.parent.glob(f"{key}-*.pt"):
        if other != path:
            other.unlink(missing_ok=True)


def load(folder: Path, key: str, most: int) -> RemoteProgress:
    """The stored progress of a training with at most `most` updates; new progress if there is none or it is
    unreadable."""
    for path in (folder / _FOLDER).glob(f"{key}-*.pt"):
        if path.is_file() and int(path.stem.rpartition("-")[2]) <= most:
            try:
                return _read(path)
            # torch's unpickler may raise any of these on invalid bytes.
            except (OSError, RuntimeError, EOFError, LookupError, ValueError, TypeError, struct.error):
                continue
            except pickle.UnpicklingError:
                continue
    return RemoteProgress()


def _read(path: Path) -> RemoteProgress:
    state: dict[str, Any] = torch.load(path, weights_only=True)
    recorder = ComponentRecorder(tuple(state.pop("components")))
    recorder.load_state_dict(state.pop("recorder"))
    plain: dict[str, Any] = {
        name: value.numpy().tobytes() if isinstance(value, torch.Tensor) else value for name, value in state.items()
    }
    return RemoteProgress(**plain, recorder=recorder)


def _tensor(content: bytes) -> torch.Tensor:
    return torch.frombuffer(bytearray(content), dtype=torch.uint8) if content else torch.zeros(0, dtype=torch.uint8)
