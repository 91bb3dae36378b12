"""Configurations by the ids of tasks."""

from importlib import import_module

import gymnasium


def _load(entry):
    module, _, name = entry.partition(":")
    return getattr(import_module(module), name)()


def resolve_task_config(task_name, agent_cfg_entry_point, play_mode=False, overrides=None):
    options = gymnasium.spec(task_name).kwargs
    return _load(options["env_cfg_entry_point"]), _load(options[agent_cfg_entry_point])
