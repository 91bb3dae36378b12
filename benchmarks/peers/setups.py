"""The ant under three physics: the task's own step, Gymnasium's 5 substeps with a cheaper integrator, and the stock."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from eureka.tasks import Task, find_tasks, load_task

PHYSICS = {
    "own": {},
    "five": {"integrator": "implicitfast", "timestep_s": 0.01, "substeps": 5},
    "stock": {"integrator": "rk4", "timestep_s": 0.01, "substeps": 5},
}
NAMES = {
    "own": "the task's own step",
    "five": "5 substeps of 0.01 s, implicitfast",
    "stock": "Ant-v5 as it is: 5 substeps of 0.01 s, RK4",
}


@contextmanager
def ant_folder(physics: str) -> Iterator[Path]:
    """A folder with a copy of the ant task that steps like this."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(shutil.copytree(find_tasks()["ant"], Path(temporary) / f"ant_{physics}"))
        info = yaml.safe_load((folder / "task.yaml").read_text(encoding="utf-8"))
        info["physics"] |= PHYSICS[physics]
        (folder / "task.yaml").write_text(yaml.safe_dump(info), encoding="utf-8")
        yield folder


@contextmanager
def ant(physics: str) -> Iterator[Task]:
    """The ant task with this physics."""
    with ant_folder(physics) as folder:
        yield load_task(folder.name, [folder])
