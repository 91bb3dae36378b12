"""The batch against a plain loop of mj_step."""

import copy
from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch

from eureka.core.errors import PhysicsError
from eureka.physics import MujocoC
from eureka.tasks import load_task


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    return load_task("ant").model


def test_steps_like_mj_step(model: mujoco.MjModel) -> None:
    sim = MujocoC(model, 3, ["cfrc_ext"], threads=2)
    rng = np.random.default_rng(0)
    start = torch.from_numpy(model.qpos0) + 0.1 * torch.from_numpy(rng.standard_normal((3, model.nq)))
    sim.reset(torch.arange(3), start, torch.zeros(3, model.nv))
    data = [mujoco.MjData(model) for _ in range(3)]
    for world in range(3):
        data[world].qpos = start[world].numpy()
        mujoco.mj_forward(model, data[world])
    for _ in range(40):
        action = rng.uniform(-1, 1, (3, model.nu))
        sim.ctrl.copy_(torch.from_numpy(action))
        sim.step(2)
        for world in range(3):
            data[world].ctrl = action[world]
            mujoco.mj_step(model, data[world], 2)
            np.testing.assert_array_equal(sim.qpos[world], data[world].qpos)
            np.testing.assert_array_equal(sim.qvel[world], data[world].qvel)
            np.testing.assert_array_equal(sim.output("cfrc_ext")[world], data[world].cfrc_ext)
    assert float(sim.output("cfrc_ext").abs().max()) > 0  # the ant has touched the ground


def test_reset_touches_only_its_worlds_and_computes_outputs(model: mujoco.MjModel) -> None:
    sim = MujocoC(model, 4, ["xpos"])
    sim.step(3)
    before = sim.qpos.clone()
    qpos = torch.from_numpy(model.qpos0).repeat(2, 1)
    qpos[:, 2] = 2.0
    sim.reset(torch.tensor([1, 3]), qpos, torch.zeros(2, model.nv))
    assert torch.equal(sim.qpos[[0, 2]], before[[0, 2]])
    assert torch.equal(sim.qpos[[1, 3]], qpos)
    torso = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, "torso")
    assert sim.output("xpos")[1, torso, 2] == 2.0
    assert sim.select(torch.tensor([3])).output("xpos")[0, torso, 2] == 2.0


def test_a_diverged_world_is_counted_alone(
    model: mujoco.MjModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    log = mujoco.MjLogConfig.get()
    log.logto_console = log.logto_file = True  # as MuJoCo starts: to the terminal and the current directory
    log.set()
    sim = MujocoC(model, 3)
    sim.reset(torch.arange(3), torch.from_numpy(model.qpos0).repeat(3, 1), torch.zeros(3, model.nv))
    sim.step(1)
    assert not sim.diverged().any()
    sim.qvel[1] = 1e12
    sim.step(1)
    assert sim.diverged().tolist() == [False, True, False]
    sim.step(1)
    assert not sim.diverged().any()
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_save_and_load_are_exact(model: mujoco.MjModel) -> None:
    sim, other = MujocoC(model, 2), MujocoC(model, 2)
    sim.ctrl.fill_(0.3)
    sim.step(20)
    other.load(sim.save())
    sim.step(20)
    other.step(20)
    assert torch.equal(sim.qpos, other.qpos)


def test_unknown_output_is_refused(model: mujoco.MjModel) -> None:
    with pytest.raises(PhysicsError, match="outputs"):
        MujocoC(model, 1, ["no_such_field"])


def test_worlds_may_have_models_of_their_own(model: mujoco.MjModel) -> None:
    sim = MujocoC(model, 3)
    ids = torch.tensor([0, 2])
    factors = {"body_mass": torch.tensor([0.5, 2.0]), "opt.gravity": torch.tensor([1.0, 0.25])}
    sim.scale_model(ids, factors)
    sim.scale_model(ids, factors)  # of the model's own, not of what they have
    everyone = torch.arange(3)
    sim.reset(everyone, torch.from_numpy(model.qpos0).repeat(3, 1), torch.zeros(3, model.nv))
    sim.step(30)
    for world, (mass, gravity) in enumerate([(0.5, 1.0), (1.0, 1.0), (2.0, 0.25)]):
        own = copy.copy(model)
        own.body_mass *= mass
        own.body_inertia *= mass
        own.opt.gravity *= gravity
        data = mujoco.MjData(own)
        mujoco.mj_setConst(own, data)
        mujoco.mj_resetData(own, data)
        data.qpos = model.qpos0
        mujoco.mj_forward(own, data)
        mujoco.mj_step(own, data, 30)
        np.testing.assert_array_equal(sim.qpos[world], data.qpos)


def test_a_field_that_cannot_differ_is_said(model: mujoco.MjModel) -> None:
    with pytest.raises(PhysicsError, match=r"weight is not an expandable MjModel field.*randomisation\.factors"):
        MujocoC(model, 2).scale_model(torch.arange(2), {"weight": torch.ones(2)})
    with pytest.raises(PhysicsError, match=r"`geom_type` holds whole numbers.*randomisation\.factors"):
        MujocoC(model, 2).scale_model(torch.arange(2), {"geom_type": torch.ones(2)})
