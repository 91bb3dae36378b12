"""Writes one file with a reward, its task's State and the wrappers, for use where Eureka is not installed."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import jinja2

from eureka.core.errors import EurekaError, TaskError
from eureka.reward.export import module_parts
from eureka.tasks import Task
from eureka.wrappers.source_parts import Parts, name_of, task_classes

_OWN = ("Task", "state_field")
"""Names that the file defines itself, in place of ours."""
_IMPORTS = (
    "import dataclasses",
    "from collections.abc import Mapping",
    "from pathlib import Path",
    "from types import MappingProxyType, SimpleNamespace",
    "from typing import Any",
    "import torch",
    "from gymnasium.utils import RecordConstructorArgs",
)
_USE = """
The reward with wrappers for Gymnasium, in one file: it needs torch, numpy and gymnasium (1.0 or
newer), and the mujoco of the environment (3.1 or newer). Put it beside your training script:

    from {name} import RewardWrapper, VectorRewardWrapper

    env = RewardWrapper(gymnasium.make({identity}))
    envs = VectorRewardWrapper(gymnasium.make_vec({identity}, num_envs=8, vectorization_mode="sync"))
"""


def single_file(module: str, task: Task, name: str) -> str:
    """The text of the file.

    Args:
        module: the exported module's text.
        task: the task that provides the State.
        name: module name of the file.

    Raises:
        EurekaError: the task uses something that only Eureka has.
    """
    support, described, wrappers = Parts(_OWN), Parts(_OWN), Parts(_OWN)
    support.add("eureka.core.errors", ("EurekaError", "TaskError"))
    support.add("eureka.tasks.rng", ("Rng",))
    support.add("eureka.physics.base", ("WorldStates", "Snapshot"))
    support.add("eureka.tasks.metric", ("Metric",))
    support.add("eureka.tasks.base", ("NoCarry", "state_tensors"))
    support.add("eureka.tasks.gym_state", ("GymState",))
    described.know(support)
    described.add_task(type(task))
    wrappers.know(support, described)
    for source in ("reward_module", "episode_metric", "goals", "readers", "rewarded"):
        wrappers.add_module(f"eureka.wrappers.{source}")
    head, reward = module_parts(module)
    imports = [*_IMPORTS, *support.imports, *described.imports, *wrappers.imports]
    identity = f'"{task.info.gymnasium_id}"' if task.info.gymnasium_id else "..."
    text = _template().render(
        head=head + "\n" + _USE.format(name=name, identity=identity),
        imports="\n".join(_merged(imports)),
        reward=reward,
        support=support.code.strip(),
        task=described.code.strip(),
        wrappers=wrappers.code.strip(),
        outputs=repr(tuple(task.info.outputs)),
        has_metric=task.info.has_metric,
        max_episode_steps=task.info.max_episode_steps,
        sizes=(task.model.nq, task.model.nv, task.model.nu),
        control_timestep_s=repr(task.control_timestep_s),
        num_actions=task.num_actions,
        has_own_control=task.has_own_control,
        task_class=task_classes(type(task))[-1].__name__,
    )
    try:
        _require_one_each(ast.parse(text), task)
    except SyntaxError as error:
        raise EurekaError(
            f"the file for task {task.info.name} was written as invalid Python (line {error.lineno}: {error.msg}); "
            "please report this"
        ) from error
    return text


def _merged(imports: Iterable[str]) -> list[str]:
    """Import statements merged to one line per module, sorted."""
    plain: set[str] = set()
    named: dict[str, set[str]] = {}
    for statement in imports:
        (node,) = ast.parse(statement).body
        if isinstance(node, ast.ImportFrom):
            named.setdefault(node.module or "", set()).update(ast.unparse(alias) for alias in node.names)
        else:
            plain.add(statement)
    return [
        *sorted(plain),
        *(f"from {source} import {', '.join(sorted(names))}" for source, names in sorted(named.items())),
    ]


def _require_one_each(tree: ast.Module, task: Task) -> None:
    """Raise TaskError if the task's module defines a name that the file needs itself."""
    seen: set[str] = set()
    for node in tree.body:
        name = name_of(node)
        if name in seen and not isinstance(node, ast.AnnAssign):
            raise TaskError(
                f"{task.folder / 'env.py'}: defines `{name}`, which a file that stands alone needs itself: rename it"
            )
        seen.add(name or "")


def _template() -> jinja2.Template:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, autoescape=False)
    path = Path(__file__).with_name("single_file.jinja2")
    return environment.from_string(path.read_text(encoding="utf-8") + "\n")
