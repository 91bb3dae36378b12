"""A task without a metric: cartpole's, with the metric taken out of its source."""

from __future__ import annotations

import re
from pathlib import Path

CARTPOLE = Path(__file__).parents[2] / "tasks" / "cartpole"


def write_task(folder: Path, *, fitness: str = "preference", keep_metric: bool = False) -> Path:
    """Write the task `balance` below `folder`; gives the folder of tasks."""
    task = folder / "tasks" / "balance"
    task.mkdir(parents=True)
    source = (CARTPOLE / "env.py").read_text()
    if not keep_metric:
        source, count = re.subn(
            r"    @property\n    def metric.*?(?=    def human_reward)", "", source, flags=re.DOTALL
        )
        assert count == 1
        source = source.replace("from eureka.tasks import Metric, Reset", "from eureka.tasks import Reset")
    (task / "env.py").write_text(source)
    (task / "task.yaml").write_text((CARTPOLE / "task.yaml").read_text() + f"fitness: {fitness}\n")
    return folder / "tasks"
