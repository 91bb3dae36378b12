"""Inserts a reward into a task module of IsaacGymEnvs, using its syntax tree; the module is not executed.

The module's text is kept. The reward is appended as a scripted function, with `eureka_state(task)`, which returns the
State fields that it reads. At the end of the task's `compute_reward`, the reward is computed and written to `rew_buf`.
Resets, and everything else in the method, are unchanged.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eureka.core.errors import EurekaError
from eureka.core.types import FieldSpec
from eureka.reward.export.text import docstring, literals, paragraph

_METHOD = "compute_reward"
_LABEL = "# NEVER EXECUTED: a reward that Eureka found was put into this task by its syntax tree, without Isaac Gym."
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "action": ("actions",),
    "previous_action": ("prev_actions", "last_actions", "previous_actions"),
    "joint_position": ("dof_pos",),
    "joint_pos": ("dof_pos",),
    "joint_velocity": ("dof_vel",),
    "joint_vel": ("dof_vel",),
    "contact_force": ("contact_forces",),
    "command": ("commands",),
}
"""By name of a State field, attributes of IsaacGymEnvs' tasks with the same meaning."""
_BODIES = ("torso", "root", "base")
_ROOT: Mapping[str, str] = {
    "position": "[:, 0:3]",
    "pos": "[:, 0:3]",
    "pos_w": "[:, 0:3]",
    "orientation": "[:, [6, 3, 4, 5]]",
    "quat_w": "[:, [6, 3, 4, 5]]",
    "velocity": "[:, 7:10]",
    "linear_velocity": "[:, 7:10]",
    "lin_vel_w": "[:, 7:10]",
    "angular_velocity": "[:, 10:13]",
    "ang_vel_w": "[:, 10:13]",
}
"""By what follows a body's name in a State field's, the columns of `root_states`, in the world frame: position,
quaternion (x y z w there, w x y z in a State), linear and angular velocity."""
_QUATERNIONS = ("orientation", "quat_w")
_FORWARD_VELOCITY = "[:, 7]"


@dataclass(frozen=True)
class IsaacGymTask:
    """The new module, and what the user has to check before using it.

    Attributes:
        text: of the module.
        taken: State fields that were found in the task, each with its expression.
        open: State fields that were not found, which the user must fill in in `eureka_state`.
    """

    text: str
    taken: Mapping[str, str]
    open: tuple[str, ...]


def put_into_task(source: str, name: str, module: str, fields: Sequence[FieldSpec]) -> IsaacGymTask:
    """The task module `source` with the exported reward `module` in it.

    Args:
        name: name of the source, for messages.
        fields: the State of the task for which the reward was found.

    Raises:
        EurekaError: the source is not such a module, or already uses the inserted names.
    """
    try:
        tree = ast.parse(source, filename=name)
    except (SyntaxError, ValueError) as error:
        raise EurekaError(f"{name}: not a Python module: {error}") from error
    task, method = _task(tree, name)
    specs = {field.name: field for field in fields}
    reward = ast.parse(module)
    inputs = _inputs(reward)
    imports = _new_imports(reward, tree, name)
    taken = {field: found for field in inputs if (found := _expression(specs[field], task)) is not None}
    missing = tuple(field for field in inputs if field not in taken)
    lines = source.splitlines()
    at, indent = _end_of(method)
    call = [
        "# Put in by Eureka, never executed: this reward in place of the one above; what ends an episode stays.",
        "self.rew_buf[:], eureka_components = compute_eureka_reward(*eureka_state(self))",
        'self.extras["reward_components"] = {name: value.mean() for name, value in eureka_components.items()}',
    ]
    lines[at:at] = [" " * indent + line for line in call]
    tail = [
        "",
        "",
        *imports,
        "",
        "",
        *_state_function(inputs, specs, taken, task.name),
        "",
        "",
        *_function(module, reward),
    ]
    text = "\n".join([_LABEL, *lines, *tail]) + "\n"
    compile(text, name, "exec", dont_inherit=True)
    return IsaacGymTask(text, taken, missing)


def _task(tree: ast.Module, name: str) -> tuple[ast.ClassDef, ast.FunctionDef]:
    """The first class with a method `compute_reward`."""
    for found in tree.body:
        if isinstance(found, ast.ClassDef):
            for part in found.body:
                if isinstance(part, ast.FunctionDef) and part.name == _METHOD:
                    return found, part
    raise EurekaError(f"{name}: no class in it has a method {_METHOD}(self, ...), as IsaacGymEnvs' tasks have")


