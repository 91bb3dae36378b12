"""Loading an exported reward module, and the task that it belongs to."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

from eureka.core.errors import EurekaError, TaskError
from eureka.core.missing import what_failed
from eureka.core.paths import Folders
from eureka.tasks import Task, load_task
from eureka.wrappers.reward_module import RewardModule

_NAMES = ("INPUTS", "COMPONENTS", "compute_reward_from_state")


def load_task_of(module: RewardModule, name: str | None = None, task_dirs: Folders = ()) -> Task:
    """The task that provides a module's State: `name`, or if that is None, the one that the module names.

    Raises:
        TaskError: no task is named, or it lacks a State field that the module reads.
    """
    wanted = name or module.task
    if wanted is None:
        raise TaskError(f"{module.path}: names no task; say which one it belongs to with task=NAME")
    task = load_task(wanted, task_dirs)
    missing = [field for field in module.inputs if field not in {spec.name for spec in task.fields}]
    if missing:
        raise TaskError(
            f"{module.path}: reads {missing[0]!r}, which is no field of the State of task `{wanted}`; "
            "give the task that it was found on"
        )
    return task


def load_reward(path: str | Path) -> RewardModule:
    """Load a module that `eureka export` wrote, or `best/reward.py` of a run.

    The file is executed as the user's own program, outside any sandbox. A file without the form of an exported module,
    such as a candidate's `source.py`, is refused without executing it.

    Raises:
        EurekaError: the file cannot be read, is not an exported module, or fails when executed.
    """
    path = Path(path)
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except OSError as error:
        raise EurekaError(f"{path}: the reward module cannot be read: {error.strerror}") from error
    except (SyntaxError, ValueError) as error:
        raise EurekaError(f"{path}: not a Python module: {error}") from error
    missing = [name for name in _NAMES if name not in _defined(tree)]
    if missing:
        raise EurekaError(
            f"{path}: no exported reward module, it lacks {missing[0]}; `eureka export DIR --to reward.py` writes one"
        )
    # TorchScript and tracebacks read the source from the module's file, so it is imported, not just executed.
    spec = importlib.util.spec_from_file_location(f"eureka_reward_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise EurekaError(f"{path}: the reward module fails when it is run: it {what_failed(error)}") from error
    return RewardModule(
        path=path,
        task=getattr(module, "TASK", None),
        inputs=tuple(module.INPUTS),
        components=tuple(module.COMPONENTS),
        function=module.compute_reward_from_state,
    )


def _defined(tree: ast.Module) -> set[str]:
    """The names that a module's own statements define."""
    names = set()
    for statement in tree.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names.add(statement.target.id)
        elif isinstance(statement, ast.Assign):
            names |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
        elif isinstance(statement, ast.FunctionDef):
            names.add(statement.name)
    return names
