"""The house has floors: every module imports only from floors below its own, with no exception."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FLOORS: tuple[frozenset[str], ...] = tuple(
    map(
        frozenset,
        [
            {"__main__", "api"},
            {"app"},
            {"ui.web"},
            {"ui.report", "ui.tracking"},
            {"ui.console", "ui.video"},
            {"evaluation"},
            {"search"},
            {"proposers", "trainers"},
            {"wrappers"},
            {"config", "store"},
            {"reward.export", "reward.analysis"},
            {"reward.trace"},
            {"reward.graph"},
            {"reward.extract"},
            {"prompts", "tasks"},
            {"physics", "sandbox"},
            {"core"},
        ],
    )
)
"""From the top. Rooms that share a floor do not know each other."""

FLOOR_OF = {room: number for number, floor in enumerate(FLOORS) for room in floor}
LOOSE = {"__init__", "__main__", "api"}


def modules() -> list[Path]:
    """Every module of the package, by its path below `eureka/`."""
    inside = ROOT / "eureka"
    linked = [path for name in ("prompts", "sandbox", "tasks") for path in (inside / name).glob("**/*.py")]
    return sorted({path.relative_to(inside) for path in [*inside.glob("**/*.py"), *linked]})


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file, which several tests walk through."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> set[str]:
    """What a module imports of eureka, anywhere in it, such as `search.loop.evolve`."""
    names: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.removeprefix("eureka.") for name in names if name.startswith("eureka.")} - {"__version__"}


def room_of(parts: tuple[str, ...]) -> str | None:
    """The room that a module is in: `ui.report` for `ui/report/charts.py`; None for a package that has only rooms."""
    return next((room for room in (".".join(parts[:2]), parts[0]) if room in FLOOR_OF), None)


@pytest.mark.parametrize("module", modules(), ids=str)
def test_imports_point_down(module: Path) -> None:
    parts = module.with_suffix("").parts
    if parts == ("__init__",):
        return  # the package's front door: what it offers is loaded from `eureka.api` when it is asked for
    room = room_of(parts)
    if room is None:
        assert parts[-1] == "__init__", f"eureka/{module}: on no floor of this test"
        assert not imported(ROOT / "eureka" / module), f"eureka/{module}: a folder of rooms imports nothing"
        return
    for name in imported(ROOT / "eureka" / module):
        other = room_of(tuple(name.split(".")))
        assert other is not None, f"eureka/{module} imports {name}, which is on no floor"
        below = FLOOR_OF[other] > FLOOR_OF[room]
        assert other == room or below, f"eureka/{module} imports {name}, which is not on a floor below `{room}`"


def test_no_module_lies_loose() -> None:
    assert {path.stem for path in (ROOT / "eureka").glob("*.py")} == LOOSE


def test_imports_are_found(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text(
        "import eureka\nimport eureka.trainers.population.ppo\nfrom eureka import tasks, __version__\n"
        "def f():\n    from eureka.proposers.base import Proposer\n"
    )
    assert imported(source) == {"trainers.population.ppo", "tasks", "proposers.base.Proposer"}


@pytest.mark.parametrize("module", modules(), ids=str)
def test_processes_are_started_in_one_place(module: Path) -> None:
    """By `core.processes`, whose commands have `-P`: `python -m` alone looks for every module in the current folder
    first, which is the user's, or a run that came by mail. (The sandbox's zygote forks, which imports nothing.)"""
    if module.as_posix() == "core/processes.py":
        return
    for node in ast.walk(parsed(ROOT / "eureka" / module)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names = [ast.unparse(node)]
        for name in names:
            starts = name.startswith(("subprocess", "multiprocessing.Process", "os.exec", "os.spawn", "os.posix_spawn"))
            starts |= name in ("os.system", "os.popen", "os.forkpty", "multiprocessing")
            assert not starts, f"eureka/{module}:{node.lineno}: {name}: see core/processes.py"


def test_every_public_class_name_stands_for_one_class() -> None:
    found: dict[str, list[Path]] = {}
    for module in modules():
        for node in parsed(ROOT / "eureka" / module).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(module)
    of_tasks = {"Carry", "State"}
    assert {name: places for name, places in found.items() if len(places) > 1 and name not in of_tasks} == {}


def test_scripts_import_what_is_there() -> None:
    """Of benchmarks and of what writes the docs, which few tests run and mypy does not check."""
    scripts = [*ROOT.glob("benchmarks/**/*.py"), *ROOT.glob("docs/*.py")]
    missing = [
        f"{script.relative_to(ROOT)}: {name}" for script in scripts for name in imported(script) if not is_defined(name)
    ]
    assert len(scripts) > 20
    assert not missing
    assert not is_defined("search.loop.evolved")


def is_defined(name: str) -> bool:
    """Whether `search.loop` or `search.loop.evolve` is a module, or a name that one binds."""
    path = ROOT / "eureka" / name.replace(".", "/")
    if path.with_suffix(".py").exists() or path.is_dir():
        return True
    module = path.parent / "__init__.py" if path.parent.is_dir() else path.parent.with_suffix(".py")
    bound: set[str] = set()
    for node in ast.walk(parsed(module)) if module.exists() else ():
        match node:
            case ast.ClassDef(name=found) | ast.FunctionDef(name=found) | ast.Name(id=found, ctx=ast.Store()):
                bound.add(found)
            case ast.alias():
                bound.add(node.asname or node.name)
    return path.name in bound
