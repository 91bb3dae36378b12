"""Writes a reward as a package for mjlab, Isaac Lab or ManiSkill: a new task with the reward in it."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from eureka.core.errors import EurekaError
from eureka.reward.graph.format import Graph, NodeRef, Ref
from eureka.reward.graph.parse import parse_graph
from eureka.trainers.remote.inside.reward_terms import term_names
from eureka.trainers.remote.inside.state import TERM
from eureka.trainers.remote.package_modules import ISAACLAB_MODULE, ISAACLAB_TERMS, MANISKILL_MODULE, MJLAB_MODULE

MJLAB, ISAACLAB, MANISKILL = "mjlab", "isaaclab", "maniskill"
DISTRIBUTIONS = {MJLAB: "mjlab", ISAACLAB: "isaaclab", MANISKILL: "mani_skill"}
"""The names under which the simulators are installed."""
TRIED = {MJLAB: ("1.6.0",), ISAACLAB: ("3.0.0",), MANISKILL: ("3.0.1",)}
"""The versions that packages and trainings were tested with; for Isaac Lab only its cartpole, on the CPU."""
_COPIED = ("state", "reward_terms")


def requirement(simulator: str) -> str:
    """What pip is asked for: the last version that was tried."""
    return f"{DISTRIBUTIONS[simulator]}=={TRIED[simulator][-1]}"


@dataclass(frozen=True)
class TermPackage:
    """The content of a package.

    Attributes:
        simulator: `mjlab`, `isaaclab` or `maniskill`.
        task: the id of the task whose reward table is replaced.
        candidate: the reward's candidate.
        graph: its verified graph, as JSON text.
        module: the graph as text of a standalone module, see `eureka.reward.export`.
        known: the fields of the task's own State, if the reward was found on this task; otherwise empty.
        state: the user's file with further fields.
    """

    simulator: str
    task: str
    candidate: str
    graph: str
    module: str
    known: frozenset[str] = frozenset()
    state: Path | None = None

    @property
    def name(self) -> str:
        """The package's name, an identifier."""
        words = "".join(c.lower() if c.isascii() and c.isalnum() else "_" for c in self.task).strip("_")
        return f"eureka_{words}"

    @property
    def table_fields(self) -> list[str]:
        """What the reward reads of the task's own reward table, and the user's file does not give."""
        own = declared_fields(self.state) if self.state is not None else frozenset()
        inputs = parse_graph(self.graph).inputs
        return [name for name in inputs if name.startswith(TERM) and name in self.known - own]

    @property
    def new_task(self) -> str:
        """The id of the task with this reward; Isaac Lab's ids may end in a version."""
        head, version, number = self.task.rpartition("-v")
        return f"{head}-Eureka-v{number}" if version and number.isdigit() else f"{self.task}-Eureka"


