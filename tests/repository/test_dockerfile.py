"""The Dockerfile, checked without Docker: its instructions, what it copies and installs, and who it runs as."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "ENTRYPOINT", "CMD", "ENV"}


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


def test_it_is_of_known_instructions_and_ends_without_rights() -> None:
    found = instructions()
    assert found[0][0] == "FROM"
    assert {name for name, _ in found} <= INSTRUCTIONS
    # A tag is named, and nothing after USER needs the rights of root.
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", found[0][1])
    after = found[[name for name, _ in found].index("USER") + 1 :]
    assert [name for name, _ in after] == ["WORKDIR", "ENTRYPOINT", "CMD"]
    assert ("ENTRYPOINT", '["eureka"]') in found


def test_what_it_installs_is_what_the_page_says() -> None:
    text = (ROOT / "Dockerfile").read_text()
    page = (ROOT / "docs" / "installation.md").read_text()
    packages = re.findall(r"--no-install-recommends (.+?) \\", text)[0]
    assert f"apt-get install {packages}" in page
    assert (ROOT / "constraints.txt").is_file()
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", "outputs"} <= set(ignored)


@pytest.mark.process
def test_what_it_runs_is_shell_and_stops_at_the_first_failure() -> None:
    for text in (text for name, text in instructions() if name == "RUN"):
        result = subprocess.run(["/bin/sh", "-n", "-c", text], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert ";" not in text


def test_what_it_copies_and_installs_is_there() -> None:
    assert [text for name, text in instructions() if name == "COPY"] == [". ."]
    ignored = set((ROOT / ".dockerignore").read_text().split())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = [*project["tool"]["setuptools"]["package-dir"].values(), project["project"]["readme"], "constraints.txt"]
    for name in needed:
        assert (ROOT / name).exists()
        assert name not in ignored


def test_the_commands_of_the_page_fit_it() -> None:
    page = (ROOT / "docs" / "installation.md").read_text()
    build, run = (shlex.split(line) for line in re.findall(r"^    (docker .+)$", page, re.MULTILINE))
    assert build == ["docker", "build", "-t", "eureka", "."]
    places = [text for name, text in instructions() if name == "WORKDIR"]
    # Where it starts lies `outputs`, into which runs are written unless said otherwise.
    assert run[run.index("-v") + 1] == f"$PWD/outputs:{places[-1]}/outputs"
    image = run.index(build[3])
    assert run[image + 1 :] == ["run", "task=ant"]
    assert set(run[2:image]) >= {"--rm", "-it", "-e"}


@pytest.mark.wide
@pytest.mark.process
def test_it_builds() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "info"], capture_output=True, check=False).returncode:
        pytest.skip("needs docker, and its daemon")
    subprocess.run([docker, "build", "-q", str(ROOT)], check=True)
