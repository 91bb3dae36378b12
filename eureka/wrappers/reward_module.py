"""An exported reward module as a function of a task's State."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from eureka.core.errors import EurekaError, TaskError
from eureka.tasks import GymState, Task, load_task
from eureka.tasks.gym_state import CarryReader

_NAMES = ("INPUTS", "COMPONENTS", "compute_reward_from_state")

Tensors = Mapping[str, torch.Tensor]


class StepReward(NamedTuple):
    """Of one step: the total (num_envs,) and every component (num_envs,) by its name."""

    total: torch.Tensor
    components: Tensors


@dataclass(frozen=True)
class RewardModule:
    """A module that `eureka export` wrote, loaded from `path`.

    `task` is the name of the task that it belongs to, None where the module does not say; `inputs` are the State
    fields that it reads.
    """

    path: Path
    task: str | None
    inputs: tuple[str, ...]
    components: tuple[str, ...]
    function: Callable[[dict[str, torch.Tensor]], tuple[torch.Tensor, dict[str, torch.Tensor]]]

    @torch.no_grad()
    def __call__(self, state: Tensors) -> StepReward:
        """The reward of a State, given as its fields by name, each (num_envs, ...)."""
        return StepReward(*self.function({name: state[name] for name in self.inputs}))

    def load_task(self, name: str | None = None, task_dirs: Sequence[str | Path] = ()) -> Task:
        """The task that gives this module its State: `name`, or where that is None the one that the module names.

        Raises:
            TaskError: no task is named, or it lacks a State field that the module reads.
        """
        wanted = name or self.task
        if wanted is None:
            raise TaskError(f"{self.path}: names no task; say which one it belongs to with task=NAME")
        task = load_task(wanted, task_dirs)
        missing = [field for field in self.inputs if field not in {spec.name for spec in task.fields}]
        if missing:
            raise TaskError(
                f"{self.path}: reads {missing[0]!r}, which is no field of the State of task `{wanted}`; "
                "give the task that it was found on"
            )
        return task


def state_reader(task: Task, env: Any, carry: Mapping[str, CarryReader]) -> GymState:
    """Reads the task's State from `env`, as the task does, or with these readers of its Carry; see `GymState`."""
    return GymState(task, env, carry) if carry else task.state_from_gym(env)


def load_reward(path: str | Path) -> RewardModule:
    """Load a module that `eureka export` wrote, or `best/reward.py` of a run.

    The file is run as a program of the user's own, outside any sandbox. A file that does not even have the form of an
    exported module, such as a candidate's `source.py`, is refused unrun.

    Raises:
        EurekaError: the file cannot be read, is no exported module, or fails when it is run.
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
    # TorchScript and tracebacks read the source by the module's file, so it is imported and not just executed.
    spec = importlib.util.spec_from_file_location(f"eureka_reward_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise EurekaError(f"{path}: the reward module fails when it is run: {type(error).__name__}: {error}") from error
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
