"""The tasks that ship here, by whether what their models come with is installed."""

from __future__ import annotations

import pytest

from eureka.tasks import find_tasks
from eureka.tasks.info import TaskInfo, read_info
from eureka.tasks.models import is_installed, needed_package

INFOS: dict[str, TaskInfo] = {name: read_info(folder) for name, folder in find_tasks().items()}
SAMPLE = ("ball_balance", "hopper_back_flip", "ant_two_legs")
"""What stands for all of them where all would take too long."""


def skip_without_model(name: str) -> None:
    """Skip a test of a task whose model's package is not installed."""
    package = needed_package(INFOS[name].model)
    if package and not is_installed(package):
        pytest.skip(f"{name} needs the package {package}")


def every_task(sample: tuple[str, ...] = SAMPLE) -> list[object]:
    """All tasks as parameters, of which those out of the sample are wide."""
    return [pytest.param(name, marks=[] if name in sample else [pytest.mark.wide]) for name in INFOS]
