"""The engine that steps the worlds, and the device of tensors: MuJoCo on CPU cores, or MuJoCo Warp on a CUDA device."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Literal

import mujoco
import torch

from eureka.core.errors import PhysicsError
from eureka.core.extras import install_line
from eureka.physics.base import DeviceSimulator

Kind = Literal["c", "warp"]
_PACKAGES = {"mujoco_warp": "mujoco-warp", "warp": "warp-lang"}


@dataclass(frozen=True)
class Engine:
    """Steps worlds with `kind`; all tensors of a training with it are on `device`, given by torch's name."""

    kind: Kind = "c"
    device: str = "cpu"

    def device_simulator(
        self,
        model: mujoco.MjModel,
        num_envs: int,
        outputs: Sequence[str],
        sensors: bool,
        nconmax: int | None = None,
        njmax: int | None = None,
        settle: bool = True,
    ) -> DeviceSimulator:
        """Worlds for a trainer that does not synchronise with them; the arguments are those of `MujocoWarp`.

        Raises:
            PhysicsError: MuJoCo Warp is not installed or cannot step the model, see `MujocoWarp`.
        """
        lacking = missing_packages()
        if lacking:
            raise PhysicsError(lacking)
        from eureka.physics.mujoco_warp import MujocoWarp

        return MujocoWarp(
            model,
            num_envs,
            outputs,
            device=self.device,
            sensors=sensors,
            nconmax=nconmax,
            njmax=njmax,
            settle=settle,
        )

    def generator(self, seed: int) -> torch.Generator:
        """A random generator on the device."""
        return torch.Generator(self.device).manual_seed(seed)

    def scope(self) -> AbstractContextManager[object]:
        """A context in which new tensors are made on the device by default; no effect on the CPU."""
        return nullcontext() if self.device == "cpu" else torch.device(self.device)


def missing_packages() -> str | None:
    """A sentence on the packages that `physics=warp` lacks here; None if they are installed."""
    missing = [package for module, package in _PACKAGES.items() if find_spec(module) is None]
    if not missing:
        return None
    return f"physics=warp needs {' and '.join(missing)}: {install_line('gpu')}, or use physics=c"


def choose(choice: Literal["auto", "c", "warp"]) -> Kind:
    """The engine that `physics=` means on this machine: `auto` is warp if there are a CUDA device and the packages.

    Raises:
        PhysicsError: warp is requested and not installed.
    """
    lacking = missing_packages()
    if choice == "warp" and lacking:
        raise PhysicsError(lacking)
    if choice == "auto":
        return "warp" if lacking is None and torch.cuda.is_available() else "c"
    return choice


def engines(kind: Kind) -> tuple[Engine, ...]:
    """One engine for each device that trains in parallel: every CUDA device for warp, or the CPU."""
    devices = range(torch.cuda.device_count()) if kind == "warp" else ()
    return tuple(Engine(kind, f"cuda:{index}") for index in devices) or (Engine(kind),)


def where(kind: Kind) -> str:
    """A description of a run's physics with the devices' names, shown before it begins."""
    if kind == "c":
        return "physics: MuJoCo on CPU cores"
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    if not names:
        return "physics: MuJoCo Warp without a CUDA device that torch can use: on the CPU, slowly, to compare"
    return f"physics: MuJoCo Warp on {', '.join(names)}"


def identity(kind: Kind) -> str:
    """An identifier of the engine for cache keys: dependencies besides the libraries shared by all engines."""
    return " ".join([kind, *(_version(package) for package in _PACKAGES.values() if kind == "warp")])


def describe() -> str:
    """The description of this machine's engines for `eureka doctor`."""
    c = "c (MuJoCo on CPU threads)"
    lacking = missing_packages()
    if lacking:
        return f"{c}; {lacking.removesuffix(', or use physics=c')}"
    versions = " and ".join(f"{package} {_version(package)}" for package in _PACKAGES.values())
    if not torch.cuda.is_available():
        return f"{c}; warp ({versions}) has no CUDA device that torch can use, and is slow on the CPU"
    return f"warp ({versions}) on {torch.cuda.device_count()} CUDA device(s), by default; {c}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"
