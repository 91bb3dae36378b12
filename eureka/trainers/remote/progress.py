"""The stored progress of a training in another interpreter: curves, statistics, and its checkpoint."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from eureka.core.training import TrainingJob, TrainingResult
from eureka.trainers.remote.inside.reward_terms import REST
from eureka.trainers.statistics import ComponentRecorder

POLICY_FORMAT = "rsl_rl"
_FOLDER = "trained"


@dataclass
class RemoteProgress:
    """The progress of one training. `scores` are its evaluations by number of updates."""

    done: int = 0
    steps: list[int] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)
    episode_length: list[float] = field(default_factory=list)
    scores: dict[int, list[float]] = field(default_factory=dict)
    checkpoint: bytes = b""
    policy: bytes = b""
    diverged: int = 0
    wall_s: float = 0.0
    recorder: ComponentRecorder | None = None

    def add(self, rows: torch.Tensor, metric: torch.Tensor, components: tuple[str, ...]) -> None:
        """Add an update's rollout: components (steps x num_envs, components) and metric (steps x num_envs,)."""
        named = {name: rows[:, index] for index, name in enumerate(components) if name != REST}
        self.recorder = self.recorder or ComponentRecorder(tuple(named))
        self.recorder.add(rows.sum(dim=1), named, metric)

    def result(self, job: TrainingJob, updates: tuple[int, ...], rollout: int) -> TrainingResult:
        """The result of the training at the last of these evaluated updates.

        Args:
            rollout: control steps per update.
        """
        recorder = self.recorder
        assert recorder is not None
        evaluated = [update for update in updates if update in self.scores]
        return TrainingResult(
            candidate_id=job.candidate_id,
            seed=job.seed,
            final_scores=tuple(self.scores[updates[-1]]),
            steps=tuple(self.steps),
            metric=tuple(self.metric),
            episode_length=tuple(self.episode_length),
            total=recorder.curve("total"),
            components={name: recorder.curve(name) for name in recorder.components},
            statistics=recorder.statistics(),
            checkpoint_scores=tuple(sum(self.scores[update]) / len(self.scores[update]) for update in evaluated),
            checkpoint_steps=tuple(update * rollout for update in evaluated),
            policy=self.policy,
            policy_format=POLICY_FORMAT,
            diverged_worlds=self.diverged,
            wall_s=self.wall_s,
        )


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
        name: _bytes(value) if isinstance(value, torch.Tensor) else value for name, value in state.items()
    }
    return RemoteProgress(**plain, recorder=recorder)


def _tensor(content: bytes) -> torch.Tensor:
    return torch.frombuffer(bytearray(content), dtype=torch.uint8) if content else torch.zeros(0, dtype=torch.uint8)


def _bytes(content: torch.Tensor) -> bytes:
    return content.numpy().tobytes()
