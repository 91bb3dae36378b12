"""The packages that provide environments: used to import them, and to say what to install."""

from __future__ import annotations

import importlib.util
from typing import NamedTuple

from eureka.core.extras import install_line


class _Package(NamedTuple):
    """A package: the prefix of its environments' ids, its module, and the name to install, or the extra that has it."""

    begins: tuple[str, ...]
    module: str
    install: str
    extra: str | None = None


_PACKAGES = (
    _Package(("LunarLander", "BipedalWalker", "CarRacing"), "", "gymnasium[box2d]", "box2d"),
    _Package(("MiniGrid", "BabyAI"), "minigrid", "minigrid", "minigrid"),
    _Package(
        ("PointMaze", "AntMaze", "Adroit", "Fetch", "HandReach", "HandManipulate", "FrankaKitchen"),
        "gymnasium_robotics",
        "gymnasium-robotics",
        "robotics",
    ),
    _Package(("ALE/",), "ale_py", "ale-py"),
    _Package(("Panda",), "panda_gym", "panda-gym"),
    _Package(
        ("highway", "merge", "roundabout", "parking", "intersection", "racetrack", "exit", "lane-keeping"),
        "highway_env",
        "highway-env",
    ),
    _Package(("FlappyBird",), "flappy_bird_gymnasium", "flappy-bird-gymnasium"),
    _Package(("gym_pusht/",), "gym_pusht", "gym-pusht"),
    _Package(("PyFlyt/",), "PyFlyt", "PyFlyt"),
    _Package(("CartPoleSwingUp",), "gymnasium_cartpole_swingup", "gymnasium-cartpole-swingup"),
)


def _package(identity: str) -> _Package | None:
    """The package of an id, found by its prefix or by the module before a colon."""
    module, colon, name = identity.rpartition(":")
    for package in _PACKAGES:
        if (colon and module == package.module) or name.startswith(package.begins):
            return package
    return None


def install_line_of(identity: str) -> str | None:
    """The command that installs what an environment needs, None if unknown."""
    package = _package(identity)
    if package is None:
        return None
    return install_line(package.extra) if package.extra else f"pip install '{package.install}'"


def module_of(identity: str) -> str | None:
    """The module that registers an environment when imported, None if unknown.

    No other module is guessed from an id: ids may come from a run folder of others, which must not choose what is
    imported (`eureka.config.environments.names_code`).
    """
    package = _package(identity)
    return package.module or None if package else None


def registering_module(identity: str) -> str:
    """The installed module to import before `gymnasium.make` knows an id (with or without a module before it); empty if
    Gymnasium itself registers it.
    """
    given, _, name = identity.rpartition(":")
    module = given or module_of(name) or ""
    return module if module and importlib.util.find_spec(module) is not None else ""
