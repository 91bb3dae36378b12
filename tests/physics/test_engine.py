"""Which engine a machine gets, and what is said where one is missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import eureka.physics.engine as module
from eureka.core.errors import PhysicsError
from eureka.core.extras import install_line
from eureka.physics import Engine, MujocoC
from eureka.physics.engine import choose, describe, engines, identity, missing_packages, where
from eureka.tasks import load_task

Machine = Callable[..., None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with these packages and so many CUDA devices."""

    def make(packages: tuple[str, ...] = ("mujoco_warp", "warp"), devices: int = 0) -> None:
        monkeypatch.setattr(module, "find_spec", lambda name: name if name in packages else None)
        monkeypatch.setattr(module, "_version", lambda package: "4.0.0")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: devices > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)

    return make


@pytest.mark.parametrize(
    ("packages", "devices", "kind"),
    [(("mujoco_warp", "warp"), 1, "warp"), (("mujoco_warp", "warp"), 0, "c"), (("warp",), 1, "c"), ((), 0, "c")],
)
def test_auto_takes_warp_where_a_device_and_the_packages_are(
    machine: Machine, packages: tuple[str, ...], devices: int, kind: str
) -> None:
    machine(packages, devices)
    assert choose("auto") == kind
    assert choose("c") == "c"


def test_warp_that_is_not_installed_is_refused_in_a_sentence(machine: Machine) -> None:
    machine(("warp",), 1)
    sentence = f"physics=warp needs mujoco-warp: {install_line('gpu')}, or use physics=c"
    assert missing_packages() == sentence
    with pytest.raises(PhysicsError) as refused:
        choose("warp")
    assert str(refused.value) == sentence
    with pytest.raises(PhysicsError, match="needs mujoco-warp"):
        Engine("warp").device_simulator(load_task("cartpole").model, 1, (), True)
    machine((), 0)
    assert "mujoco-warp and warp-lang" in str(missing_packages())


def test_one_engine_for_each_device(machine: Machine) -> None:
    machine(devices=2)
    assert [engine.device for engine in engines("warp")] == ["cuda:0", "cuda:1"]
    assert engines("c") == (Engine(),)
    machine(devices=0)
    assert engines("warp") == (Engine("warp", "cpu"),)


def test_what_the_doctor_says(machine: Machine) -> None:
    machine((), 0)
    assert describe() == (
        f"c (MuJoCo on CPU threads); physics=warp needs mujoco-warp and warp-lang: {install_line('gpu')}"
    )
    machine(devices=0)
    assert "no CUDA device that torch can use" in describe()
    machine(devices=2)
    assert describe().startswith("warp (mujoco-warp 4.0.0 and warp-lang 4.0.0) on 2 CUDA device(s), by default")


def test_what_a_run_says_of_its_physics(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert where("c") == "physics: MuJoCo on CPU cores"
    machine(devices=0)
    assert "on the CPU, slowly" in where("warp")
    machine(devices=2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"GPU {index}")
    assert where("warp") == "physics: MuJoCo Warp on GPU 0, GPU 1"
    assert identity("c") == "c"
    assert identity("warp") == "warp 4.0.0 4.0.0"


def test_tensors_are_made_on_the_device() -> None:
    with Engine("warp", "meta").scope():
        assert torch.zeros(1).device.type == "meta"
    with Engine().scope():
        assert torch.zeros(1).device.type == "cpu"


def test_the_engine_of_the_cpu() -> None:
    task = load_task("cartpole")
    sim = MujocoC(task.model, 2)
    sim.step(1)
    assert sim.overflows() == 0