def write_package(package: TermPackage, folder: Path) -> None:
    """Write the package into a folder, which must be new or empty.

    Raises:
        EurekaError: the folder is not empty, or the reward reads a field that is not available.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", package.task):
        raise EurekaError(f"{package.task!r:.80}: no id of a task: letters, digits, `-`, `_` and `.` are what it has")
    graph = parse_graph(package.graph)
    _require_fields(package, graph)
    texts = {f"{package.name}/{name}.py": _inside(name) for name in _COPIED}
    if package.simulator == MANISKILL:
        texts[f"{package.name}/maniskill_view.py"] = _inside("maniskill_view")
    texts[f"{package.name}/reward.py"] = package.module
    texts[f"{package.name}/__init__.py"] = _task_module(package, graph)
    if package.simulator == ISAACLAB:
        texts[f"{package.name}/terms.py"] = ISAACLAB_TERMS
    texts["pyproject.toml"] = _project(package)
    texts["README.md"] = _readme(package, graph)
    if package.state is not None:
        texts[f"{package.name}/own_state.py"] = package.state.read_text(encoding="utf-8")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise EurekaError(f"{folder}: it is there already and not empty: give another folder with --output")
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise EurekaError(f"{folder}: the package cannot be written there: {error.strerror}") from error


def adds_up(graph: Graph) -> bool:
    """Whether the total is exactly the sum of the components, each added once."""
    rest = [component.value for component in graph.components]
    waiting: list[Ref] = [graph.total]
    while waiting:
        part = waiting.pop()
        if part in rest:
            rest.remove(part)
            continue
        node = graph.nodes[part.index] if isinstance(part, NodeRef) and part.item is None else None
        terms = node.args if node is not None and node.op == "add.Tensor" and not node.kwargs else ()
        summed = [term for term in terms if isinstance(term, Ref)]
        if len(summed) != 2:
            return False
        waiting += summed
    return not rest


def declared_fields(file: Path) -> frozenset[str]:
    """The names that a user's state file declares, read without running it.

    Raises:
        EurekaError: the file cannot be read, or its `FIELDS` cannot be determined without running it.
    """
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except OSError as error:
        raise EurekaError(f"{file}: the state file cannot be read: {error.strerror}") from error
    except (SyntaxError, ValueError) as error:
        raise EurekaError(f"{file}: not a Python module: {error}") from error
    for node in tree.body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        if any(isinstance(target, ast.Name) and target.id == "FIELDS" for target in targets):
            value = getattr(node, "value", None)
            if isinstance(value, ast.Dict) and all(isinstance(key, ast.Constant) for key in value.keys):
                return frozenset(str(key.value) for key in value.keys if isinstance(key, ast.Constant))
    raise EurekaError(f"{file}: it must define FIELDS as a dictionary with names in quotes, and state(env)")


def _require_fields(package: TermPackage, graph: Graph) -> None:
    own = declared_fields(package.state) if package.state is not None else frozenset()
    missing = [name for name in graph.inputs if name not in package.known | own]
    if missing:
        given = f"{package.state} does not give" if package.state else "no --state FILE gives"
        raise EurekaError(
            f"the reward of {package.candidate} reads {', '.join(missing)}, which {given}: the file defines FIELDS = "
            f"{{name: (unit, frame, description)}} and state(env), the tensors (num_envs, ...) of {package.task}"
        )


def _inside(name: str) -> str:
    return files("eureka.trainers.remote.inside").joinpath(f"{name}.py").read_text(encoding="utf-8")


def _project(package: TermPackage) -> str:
    # ManiSkill looks for no entry points: its package is imported by name.
    entry = f'[project.entry-points."{package.simulator}.tasks"]\n{package.name} = "{package.name}"\n'
    text = textwrap.dedent(f"""\
        [build-system]
        requires = ["setuptools>=61"]
        build-backend = "setuptools.build_meta"

        [project]
        name = "{package.name.replace("_", "-")}"
        version = "0.1.0"
        description = "A reward that Eureka found, as terms of a reward manager"
        requires-python = ">=3.10"

        [tool.setuptools]
        packages = ["{package.name}"]
        """)
    return text if package.simulator == MANISKILL else f"{text}\n{entry}"


def train_command(package: TermPackage) -> str:
    """The simulator's own command that trains the new task; of ManiSkill, which has none, how it is made."""
    if package.simulator == MANISKILL:
        return f"import {package.name}; env = gymnasium.make({package.new_task!r}, obs_mode='state')"
    if package.simulator == MJLAB:
        return f"train {package.new_task} --env.scene.num-envs 4096"
    return f"isaaclab train --rl_library rsl_rl --task {package.new_task}"


def _readme(package: TermPackage, graph: Graph) -> str:
    tried = ", ".join(TRIED[package.simulator])
    against = "" if package.simulator != ISAACLAB else ", where the cartpole of either workflow was tried on the CPU"
    terms = "".join(f"- `{term}`\n" for term in term_names(_components(graph), adds_up=adds_up(graph)))
    scaled = (
        "Nothing is scaled."
        if package.simulator == MANISKILL
        else (
            "The manager multiplies every term by the control step in seconds, as it does with its own: a term of 1\n"
            "adds 0.05 to the return in a step of 0.05 s. Nothing else is scaled."
        )
    )
    is_table = package.simulator != MANISKILL
    place, listed = ("its reward table", "Terms, each with weight 1") if is_table else ("its own", "Components")
    return (
        f"# {package.new_task}\n\n"
        f"The task {package.task} with a reward that Eureka found in place of {place}. Written for\n"
        f"{package.simulator} {tried}{against}. In the environment that has it:\n\n"
        f"    pip install --no-deps .\n    {train_command(package)}\n\n"
        f"{listed}:\n\n{terms}\n{scaled}\n\n"
        f"`reward.py` is the reward, `state.py` reads what it is given from the environment, `reward_terms.py`\n"
        "computes it once in a step for all terms.\n"
    )


def _components(graph: Graph) -> Sequence[str]:
    return [component.name for component in graph.components]


def _task_module(package: TermPackage, graph: Graph) -> str:
    own = 'str(Path(__file__).parent / "own_state.py")' if package.state is not None else "None"
    body = {MJLAB: MJLAB_MODULE, ISAACLAB: ISAACLAB_MODULE, MANISKILL: MANISKILL_MODULE}[package.simulator]
    terms: Mapping[str, str] = term_names(_components(graph), adds_up=adds_up(graph))
    lines = "".join(f"    {term!a}: {component!a},\n" for term, component in terms.items())
    return (
        body.replace("@TASK@", ascii(package.task))
        .replace("@GROUP@", ascii(f"{package.simulator}.tasks"))
        .replace("@KNOWN@", "list_tasks()" if package.simulator == MJLAB else "gymnasium.registry")
        .replace("@NEW_TASK@", ascii(package.new_task))
        .replace("@OWN@", own)
        .replace("@READS_TABLE@", str(bool(package.table_fields)))
        .replace("@TERMS@", lines)
    )
