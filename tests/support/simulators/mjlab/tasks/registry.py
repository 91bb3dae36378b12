"""The tasks by their ids."""

from copy import deepcopy

_TASKS = {}


def register_mjlab_task(task_id, env_cfg, play_env_cfg, rl_cfg, runner_cls=None):
    if task_id in _TASKS:
        raise ValueError(f"{task_id} is registered already")
    _TASKS[task_id] = (env_cfg, play_env_cfg, rl_cfg, runner_cls)


def list_tasks():
    return sorted(_TASKS)


def load_env_cfg(task_name, play=False):
    return deepcopy(_TASKS[task_name][1 if play else 0])


def load_rl_cfg(task_name):
    return deepcopy(_TASKS[task_name][2])


def load_runner_cls(task_name):
    return _TASKS[task_name][3]
