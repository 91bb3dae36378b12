"""What README and docs tell to type exists: commands, their options, the keys and the choices of groups."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from eureka.app.cli import app
from eureka.app.configs import choices
from eureka.config.overrides import groups
from eureka.config.reference import reference

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
KEYS = {key.name for key in reference(choices())} | {"env", "llm"}


def commands(page: Path) -> Iterator[str]:
    """Lines of code blocks that call eureka, and such in the text."""
    text = re.sub(r"\\\n\s*", "", page.read_text())  # a line that goes on
    for line in text.splitlines():
        if re.match(r"^(    )?(srun )?eureka [a-z]", line):
            yield re.sub(r"^\s*(srun )?", "", line).partition(" #")[0].partition(" | ")[0].partition(" > ")[0]
    yield from re.findall(r"`(eureka [a-z][^`]*)`", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_to_be_typed_exists(page: Path) -> None:
    for text in commands(page):
        _, name, *words = shlex.split(text)
        assert name in COMMANDS, text
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        for word in words:
            key, equals, value = word.partition("=")
            if word.startswith("-"):
                assert key in options | {"--help"}, f"{text}: {key}"
            elif equals and name in ("run", "resume") and key.isidentifier() | ("." in key):
                assert key in KEYS or key.startswith("env.kwargs."), f"{text}: {key}"
                chosen = groups(choices()).get(key)
                assert not chosen or set(value.split(",")) <= {*chosen, "X", "NAME"}, f"{text}: {word}"


def test_every_page_is_linked_from_another() -> None:
    linked = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"\]\(([^)#]+\.md)\)|(docs/[\w-]+\.md)", page.read_text())
        for target in target
        if target
    }
    linked |= {(ROOT / path).resolve() for page in PAGES for path in re.findall(r"docs/[\w-]+\.md", page.read_text())}
    assert [page.name for page in PAGES[1:] if page.name != "index.md" and page.resolve() not in linked] == []


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text()):
        assert target.startswith("https://") or (ROOT / target).exists(), target
