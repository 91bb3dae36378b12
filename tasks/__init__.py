"""Tasks: one folder each, with `task.yaml` and `env.py`; a user's own folder has the same form."""

from eureka.tasks.base import Controls, NoCarry, Reset, Task, state_field
from eureka.tasks.gym_state import GymState
from eureka.tasks.info import TaskInfo
from eureka.tasks.loading import find_tasks, load_task
from eureka.tasks.metric import Metric, Trace
from eureka.tasks.on_device import OnDevice
from eureka.tasks.rng import Rng

__all__ = [
    "Controls",
    "GymState",
    "Metric",
    "NoCarry",
    "OnDevice",
    "Reset",
    "Rng",
    "Task",
    "TaskInfo",
    "Trace",
    "find_tasks",
    "load_task",
    "state_field",
]
