"""Weights & Biases: one run for each training and one for the search, all in one group.

The library reads account and server from its own environment variables (WANDB_API_KEY, WANDB_MODE, WANDB_BASE_URL,
...).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eureka.ui.tracking.tracker import AXES, SEARCH


class WandbSink:
    """Logs to a project.

    Args:
        run: a unique name of this search, kept when it is resumed.
        settings: the run's config, flat.

    Raises:
        wandb.Error: the library refuses, for example because the user is not logged in.
    """

    name = "Weights & Biases"

    def __init__(self, project: str, run: str, folder: Path, settings: Mapping[str, Any]) -> None:
        import wandb

        self.errors: tuple[type[Exception], ...] = (wandb.Error, OSError)
        self._wandb: Any = wandb
        self._project = project
        self._run = run
        self._folder = folder
        self._settings = dict(settings)
        self._runs: dict[str, Any] = {}
        self._open(SEARCH)

    def points(self, group: str, steps: Sequence[int], values: Mapping[str, Sequence[float]]) -> None:
        """See `Sink`."""
        run = self._open(group)
        axis = _axis(group)
        for index, step in enumerate(steps):
            run.log({axis: step, **{name: curve[index] for name, curve in values.items()}})

    def _open(self, group: str) -> Any:
        if group not in self._runs:
            run = self._wandb.init(
                project=self._project,
                group=self._run,
                name=group,
                id=f"{self._run}-{group}".replace("/", "-"),
                resume="allow",
                reinit="create_new",
                dir=str(self._folder),
                config=self._settings,
                settings=self._wandb.Settings(console="off", silent=True),
            )
            run.define_metric("*", step_metric=_axis(group))
            self._runs[group] = run
        return self._runs[group]

    def close(self) -> None:
        """See `Sink`."""
        for run in self._runs.values():
            run.finish()


def _axis(group: str) -> str:
    return AXES.get(group, "steps")
