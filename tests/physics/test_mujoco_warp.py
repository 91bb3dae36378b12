"""MuJoCo Warp on the CPU device against MuJoCo C: the same model, start states and controls."""

from __future__ import annotations

import mujoco
import pytest
import torch

pytest.importorskip("mujoco_warp", reason="needs mujoco-warp and warp-lang: pip install -e '.[gpu]'")

from eureka.core.errors import PhysicsError
from eureka.physics import MujocoC
from eureka.physics.mujoco_warp import MujocoWarp
from eureka.tasks import Rng, Task, load_task

pytestmark = [pytest.mark.warp, pytest.mark.timeout(900)]

NUM_ENVS = 16
STEPS = 100
EVERYONE = torch.arange(NUM_ENVS)


@pytest.fixture(scope="module")
def ant() -> Task:
    return load_task("ant")


@pytest.fixture(scope="module")
def hopper() -> Task:
    return load_task("hopper")


def engines(task: Task, model: mujoco.MjModel | None = None, nconmax: int | None = None) -> tuple[MujocoC, MujocoWarp]:
    """Both engines in the same start states."""
    model = model or task.model
    pair = (
        MujocoC(model, NUM_ENVS, task.info.outputs),
        MujocoWarp(model, NUM_ENVS, task.info.outputs, nconmax=nconmax, njmax=nconmax and 108),
    )
    start = task.reset(Rng.from_seed(0), NUM_ENVS)
    for sim in pair:
        sim.reset(EVERYONE, start.qpos, start.qvel)
    return pair


def controls(model: mujoco.MjModel, share: float = 1.0) -> list[torch.Tensor]:
    """Drawn evenly from the lowest `share` of their range."""
    low, high = torch.from_numpy(model.actuator_ctrlrange).float().T
    noise = torch.rand(STEPS, NUM_ENVS, model.nu, generator=torch.Generator().manual_seed(0))
    return list(low + share * (high - low) * noise)