def _end_of(method: ast.FunctionDef) -> tuple[int, int]:
    """The line number, counted from 0, and the indentation for a statement appended to a method."""
    last = method.body[-1]
    if isinstance(last, ast.Return):
        return last.lineno - 1, last.col_offset
    assert last.end_lineno is not None
    return last.end_lineno, method.body[0].col_offset


def _inputs(reward: ast.Module) -> tuple[str, ...]:
    for node in reward.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "INPUTS":
            assert node.value is not None
            return tuple(ast.literal_eval(node.value))
    raise EurekaError("the exported module names no inputs")


def _expression(field: FieldSpec, task: ast.ClassDef) -> str | None:
    """The expression for a State field in terms of the task's attributes, found by name; None if there is none."""
    held = {
        node.attr
        for node in ast.walk(task)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    for name in (field.name, *_ALIASES.get(field.name, ())):
        if name in held:
            return f"task.{name}"
    columns = _root_columns(field)
    return f"task.root_states{columns}" if columns and "root_states" in held else None


def _root_columns(field: FieldSpec) -> str | None:
    """The columns of `root_states` that hold a field of the main body; None if it is of something else, or in another
    frame than the world's."""
    if field.frame != "world":
        return None
    if field.name == "forward_velocity":
        return _FORWARD_VELOCITY if field.shape == () else None
    body, _, quantity = field.name.partition("_")
    known = body in _BODIES and field.shape == ((4,) if quantity in _QUATERNIONS else (3,))
    return _ROOT.get(quantity) if known else None


def _bound(tree: ast.Module) -> dict[str, str]:
    """The names that a module binds, with the import statement that binds each; empty text if it is not an import."""
    names: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.partition(".")[0]: f"{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names[node.name] = ""
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id: "" for target in targets if isinstance(target, ast.Name)}
    return names


def _new_imports(reward: ast.Module, tree: ast.Module, name: str) -> list[str]:
    """The imports of the reward; none may conflict with a name of the module."""
    there = _bound(tree)
    lines = []
    for node in reward.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            lines.append(f"{ast.unparse(node)}  # noqa: E402")
            for bound, meaning in _bound(ast.Module([node], [])).items():
                if there.get(bound, meaning) != meaning:
                    raise EurekaError(
                        f"{name}: the reward needs {ast.unparse(node)}, and {bound} is another thing there"
                    )
    for taken in ("compute_eureka_reward", "eureka_state"):
        if taken in there:
            raise EurekaError(f"{name}: it defines {taken} already: give the task module as it was")
    return lines


def _state_function(
    inputs: Sequence[str], specs: Mapping[str, FieldSpec], taken: Mapping[str, str], task: str
) -> list[str]:
    told = [
        "The State fields that the reward reads, in the order of its parameters.",
        "",
        f"    What each of them is was taken from the names of {task}'s attributes: look at shape, unit and frame.",
    ]
    lines = ["def eureka_state(task):", *docstring(told, 4)]
    for field in inputs:
        spec = specs[field]
        shape = ", ".join(["num_envs", *map(str, spec.shape)]) + ("" if spec.shape else ",")
        facts = [f"({shape})", spec.unit, f"{spec.frame} frame" if spec.frame else "", spec.description]
        text = f"{field}: {', '.join(fact for fact in facts if fact)}"
        lines += [f"    # {line.strip()}" for line in paragraph(text, 6)]
        if field in taken:
            lines.append(f"    {field} = {taken[field]}")
        else:
            lines.append(f"    {field} = None")
            lines.append(f"    raise NotImplementedError({' '.join(literals(f'say what {field} is in {task}', 90))})")
    return [*lines, f"    return {', '.join(inputs)}{',' if len(inputs) == 1 else ''}"]


def _function(module: str, reward: ast.Module) -> list[str]:
    """`compute_reward` of the exported module with constants inlined as numbers, so that the module gets no new
    ones."""
    values = {
        node.target.id: ast.get_source_segment(module, node.value) or ""
        for node in reward.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None
    }
    function = next(node for node in reward.body if isinstance(node, ast.FunctionDef) and node.name == _METHOD)
    lines = module.splitlines()
    for default in function.args.defaults:
        if isinstance(default, ast.Name):
            row, start, end = default.lineno - 1, default.col_offset, default.end_col_offset
            lines[row] = lines[row][:start] + values[default.id] + lines[row][end:]
    assert function.end_lineno is not None
    first, *rest = lines[function.lineno - 1 : function.end_lineno]
    return ["@torch.jit.script", first.replace(f"def {_METHOD}(", "def compute_eureka_reward(", 1), *rest]
