"""Facts that a task's source does not show, for the model that writes rewards: bodies, joints, actuators, and the
trainer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import mujoco
import numpy as np

from eureka.core.text import counted
from eureka.tasks.ppo import PPOConfig

MAX_NAMED = 32
"""Maximum number of bodies, joints or actuators that are listed by name."""
MAX_WITH_INERTIA = 4
"""Maximum number of bodies whose inertia is listed: energies and natural frequencies follow from it."""
MAX_SHAPED = 16
"""Maximum number of bodies whose shapes and places are listed; for larger models only the masses are."""
_FREE, _BALL = int(mujoco.mjtJoint.mjJNT_FREE), int(mujoco.mjtJoint.mjJNT_BALL)
_HINGE, _SLIDE = int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE)
_KINDS = {_FREE: "free", _BALL: "ball", _SLIDE: "slide", _HINGE: "hinge"}


def physical_facts(model: mujoco.MjModel, ppo: PPOConfig, control_step_s: float, num_envs: int) -> tuple[str, ...]:
    """Sentences on gravity, the physics step, bodies, joints, connections and actuators, and on the trainer."""
    substeps = max(round(control_step_s / model.opt.timestep), 1)
    half = ""
    if 0.0 < ppo.gamma < 1.0:
        far = math.log(0.5) / math.log(ppo.gamma)
        half = f": a reward {counted(round(far), 'control step')} ahead ({far * control_step_s:.2g} s) counts half"
    return tuple(
        fact
        for fact in (
            f"Gravity is {_numbers(model.opt.gravity)} m/s². The physics takes {counted(substeps, 'step')} of "
            f"{model.opt.timestep:g} s in a control step.",
            _bodies(model),
            _joints(model),
            _connections(model),
            _actuators(model),
            f"The trainer is PPO with a discount of {ppo.gamma:g} per control step{half}. It updates the policy after "
            f"every {ppo.horizon} control steps of each of {num_envs} environments. The noise of its actions has a "
            f"standard deviation of {ppo.initial_std:g} at the start; in evaluations there is none. Actions are "
            "clipped to -1 to 1 before they are applied and enter the State. Observations are normalised by their "
            "running mean and spread. Rewards are divided by the spread of the discounted return, so that a common "
            "positive factor changes nothing. After an early end nothing more is earned; at the limit of steps, the "
            "value of the last state stands for what would follow.",
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
    told = "; ".join(_body(model, body, few) for body in heavy)
    return f"Bodies, with shapes in the body's own frame: {told}; {total} kg together."


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
    parent, turned = int(model.body_parentid[body]), _turn(model.body_quat[body])
    is_free = model.body_jntnum[body] and model.jnt_type[first] == _FREE  # placed by qpos
    if parent or (not is_free and (np.any(model.body_pos[body]) or turned)):
        details.append(f"at {_numbers(model.body_pos[body])} in {_body_name(model, parent)}{turned}")
    return f"{_body_name(model, body)} ({', '.join(details)})"


def _turn(quaternion: Any) -> str:
    """How a body is turned against its parent, or a geom against its body; empty if it is not."""
    turn = np.zeros(3)
    mujoco.mju_quat2Vel(turn, quaternion, 1.0)
    angle = float(np.linalg.norm(turn))
    return f", turned by {angle:.3g} rad about {_axis(turn / angle)}" if angle > 1e-6 else ""


def _body_name(model: mujoco.MjModel, body: int) -> str:
    return "the world" if body == 0 else model.body(body).name or f"body {body}"


def _geoms(model: mujoco.MjModel, body: int) -> range:
    first = int(model.body_geomadr[body])
    return range(first, first + int(model.body_geomnum[body]))


def _shape(model: mujoco.MjModel, geom: int) -> str:
    """The shape of a geom in full lengths (MuJoCo's sizes are half lengths) and its place in the body's frame; empty
    for meshes and similar types.
    """
    kind = mujoco.mjtGeom(model.geom_type[geom])
    x, y, z = (float(size) for size in model.geom_size[geom])
    if kind in (mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_CYLINDER):
        word = "capsule" if kind == mujoco.mjtGeom.mjGEOM_CAPSULE else "cylinder"
        low, high = (_point(model, geom, side * y) for side in (-1.0, 1.0))
        return f"{word} of radius {x:.3g} m from {_numbers(low)} to {_numbers(high)}"
    words = {
        mujoco.mjtGeom.mjGEOM_SPHERE: f"sphere of radius {x:.3g} m",
        mujoco.mjtGeom.mjGEOM_BOX: f"box of {2 * x:.3g} x {2 * y:.3g} x {2 * z:.3g} m",
        mujoco.mjtGeom.mjGEOM_ELLIPSOID: f"ellipsoid of {2 * x:.3g} x {2 * y:.3g} x {2 * z:.3g} m",
    }
    if kind not in words:
        return ""
    aside = "" if np.allclose(model.geom_pos[geom], 0.0, atol=1e-6) else f" at {_numbers(model.geom_pos[geom])}"
    is_round = kind == mujoco.mjtGeom.mjGEOM_SPHERE
    return words[kind] + aside + ("" if is_round else _turn(model.geom_quat[geom]))


def _point(model: mujoco.MjModel, geom: int, along: float) -> Any:
    """The point at `along` m on the geom's z axis, in the body's frame, (3,)."""
    turned = np.zeros(3)
    mujoco.mju_rotVecQuat(turned, np.array([0.0, 0.0, along]), model.geom_quat[geom])
    return model.geom_pos[geom] + turned


def _joints(model: mujoco.MjModel) -> str:
    """The joints; for a small model also axes and anchors (where not the origin), in the frame of the joint's body."""
    if not model.njnt:
        return ""
    few = model.nbody - 1 <= MAX_SHAPED
    frame = ", axes and places in the frame of the joint's body" * few
    return f"Joints in the order of qpos{frame}: {_listed(_joint(model, joint, few) for joint in range(model.njnt))}."


def _joint(model: mujoco.MjModel, joint: int, with_axis: bool) -> str:
    kind = int(model.jnt_type[joint])
    text = f"{model.joint(joint).name or f'joint {joint}'} ({_KINDS[kind]}"
    if with_axis:
        text += f" of {_body_name(model, int(model.jnt_bodyid[joint]))}"
    if with_axis and kind in (_HINGE, _SLIDE):
        text += f" {'about' if kind == _HINGE else 'along'} {_axis(model.jnt_axis[joint])}"
    if with_axis and kind in (_HINGE, _BALL) and not np.allclose(model.jnt_pos[joint], 0.0, atol=1e-6):
        text += f" at {_numbers(model.jnt_pos[joint])}"
    if model.jnt_limited[joint] and kind in (_HINGE, _SLIDE):
        low, high = model.jnt_range[joint]
        text += f", {low:.3g} to {high:.3g} {'rad' if kind == _HINGE else 'm'}"
    if kind in (_HINGE, _SLIDE):
        dof = model.jnt_dofadr[joint]
        damping, armature = float(model.dof_damping[dof]), float(model.dof_armature[dof])
        text += f", damping {damping:g}" * (damping > 0.0) + f", armature {armature:g}" * (armature > 0.0)
        text += f", spring {float(model.jnt_stiffness[joint]):g}" * (float(model.jnt_stiffness[joint]) > 0.0)
    return f"{text})"


def _axis(direction: Any) -> str:
    """The name of a coordinate axis, with a minus sign if reversed; the components of any other direction."""
    for sign in (1.0, -1.0):
        for name, unit in zip("xyz", np.eye(3), strict=True):
            if np.allclose(direction, sign * unit):
                return f"{'-' * (sign < 0.0)}{name}"
    return _numbers(direction)


def _connections(model: mujoco.MjModel) -> str:
    """The bodies that active constraints pin at a point (in the frame of the first) or weld to others."""
    found = []
    for number in range(model.neq):
        if model.eq_objtype[number] != mujoco.mjtObj.mjOBJ_BODY or not model.eq_active0[number]:
            continue
        one, other = (_body_name(model, int(ids[number])) for ids in (model.eq_obj1id, model.eq_obj2id))
        if model.eq_type[number] == mujoco.mjtEq.mjEQ_CONNECT:
            found.append(f"{one} pinned to {other} at {_numbers(model.eq_data[number, :3])} in {one}")
        elif model.eq_type[number] == mujoco.mjtEq.mjEQ_WELD:
            found.append(f"{one} welded to {other}")
    return f"Constraints: {_listed(found)}." if found else ""


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
        text += f" and damping {-model.actuator_biasprm[actuator, 2]:g}" if model.actuator_biasprm[actuator, 2] else ""
    return text


def _listed(parts: Iterable[str]) -> str:
    found = list(parts)
    more = f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    return ", ".join(found[:MAX_NAMED]) + more


def _numbers(values: Any) -> str:
    """Numbers in brackets; noise below 1e-6 is 0."""
    return f"({', '.join(f'{value:.3g}' for value in (np.round(values, 6) + 0.0).tolist())})"
