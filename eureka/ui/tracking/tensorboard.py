"""TensorBoard event files: `tensorboard --logdir outputs` shows every training as a run of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class TensorBoardSink:
    """Writes below `folder`, one folder for each group."""

    name = "TensorBoard"
    errors: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def points(self, group: str, steps: Sequence[int], values: Mapping[str, Sequence[float]]) -> None:
        """See `Sink`."""
        writer = self._writer(group)
        for name, curve in values.items():
            for step, value in zip(steps, curve, strict=True):
                writer.add_scalar(name, value, step)
        writer.flush()

    def _writer(self, group: str) -> Any:
        if group not in self._writers:
            from torch.utils.tensorboard import SummaryWriter

            self._writers[group] = SummaryWriter(str(self._folder / group))
        return self._writers[group]

    def close(self) -> None:
        """See `Sink`."""
        for writer in self._writers.values():
            writer.close()