def apart(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The largest difference in every world."""
    return (first.double() - second.double()).abs().flatten(1).amax(dim=1)


@pytest.mark.parametrize("name", ["cartpole", "swingup", "hopper"])
def test_a_hundred_steps_agree(name: str) -> None:
    """Single precision rounds by 6e-8 a step; falling poles and joint stops multiply that by up to a thousand."""
    task = load_task(name)
    c, warp = engines(task)
    for control in controls(task.model):
        for sim in (c, warp):
            sim.ctrl.copy_(control)
            sim.step(task.info.physics.substeps)
    assert apart(c.qpos, warp.qpos).max() < 5e-4
    assert apart(c.qvel, warp.qvel).max() < 5e-3
    assert apart(c.qpos, warp.qpos).median() < 2e-5
    assert not warp.diverged().any()
    assert warp.overflows() == 0


def test_a_hundred_steps_of_an_ant_agree(ant: Task) -> None:
    """With its legs pressed against their stops: with full controls, impacts multiply rounding a hundredfold a second.

    Under the round friction cone: with the pyramid the two engines turn it by different angles about the contact's
    normal where a capsule stands steeper than 60 degrees, and a pyramid's friction depends on that.
    """
    model = load_task("ant").model
    model.opt.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    c, warp = engines(ant, model)
    sensors = MujocoC(model, NUM_ENVS, ["sensordata"]), MujocoWarp(model, NUM_ENVS, ["sensordata"])
    for sim, other in zip(sensors, (c, warp), strict=True):
        sim.reset(EVERYONE, other.qpos, other.qvel)
    for control in controls(model, 0.1):
        for sim in (c, warp, *sensors):
            sim.ctrl.copy_(control)
            sim.step(ant.info.physics.substeps)
    assert apart(c.qpos, warp.qpos).max() < 5e-3
    assert apart(c.qpos, warp.qpos).median() < 1e-4
    assert apart(c.qvel, warp.qvel).median() < 1e-3
    # Contact forces are about 5 N.
    assert apart(c.output("cfrc_ext"), warp.output("cfrc_ext")).max() < 0.05
    # The acceleration is about gravity's, 9.81.
    assert apart(sensors[0].output("sensordata"), sensors[1].output("sensordata")).max() < 0.1


def test_a_hundred_steps_of_a_humanoid_agree() -> None:
    """Weak controls: it sinks to the ground within a second and lies there, on up to a dozen contacts.

    With full controls the worst of 16 worlds parts by decimetres when limbs strike the ground, the median by 6e-5.
    """
    task = load_task("humanoid")
    c, warp = engines(task)
    sensors = MujocoC(task.model, NUM_ENVS, ["sensordata"]), MujocoWarp(task.model, NUM_ENVS, ["sensordata"])
    for sim, other in zip(sensors, (c, warp), strict=True):
        sim.reset(EVERYONE, other.qpos, other.qvel)
    for control in controls(task.model):
        for sim in (c, warp, *sensors):
            sim.ctrl.copy_(0.1 * control)
            sim.step(task.info.physics.substeps)
    assert c.qpos[:, 2].max() < 0.2  # 1.4 at the start
    assert apart(c.qpos, warp.qpos).max() < 5e-4
    assert apart(c.qvel, warp.qvel).max() < 5e-3
    assert apart(c.output("xipos"), warp.output("xipos")).max() < 5e-4
    # It weighs 413 N; the acceleration at rest is gravity's, 9.81.
    assert apart(c.output("cfrc_ext"), warp.output("cfrc_ext")).max() < 0.5
    assert apart(sensors[0].output("sensordata"), sensors[1].output("sensordata")).max() < 0.01
    assert warp.overflows() == 0


def test_a_solver_that_it_lacks_is_refused_with_the_way_out(hopper: Task) -> None:
    model = load_task("hopper").model
    model.opt.solver = mujoco.mjtSolver.mjSOL_PGS
    with pytest.raises(PhysicsError, match=r"PGS is unsupported; set `physics\.solver: newton` in task\.yaml or use"):
        MujocoWarp(model, 1)


def test_single_steps_of_an_ant_with_full_controls_agree(ant: Task) -> None:
    """Along C's own trajectory of a hundred steps, so that impacts do not add up: velocities are up to 30 rad/s and
    forces up to 100 N, of which single precision keeps seven digits, and the solver six."""
    model = load_task("ant").model
    model.opt.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    c = MujocoC(model, NUM_ENVS, ["cfrc_ext", "qacc_warmstart"])
    _, warp = engines(ant, model)
    c.reset(EVERYONE, warp.qpos, warp.qvel)
    position, velocity, force = [], [], []
    for control in controls(model):
        warp.load(torch.cat([torch.zeros(NUM_ENVS, 1), c.qpos, c.qvel, c.output("qacc_warmstart")], dim=1))
        for sim in (c, warp):
            sim.ctrl.copy_(control)
            sim.step(1)
        position.append(apart(c.qpos, warp.qpos))
        velocity.append(apart(c.qvel, warp.qvel))
        force.append(apart(c.output("cfrc_ext"), warp.output("cfrc_ext")))
    assert torch.cat(position).max() < 2e-5
    assert torch.cat(velocity).max() < 1e-3
    assert torch.cat(force).max() < 0.05


def test_a_masked_reset_touches_no_other_world(ant: Task) -> None:
    c, warp = engines(ant)
    for control in controls(ant.model)[:20]:
        for sim in (c, warp):
            sim.ctrl.copy_(control)
            sim.step(2)
    before = warp.save(), warp.output("cfrc_ext")
    low = torch.from_numpy(ant.model.qpos0).repeat(2, 1)
    low[:, 2] = 0.2  # the torso has a radius of 0.25
    ids = torch.tensor([3, 7])
    for sim in (c, warp):
        sim.reset(ids, low, torch.zeros(2, ant.model.nv))
    others = torch.ones(NUM_ENVS, dtype=torch.bool)
    others[ids] = False
    assert torch.equal(warp.save()[others], before[0][others])
    assert torch.equal(warp.output("cfrc_ext")[others], before[1][others])
    assert torch.equal(warp.qpos[ids], low.float())
    assert not warp.save()[ids][:, 1 + ant.model.nq :].any()  # at rest, and solved afresh
    of_c, of_warp = c.select(ids).output("cfrc_ext"), warp.select(ids).output("cfrc_ext")
    assert of_c.abs().max() > 10
    assert ((of_c - of_warp).abs() < 1e-3 * of_c.abs().max()).all()


def test_outputs_after_a_reset(hopper: Task) -> None:
    """Places of bodies are computed with or without sensors, and after a reset where somebody wants them there."""
    start = hopper.reset(Rng.from_seed(0), 2)
    ids = torch.arange(2)
    places = {}
    for settle in (True, False):
        warp = MujocoWarp(hopper.model, 2, ["xpos"], sensors=False, settle=settle)
        warp.reset(ids, start.qpos, start.qvel)
        warp.step(1)
        high = start.qpos.clone()
        high[:, 1] += 5
        warp.reset(ids, high, start.qvel)
        places[settle] = warp.output("xpos")[:, 1, 2]
        warp.step(1)
        assert torch.allclose(warp.output("xpos")[:, 1, 2], high[:, 1].float(), atol=1e-3)
    assert (places[True] - places[False]).tolist() == pytest.approx([5, 5], abs=0.05)


def test_worlds_with_models_of_their_own_agree(hopper: Task) -> None:
    c, warp = engines(hopper)
    factors = {
        name: torch.linspace(0.5, 2.0, NUM_ENVS)
        for name in ("body_mass", "geom_friction", "actuator_gainprm", "opt.gravity", "dof_damping")
    }
    plain = warp.save()
    for sim in (c, warp):
        sim.scale_model(EVERYONE, factors)
        # Again, for some: always the model's own values times the factor.
        sim.scale_model(EVERYONE[:4], {name: factor[:4] for name, factor in factors.items()})
        sim.reset(EVERYONE, plain[:, 1:7], plain[:, 7:13])
    for control in controls(hopper.model)[:50]:
        for sim in (c, warp):
            sim.ctrl.copy_(control)
            sim.step(1)
    assert apart(c.qpos, warp.qpos).max() < 5e-4
    assert c.qpos[0, 1] - c.qpos[-1, 1] > 0.01  # and they are not one model
    with pytest.raises(PhysicsError, match=r"no model field `weight`.*randomisation\.factors"):
        warp.scale_model(EVERYONE, {"weight": torch.ones(NUM_ENVS)})
    with pytest.raises(PhysicsError, match="`geom_size`"):
        warp.scale_model(EVERYONE, {"geom_size": torch.ones(NUM_ENVS)})


def test_a_diverged_world_is_put_back_and_counted(hopper: Task) -> None:
    _, warp = engines(hopper)
    _, undisturbed = engines(hopper)
    warp.qvel[5, 0] = torch.nan
    warp.qpos[6, 0] = 1e12
    for sim in (warp, undisturbed):
        sim.step(1)
    assert warp.diverged().nonzero()[:, 0].tolist() == [5, 6]
    assert warp.qpos[5].tolist() == pytest.approx(hopper.model.qpos0.tolist())
    assert warp.save().isfinite().all()
    rest = ~warp.diverged()
    assert torch.equal(warp.qpos[rest], undisturbed.qpos[rest])
    warp.step(1)
    assert not warp.diverged().any()


def test_contacts_without_room_are_counted_and_the_worlds_diverged(ant: Task) -> None:
    """Contacts share one pool, so nobody knows whose are missing: all worlds count as diverged."""
    _, warp = engines(ant, nconmax=1)
    for _ in range(40):
        warp.step(2)
        if warp.overflows():
            break
    assert warp.overflows() == NUM_ENVS
    assert warp.diverged().all()


def test_a_state_is_restored_bit_for_bit(hopper: Task) -> None:
    _, warp = engines(hopper)
    warp.ctrl.copy_(controls(hopper.model)[0])
    for _ in range(30):
        warp.step(1)
    saved = warp.save()
    assert saved.shape == (NUM_ENVS, 1 + 6 + 6 + 0 + 6)
    ends = []
    for _ in range(2):
        warp.load(saved)
        for _ in range(30):
            warp.step(1)
        ends.append(warp.save())
    assert torch.equal(*ends)


def test_room_by_the_model(ant: Task) -> None:
    """An ant's 13 geoms meet the floor only: a sphere once and 12 capsules twice; 4 rows each, and 8 joint stops."""
    warp = MujocoWarp(ant.model, 1)
    assert (warp.capacity.contacts, warp.capacity.rows) == (25, 25 * 4 + 8)
    warp = MujocoWarp(ant.model, 1, nconmax=10, njmax=60)
    assert (warp.capacity.contacts, warp.capacity.rows) == (10, 60)


def test_what_it_cannot_do_is_refused_by_name(hopper: Task) -> None:
    with pytest.raises(PhysicsError, match=r"no output `no_such_field`.*task\.yaml"):
        MujocoWarp(hopper.model, 1, ["no_such_field"])
    with pytest.raises(PhysicsError, match="no output `time`"):
        MujocoWarp(hopper.model, 1, ["time"])
    spec = mujoco.MjSpec.from_string(
        "<mujoco><worldbody><body><joint name='j'/><geom size='.1'/></body></worldbody>"
        "<actuator><motor joint='j' delay='0.02' nsample='2'/></actuator></mujoco>"
    )
    with pytest.raises(PhysicsError, match="delays"):
        MujocoWarp(spec.compile(), 1)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    ("name", "share", "most"), [("cartpole", 1.0, 1e-4), ("hopper", 1.0, 5e-4), ("ant", 0.3, 2e-2)]
)
def test_a_cuda_device_agrees_with_the_c_engine(name: str, share: float, most: float) -> None:
    task = load_task(name)
    c = MujocoC(task.model, NUM_ENVS, task.info.outputs)
    start = task.reset(Rng.from_seed(0), NUM_ENVS)
    c.reset(EVERYONE, start.qpos, start.qvel)
    physics = task.info.physics
    gpu = MujocoWarp(
        task.model, NUM_ENVS, task.info.outputs, device="cuda:0", nconmax=physics.nconmax, njmax=physics.njmax
    )
    gpu.reset(EVERYONE.to("cuda:0"), c.qpos.to("cuda:0"), c.qvel.to("cuda:0"))
    for control in controls(task.model, share)[:40]:
        for sim in (c, gpu):
            sim.ctrl.copy_(control)
            sim.step(1)
    # Contacts multiply the rounding of single precision: half of the worlds stay close, whatever the others do.
    assert apart(c.qpos, gpu.qpos.cpu()).median() < most
    assert gpu.overflows() == 0
