"""Facts that a task's source does not show, for the model that writes rewards: bodies, joints, actuators, and the
trainer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import mujoco

from eureka.tasks.ppo import PPOConfig

MAX_NAMED = 32
"""Maximum number of bodies, joints or actuators that are listed by name."""
MAX_WITH_INERTIA = 4
"""Maximum number of bodies whose inertia is listed: energies and natural frequencies follow from it."""
MAX_SHAPED = 16
"""Maximum number of bodies whose shapes and places are listed; for larger models only the masses are."""
_HINGE, _SLIDE = int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE)
_KINDS = {
    int(mujoco.mjtJoint.mjJNT_FREE): "free",
    int(mujoco.mjtJoint.mjJNT_BALL): "ball",
    _SLIDE: "slide",
    _HINGE: "hinge",
}


def physical_facts(model: mujoco.MjModel, ppo: PPOConfig, control_step_s: float) -> tuple[str, ...]:
    """Sentences on gravity, bodies, joints, actuators, the physics step, and the trainer's discount and horizon."""
    substeps = max(round(control_step_s / model.opt.timestep), 1)
    far = math.log(0.5) / math.log(ppo.gamma) if 0.0 < ppo.gamma < 1.0 else math.inf
    half = f": a reward {far:.0f} control steps ahead ({far * control_step_s:.2g} s) counts half" * (far < math.inf)
    return tuple(
        fact
        for fact in (
            f"Gravity is {_numbers(model.opt.gravity)} m/s². The physics takes {substeps} steps of "
            f"{model.opt.timestep:g} s in a control step.",
            _bodies(model),
            _joints(model),
            _actuators(model),
            f"The trainer is PPO with a discount of {ppo.gamma:g} per control step{half}. It "
            f"updates the policy after every {ppo.horizon} control steps of each environment.",
        )
        if fact
    )


def _bodies(model: mujoco.MjModel) -> str:
    """The bodies' masses; for a small model also their shapes and the place of each frame in that of its parent."""
    heavy = [body for body in range(1, model.nbody) if model.body_mass[body] > 0.0]
    if not heavy:
        return ""
    total = f"{model.body_mass.sum():.3g}"
    if len(heavy) > MAX_SHAPED:
        named = _listed(f"{_body_name(model, body)} {model.body_mass[body]:.3g}" for body in heavy)
        return f"Masses in kg: {named}; {total} together."
    few = len(heavy) <= MAX_WITH_INERTIA
    return f"Bodies: {'; '.join(_body(model, body, few) for body in heavy)}; {total} kg together."


def _body(model: mujoco.MjModel, body: int, with_inertia: bool) -> str:
    details = [f"{model.body_mass[body]:.3g} kg"]
    first = int(model.body_jntadr[body])
    turns = any(kind != _SLIDE for kind in model.jnt_type[first : first + int(model.body_jntnum[body])])
    if with_inertia and turns:
        inertia = ", ".join(f"{value:.3g}" for value in model.body_inertia[body])
        details.append(
            f"principal inertia ({inertia}) kg m² about its centre of mass, {_numbers(model.body_ipos[body])}"
        )
    shapes = dict.fromkeys(_shape(model, geom) for geom in _geoms(model, body))
    details += [shape for shape in shapes if shape]
    parent = int(model.body_parentid[body])
    if parent:
        details.append(f"at {_numbers(model.body_pos[body])} in {_body_name(model, parent)}")
    return f"{_body_name(model, body)} ({', '.join(details)})"


def _body_name(model: mujoco.MjModel, body: int) -> str:
    return model.body(body).name or f"body {body}"


def _geoms(model: mujoco.MjModel, body: int) -> range:
    first = int(model.body_geomadr[body])
    return range(first, first + int(model.body_geomnum[body]))


def _shape(model: mujoco.MjModel, geom: int) -> str:
    """The shape of a geom in full lengths (MuJoCo's sizes are half lengths); empty for meshes and similar types."""
    kind = mujoco.mjtGeom(model.geom_type[geom])
    x, y, z = (float(size) for size in model.geom_size[geom])
    words = {
        mujoco.mjtGeom.mjGEOM_SPHERE: f"sphere of radius {x:.3g} m",
        mujoco.mjtGeom.mjGEOM_CAPSULE: f"capsule of radius {x:.3g} m between ends {2 * y:.3g} m apart",
        mujoco.mjtGeom.mjGEOM_CYLINDER: f"cylinder of radius {x:.3g} m and length {2 * y:.3g} m",
        mujoco.mjtGeom.mjGEOM_BOX: f"box of {2 * x:.3g} x {2 * y:.3g} x {2 * z:.3g} m",
        mujoco.mjtGeom.mjGEOM_ELLIPSOID: f"ellipsoid of {2 * x:.3g} x {2 * y:.3g} x {2 * z:.3g} m",
    }
    return words.get(kind, "")


def _joints(model: mujoco.MjModel) -> str:
    if not model.njnt:
        return ""
    return f"Joints in the order of qpos: {_listed(_joint(model, joint) for joint in range(model.njnt))}."


def _joint(model: mujoco.MjModel, joint: int) -> str:
    kind = int(model.jnt_type[joint])
    text = f"{model.joint(joint).name or f'joint {joint}'} ({_KINDS[kind]}"
    if model.jnt_limited[joint] and kind in (_HINGE, _SLIDE):
        low, high = model.jnt_range[joint]
        text += f", {low:.3g} to {high:.3g} {'rad' if kind == _HINGE else 'm'}"
    if kind in (_HINGE, _SLIDE):
        dof = model.jnt_dofadr[joint]
        damping, armature = float(model.dof_damping[dof]), float(model.dof_armature[dof])
        text += f", damping {damping:g}" * (damping > 0.0) + f", armature {armature:g}" * (armature > 0.0)
        text += f", spring {float(model.jnt_stiffness[joint]):g}" * (float(model.jnt_stiffness[joint]) > 0.0)
    return f"{text})"


def _actuators(model: mujoco.MjModel) -> str:
    if not model.nu:
        return ""
    forces = [_force(model, actuator) for actuator in range(model.nu)]
    names = [_driven(model, actuator) for actuator in range(model.nu)]
    if len(set(forces)) == 1 and len(forces) > 1:
        return f"Actuators in their order: {_listed(names)}; each with {forces[0]}."
    return f"Actuators in their order: {_listed(f'{n} ({f})' for n, f in zip(names, forces, strict=True))}."


def _driven(model: mujoco.MjModel, actuator: int) -> str:
    """The name of an actuator, or of the joint that it drives."""
    drives_joint = model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT
    joint = model.joint(model.actuator_trnid[actuator, 0]).name if drives_joint else ""
    return model.actuator(actuator).name or joint or f"actuator {actuator}"


def _force(model: mujoco.MjModel, actuator: int) -> str:
    text = f"gear {model.actuator_gear[actuator, 0]:g}"
    if model.actuator_ctrllimited[actuator]:
        low, high = model.actuator_ctrlrange[actuator]
        text += f", control {low:g} to {high:g}"
    if model.actuator_biastype[actuator]:
        text += f", a servo of gain {model.actuator_gainprm[actuator, 0]:g}"
    return text


def _listed(parts: Iterable[str]) -> str:
    found = list(parts)
    more = f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    return ", ".join(found[:MAX_NAMED]) + more


def _numbers(values: Any) -> str:
    return f"({', '.join(f'{float(value):.3g}' for value in values)})"
