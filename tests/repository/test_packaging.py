"""What is installed: the package list, the wheel and the sdist against the tree; pins; the Makefile's first steps."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LINKED = ("prompts", "sandbox", "tasks")


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def files_of_the_package() -> set[str]:
    """Every file under `eureka/`, through the links, that an installed package must have."""
    folders = [ROOT / "eureka", *(ROOT / "eureka" / name for name in LINKED)]
    return {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in folder.glob("**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, the wheel built from the sdist."""
    copy = tmp_path_factory.mktemp("build") / "checkout"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, copy)
    for name in ("eureka", *LINKED):
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(copy / "dist"), str(copy)]
    subprocess.run(command, check=True, capture_output=True)
    return copy / "dist"


def test_every_package_is_listed() -> None:
    packages = {str(Path(name).parent).replace("/", ".") for name in files_of_the_package() if name.endswith(".py")}
    packages = {name for name in packages if not (ROOT / name.replace(".", "/") / "task.yaml").is_file()}
    assert sorted(packages) == pyproject()["tool"]["setuptools"]["packages"]


def test_every_package_has_an_init() -> None:
    folders = {(ROOT / name).parent for name in files_of_the_package()}
    folders = {folder for folder in folders if not (folder / "task.yaml").is_file()}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.process
def test_the_wheel_has_every_file_and_nothing_generic(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in names if ".dist-info/" not in name} == files_of_the_package()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"eureka"}


@pytest.mark.process
def test_the_sdist_has_every_file(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {name.removeprefix("eureka/") if name.split("/")[1] in LINKED else name for name in files_of_the_package()}
    assert wanted <= names


def test_everything_installed_is_pinned_within_its_range() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    versions = {}
    for pin in pins:
        (specifier,) = pin.specifier
        assert specifier.operator == "=="
        assert pin.url is None
        versions[canonicalize_name(pin.name)] = specifier.version
    project = pyproject()["project"]
    for text in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)]), text


@pytest.mark.process
@pytest.mark.parametrize("target", ["run", "test", "check"])
def test_make_refuses_an_old_python_in_one_sentence(tmp_path: Path, target: str) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    result = subprocess.run(
        ["make", target, f"PYTHON={old}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert f"eureka needs Python 3.11 or newer, and {old} is not: name one as in PYTHON=python3.12" in result.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.process
def test_make_installs_only_when_something_changed(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    calls = tmp_path / "calls"
    commands = tmp_path / ".venv" / "bin"
    commands.mkdir(parents=True)
    for name in ("python", "pip", "eureka"):
        (commands / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {calls}\n')
        (commands / name).chmod(0o755)
    for _ in range(2):
        subprocess.run(["make", "run", f"PYTHON={sys.executable}"], cwd=tmp_path, check=True, capture_output=True)
    install, *runs = calls.read_text().splitlines()
    assert install.startswith("python -m pip install")
    assert install.endswith("--constraint constraints.txt --editable .[dev]")
    assert runs == ["eureka run task=ant llm=program_search"] * 2
