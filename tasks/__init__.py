"""Tasks: one folder each, with `task.yaml` and `env.py`; a user's own folder has the same form."""

from eureka.tasks.base import Metric, Reset, Task, state_field
from eureka.tasks.gym_state import GymState
from eureka.tasks.info import Physics, TaskInfo
from eureka.tasks.loading import find_tasks, load_task
from eureka.tasks.rng import Rng

__all__ = [
    "GymState",
    "Metric",
    "Physics",
    "Reset",
    "Rng",
    "Task",
    "TaskInfo",
    "find_tasks",
    "load_task",
    "state_field",
]
