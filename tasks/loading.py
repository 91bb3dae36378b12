"""Finding and loading task folders."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType

from eureka.core.errors import TaskError
from eureka.core.missing import what_failed
from eureka.core.paths import Folders, path_list
from eureka.tasks.base import Task
from eureka.tasks.checks import check_task, line_in
from eureka.tasks.info import read_info
from eureka.tasks.preference import without_metric


def find_tasks(task_dirs: Folders = ()) -> dict[str, Path]:
    """Every task's name and folder: those of this package, and those in `task_dirs`, which take precedence.

    A directory in `task_dirs` may hold task folders, or be one itself.
    """
    found: dict[str, Path] = {}
    for directory in (Path(__file__).parent, *path_list(task_dirs)):
        if not directory.is_dir():
            raise TaskError(f"{directory}: no such directory (given as --task-dir)")
        own = [directory] if (directory / "task.yaml").is_file() else []
        for folder in own + sorted(p.parent for p in directory.glob("*/task.yaml")):
            found[folder.resolve().name] = folder.resolve()
    return dict(sorted(found.items()))


def load_task(name: str, task_dirs: Folders = ()) -> Task:
    """Load one task and check it by stepping it once.

    Raises:
        TaskError: the task does not exist, or its folder violates the contract; the message says which part and where.
    """
    folders = find_tasks(task_dirs)
    if name not in folders:
        near = difflib.get_close_matches(name, folders, n=1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise TaskError(f"there is no task `{name}`; tasks: {', '.join(folders)}.{hint} (--task-dir adds folders)")
    folder = folders[name]
    info = read_info(folder)
    module = _import(name, folder / "env.py")
    classes = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Task) and value.__module__ == module.__name__
    ]
    if len(classes) != 1:
        raise TaskError(
            f"{folder / 'env.py'}: must define exactly one subclass of eureka.tasks.Task, has {len(classes)}"
        )
    cls = classes[0]
    if not info.has_metric:
        if "metric" not in cls.__abstractmethods__:
            raise TaskError(f"{folder / 'env.py'}: {cls.__name__} has a metric, and task.yaml says fitness: preference")
        cls = without_metric(cls)
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(cls.__abstractmethods__))
        raise TaskError(f"{folder / 'env.py'}: class {cls.__name__} lacks {missing}")
    task: Task = cls(info, folder)
    check_task(task)
    return task


def _import(name: str, path: Path) -> ModuleType:
    """Import a task's env.py: the user's own code, not a model's."""
    module_name = f"eureka_task_{name}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise TaskError(f"{path}: missing; a task folder holds task.yaml and env.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise TaskError(f"{path}{line_in(error, path)}: it {what_failed(error)}") from error
    return module
