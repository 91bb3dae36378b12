"""Imports point one way: every module may import only what stands below it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

BASE = {"beside", "interpreter", "errors", "types", "serialize", "code_blocks", "answer_text", "advice", "state_inputs"}
BASE |= {"definitions"}
PARTS = BASE | {"physics", "sandbox", "tasks", "reward", "prompts", "llm", "extract", "reflect"}
WORKERS = PARTS | {"rl", "export", "wrappers", "video", "analysis"}
TOP = {
    *("config", "wiring", "models", "spending", "estimate", "fates"),
    *("session", "console", "tracking", "doctor"),
    *("filming", "remarks"),
    *("comparing", "checking", "check_page", "api", "multirun", "play"),
    *("dry_run", "review", "exporting", "cli_pages", "cli", "__main__"),
}

MAY_IMPORT = {
    "__init__": {"api"},
    "beside": set(),
    "interpreter": set(),
    "errors": set(),
    "types": set(),
    "serialize": {"types"},
    "code_blocks": {"types", "errors"},
    "answer_text": {"types", "errors"},
    "advice": {"types", "errors"},
    "state_inputs": {"types"},
    "definitions": {"code_blocks", "state_inputs", "types"},
    "physics": BASE,
    "sandbox": BASE,
    "prompts": BASE,
    "llm": BASE,
    "extract": BASE,
    "reflect": BASE,
    "tasks": BASE | {"physics"},
    "reward": BASE | {"sandbox"},
    "rl": BASE | {"physics", "tasks", "reward"},
    "export": BASE | {"physics", "tasks", "reward"},
    "wrappers": BASE | {"physics", "tasks", "reward", "export"},
    "analysis": BASE | {"physics", "tasks", "reward", "rl"},
    "video": BASE | {"physics", "tasks", "reward", "rl"},
    "store": WORKERS,
    "search": WORKERS | {"store"},
    "comparison": WORKERS | {"store", "search"},
    "report": WORKERS | {"store", "search", "comparison", "config"},
    "live": WORKERS | {"store", "search", "comparison", "report"},
    "asking": WORKERS | {"store"},
    "feedback": WORKERS | {"store"},
    "loop": WORKERS | {"store", "search", "report", "asking", "feedback"},
    **dict.fromkeys(
        TOP, WORKERS | TOP | {"store", "search", "comparison", "report", "live", "asking", "feedback", "loop"}
    ),
}


def modules() -> list[Path]:
    """Every module of the package, by its path below `eureka/`."""
    inside = ROOT / "eureka"
    linked = [path for name in ("prompts", "sandbox", "tasks") for path in (inside / name).glob("**/*.py")]
    return sorted({path.relative_to(inside) for path in [*inside.glob("**/*.py"), *linked]})


def imported(path: Path) -> set[str]:
    """The parts of eureka that a module imports, anywhere in it: `rl` for `from eureka.rl.ppo import ...`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in names]
    return {part[1] for part in parts if part[0] == "eureka" and len(part) > 1} - {"__version__"}


def part_of(module: Path) -> str:
    """`rl` for `rl/ppo.py`, `loop` for `loop.py`."""
    return module.parts[0].removesuffix(".py")


@pytest.mark.parametrize("module", modules(), ids=str)
def test_imports_point_one_way(module: Path) -> None:
    part = part_of(module)
    assert part in MAY_IMPORT, f"eureka/{module}: say in this test which parts `{part}` may import"
    wrong = imported(ROOT / "eureka" / module) - MAY_IMPORT[part] - {part}
    assert not wrong, f"eureka/{module} imports {', '.join(sorted(wrong))}, which {part} may not"


def test_the_rule_has_no_circle() -> None:
    below = {part: allowed - {part} for part, allowed in MAY_IMPORT.items() if part not in TOP}
    while below:
        free = [part for part, allowed in below.items() if not allowed & below.keys()]
        assert free, f"circular: {sorted(below)}"
        for part in free:
            del below[part]


def test_imports_are_found(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text(
        "import eureka\nimport eureka.rl.ppo\nfrom eureka import tasks, __version__\n"
        "def f():\n    from eureka.llm.base import Proposer\n"
    )
    assert imported(source) == {"rl", "tasks", "llm"}


@pytest.mark.parametrize("module", modules(), ids=str)
def test_a_process_of_ours_imports_nothing_from_where_it_runs(module: Path) -> None:
    """`python -m` alone looks for every module in the current folder first: the user's, or a run that came by mail."""
    for node in ast.walk(ast.parse((ROOT / "eureka" / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.List) and node.elts and ast.unparse(node.elts[0]) in ("sys.executable", "python()"):
            assert ast.unparse(node.elts[1]) == "'-P'", f"eureka/{module}:{node.lineno}"
            assert ast.unparse(node.elts[0]) == "python()", f"eureka/{module}:{node.lineno}: see interpreter.py"
