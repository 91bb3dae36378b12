"""Every place that names an extra names one that exists, by a line that works in a clone."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import eureka.core.extras
from eureka.core.extras import install_line
from eureka.tasks.models import EXTRAS

ROOT = Path(__file__).parents[2]
OPTIONAL: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]
SOURCES = [path for room in ("eureka", "prompts", "tasks", "sandbox") for path in (ROOT / room).rglob("*.py")]
TEXTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "Makefile", "Dockerfile")),
    *(ROOT / "docs").glob("*.md"),
    *(path for room in ("examples", "tests", "benchmarks") for path in (ROOT / room).rglob("*") if path.is_file()),
    *SOURCES,
]


def lines(pattern: str, paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Where a pattern is found, and what its group holds."""
    for path in paths:
        if path.suffix in ("", ".md", ".py") and path != Path(__file__):
            for found in re.finditer(pattern, path.read_text(encoding="utf-8")):
                yield str(path.relative_to(ROOT)), found[1]


def test_the_extras_that_lines_install_exist() -> None:
    named = list(lines(r"""(?:-e|--editable) '?\.\[([\w,-]+)\]""", TEXTS))
    assert len(named) > 10
    assert [(where, names) for where, names in named if not set(names.split(",")) <= OPTIONAL.keys()] == []


def test_no_line_installs_from_an_index_that_lacks_this_project() -> None:
    assert list(lines(r"(pip install [^\n]*eureka-rewards)", TEXTS)) == []


def test_messages_take_the_line_from_the_extra() -> None:
    asked = {name for _, name in lines(r"""install_line\(["'](\w[\w-]*)["']\)""", SOURCES)}
    assert {"gpu", "sb3", "pandas"} <= asked
    assert asked | set(EXTRAS.values()) <= OPTIONAL.keys()
    packages = {re.split(r"[\[<>=]", package)[0] for name in OPTIONAL if name != "dev" for package in OPTIONAL[name]}
    spelled = [found for found in lines(r"pip install '?([\w-]+)", SOURCES) if "remote" not in found[0]]
    assert [found for found in spelled if found[1] in packages and "extras.py" not in found[0]] == []


def test_the_page_on_installing_lists_every_extra() -> None:
    table = (ROOT / "docs" / "installation.md").read_text().partition("| extra |")[2].partition("\n\n")[0]
    listed = {
        name
        for row in table.splitlines()
        for name in re.findall(r"`([\w-]+)`", row.split("|")[1] if "|" in row else "")
    }
    assert listed == OPTIONAL.keys()


@pytest.mark.parametrize("extra", sorted(OPTIONAL))
def test_the_line_of_an_extra_has_all_of_its_packages(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = [f'{package}; extra == "{name}"' for name in OPTIONAL for package in OPTIONAL[name]]
    monkeypatch.setattr(eureka.core.extras, "requires", lambda name: metadata)
    assert install_line(extra) == "pip install " + " ".join(f"'{package}'" for package in OPTIONAL[extra])
    monkeypatch.setattr(eureka.core.extras, "requires", lambda name: None)
    assert install_line(extra) == f"pip install -e '.[{extra}]'"
