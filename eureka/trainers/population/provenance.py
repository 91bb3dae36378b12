"""A digest of everything that a training depends on besides its job, used in cache keys."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import eureka.physics
import eureka.reward.graph
import eureka.tasks
import eureka.tasks.shared
import eureka.trainers.population
from eureka.tasks import Task
from eureka.tasks.models import needed_package

_LIBRARIES = ("torch", "numpy", "mujoco", "gymnasium")
_TRAINER = (eureka.trainers.population, eureka.physics, eureka.tasks, eureka.tasks.shared, eureka.reward.graph)


def provenance(task: Task) -> str:
    """A digest of the task's files, the trainer's source and the versions of the libraries."""
    models = needed_package(task.info.model)
    names = (*_LIBRARIES, *([models] if models else []))
    libraries = [f"{name} {version(name)}" for name in names]
    sources = [path for package in _TRAINER for path in Path(str(package.__path__[0])).glob("*.py")]
    own = [path for path in task.folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    files = [f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in sources + own]
    # Sorted in a way that does not depend on the place of the task folder.
    return digest(libraries + sorted(files))


def digest(parts: Sequence[str]) -> str:
    """24 hexadecimal digits that identify the parts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
