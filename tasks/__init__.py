"""Tasks: one folder each, with `task.yaml` and `env.py`; a user's own folder has the same form."""

from eureka.tasks.base import Controls, NoCarry, Reset, Task, state_field
from eureka.tasks.gym_state import GymState
from eureka.tasks.info import Physics, TaskInfo
from eureka.tasks.loading import find_tasks, load_task
from eureka.tasks.metric import Metric, Trace, longest_run, times_begun
from eureka.tasks.on_device import OnDevice
from eureka.tasks.rng import Rng

__all__ = [
    "Controls",
    "GymState",
    "Metric",
    "NoCarry",
    "OnDevice",
    "Physics",
    "Reset",
    "Rng",
    "Task",
    "TaskInfo",
    "Trace",
    "find_tasks",
    "load_task",
    "longest_run",
    "state_field",
    "times_begun",
]
