"""Which package brings which environments: to import it, and for the sentence about one that is not installed."""

from __future__ import annotations

from typing import NamedTuple


class _Package(NamedTuple):
    """How the ids of its environments begin, its module, and what to install."""

    begins: tuple[str, ...]
    module: str
    install: str


_PACKAGES = (
    _Package(("LunarLander", "BipedalWalker", "CarRacing"), "", "gymnasium[box2d]"),
    _Package(("MiniGrid", "BabyAI"), "minigrid", "minigrid"),
    _Package(
        ("PointMaze", "AntMaze", "Adroit", "Fetch", "HandReach", "HandManipulate", "FrankaKitchen"),
        "gymnasium_robotics",
        "gymnasium-robotics",
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
    """By the id, or by the module that stands before a colon."""
    module, colon, name = identity.rpartition(":")
    for package in _PACKAGES:
        if (colon and module == package.module) or name.startswith(package.begins):
            return package
    return None


def package_of(identity: str) -> str | None:
    """What to install for an environment, None where that is not known."""
    package = _package(identity)
    return package.install if package else None


def module_of(identity: str) -> str | None:
    """The module that registers an environment when it is imported, None where that is not known."""
    package = _package(identity)
    return package.module or None if package else None
