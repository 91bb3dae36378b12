"""State fields of a MuJoCo model: its joints, bodies, sites and sensors, with units and frames."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import mujoco

_MOST_JOINTS = 16
"""Maximum number of joints of one kind with separate fields; more are one field."""
_MOST_PLACES = 8
"""Maximum number of bodies, and of sites, whose positions are fields."""

_OBJECTS = r"obj|ball|puck|cube|box"
"""Names of objects that are to be moved by something else."""

_SENSOR_UNITS = {
    "touch": "N",
    "accelerometer": "m/s^2",
    "velocimeter": "m/s",
    "gyro": "rad/s",
    "force": "N",
    "torque": "N m",
    "rangefinder": "m",
    "tendonpos": "m",
    "tendonvel": "m/s",
    "ballangvel": "rad/s",
    "framepos": "m",
    "framelinvel": "m/s",
    "frameangvel": "rad/s",
    "framelinacc": "m/s^2",
    "frameangacc": "rad/s^2",
    "subtreecom": "m",
    "subtreelinvel": "m/s",
    "clock": "s",
}
_SITE_SENSORS = ("touch", "accelerometer", "velocimeter", "gyro", "force", "torque", "rangefinder", "magnetometer")


@dataclass(frozen=True)
class ModelField:
    """A field of a State, with how it is read and observed.

    Attributes:
        read: the expression for it in a task's `state`, of `sim`, `action` and the outputs by their names.
        observed: the expression, (num_envs, numbers), by which a policy sees it; empty: it does not.
        output: the field of MjData that it is read from beside qpos and qvel, empty for none.
    """

    name: str
    shape: tuple[int, ...]
    unit: str
    frame: str
    description: str
    read: str
    observed: str
    output: str = ""


@dataclass(frozen=True)
class ModelGoal:
    """A goal that suits any model: `value` is an expression of `state`, (num_envs,), averaged over an episode."""

    sentence: str
    metric: str
    unit: str
    value: str


def fields_of_model(model: mujoco.MjModel) -> tuple[ModelField, ...]:
    """The State: joints, then positions of the bodies at the ends and of sites, then sensors, then the action."""
    used: set[str] = {"action"}
    fields = []
    for field in (*_joints(model), *_places(model), *_sensors(model)):
        name, number = field.name, 2
        while name in used:
            name, number = f"{field.name}_{number}", number + 1
        used.add(name)
        fields.append(
            replace(field, name=name, observed=field.observed.replace(f"state.{field.name}", f"state.{name}"))
        )
    action = "what the actuators are told, -1 to 1 of their ranges: " + _listed(
        [_actuator(model, index) for index in range(model.nu)]
    )
    return (*fields, ModelField("action", (int(model.nu),), "1", "actuator", action, "action", ""))


def goal_of_model(model: mujoco.MjModel) -> ModelGoal:
    """The goal for a model: if its body can move freely, to move along +x; if something is named a target or goal, to
    bring another end to it; else to lift the end of the chain.
    """
    forward = _forward_velocity(model)
    if forward:
        sentence = "Move forward, along +x of the world, as fast as possible."
        return ModelGoal(sentence, "speed of the body along +x of the world", "m/s", forward)
    places = [field for field in fields_of_model(model) if field.output in ("xipos", "site_xpos")]
    aims = [field for field in places if re.search("target|goal", field.name)]
    others = [field for field in places if field not in aims]
    if aims and others:
        aim, moved = aims[0], next((field for field in others if re.search(_OBJECTS, field.name)), others[-1])
        return ModelGoal(
            f"Bring the {_short(moved)} to the {_short(aim)}, and keep it there.",
            f"minus the distance from the {_short(moved)} to the {_short(aim)}",
            "m",
            f"-torch.linalg.vector_norm(state.{moved.name} - state.{aim.name}, dim=1)",
        )
    end = [field for field in places if field.output == "xipos"][-1]
    return ModelGoal(
        f"Lift the {_short(end)} as high as possible, and hold it there.",
        f"height of the {_short(end)} above the world's origin",
        "m",
        f"state.{end.name}[:, 2]",
    )


def _forward_velocity(model: mujoco.MjModel) -> str:
    """The expression for the speed along x of a body that can move freely, or slides along x without limits."""
    if int(model.jnt_type[0]) == mujoco.mjtJoint.mjJNT_FREE:
        return "state.root_velocity[:, 0]"
    read = f"sim.qvel[:, {int(model.jnt_dofadr[0])}]"
    fields = (field for field in _joints(model) if field.read == read)
    return f"state.{next(fields).name}" if _slides_along_x(model, 0) else ""


def _short(field: ModelField) -> str:
    return _words(field.name.removesuffix("_position").removesuffix("_site"))


# ---- joints ------------------------------------------------------------------------------------------------------


def _joints(model: mujoco.MjModel) -> Iterator[ModelField]:
    single: dict[int, list[int]] = {int(mujoco.mjtJoint.mjJNT_HINGE): [], int(mujoco.mjtJoint.mjJNT_SLIDE): []}
    for index in range(model.njnt):
        kind = int(model.jnt_type[index])
        if kind == mujoco.mjtJoint.mjJNT_FREE:
            yield from _free(model, index)
        elif kind == mujoco.mjtJoint.mjJNT_BALL:
            yield from _ball(model, index)
        else:
            single[kind].append(index)
    for kind, indices in single.items():
        length, word = ("rad", "angle") if kind == mujoco.mjtJoint.mjJNT_HINGE else ("m", "position")
        if len(indices) > _MOST_JOINTS:
            yield from _grouped(model, indices, length, word)
            continue
        for index in indices:
            yield from _single(model, index, length, word)


def _free(model: mujoco.MjModel, index: int) -> Iterator[ModelField]:
    body = model.body(int(model.jnt_bodyid[index])).name
    name = "root" if index == 0 else _name(body, f"body_{int(model.jnt_bodyid[index])}")
    q, v = int(model.jnt_qposadr[index]), int(model.jnt_dofadr[index])
    what = _words(body or name)
    seen = f"state.{name}_position[:, 2:]" if index == 0 else f"state.{name}_position"
    yield _of(name, "position", 3, "m", "world", f"of the {what}'s frame", f"sim.qpos[:, {q}:{q + 3}]", seen)
    yield _of(
        name, "quaternion", 4, "1", "world", f"orientation of the {what}, (w, x, y, z)", f"sim.qpos[:, {q + 3}:{q + 7}]"
    )
    yield _of(name, "velocity", 3, "m/s", "world", f"of the {what}'s frame", f"sim.qvel[:, {v}:{v + 3}]")
    yield _of(
        name, "angular_velocity", 3, "rad/s", "body", f"of the {what}, about its own axes",
        f"sim.qvel[:, {v + 3}:{v + 6}]",
    )  # fmt: skip


def _ball(model: mujoco.MjModel, index: int) -> Iterator[ModelField]:
    joint = model.joint(index).name
    name, q, v = _name(joint, f"joint_{index}"), int(model.jnt_qposadr[index]), int(model.jnt_dofadr[index])
    said = f"of the ball joint {_plain(joint) or index}"
    yield _of(name, "quaternion", 4, "1", "joint", f"{said}, (w, x, y, z)", f"sim.qpos[:, {q}:{q + 4}]")
    yield _of(name, "angular_velocity", 3, "rad/s", "body", said, f"sim.qvel[:, {v}:{v + 3}]")


def _single(model: mujoco.MjModel, index: int, unit: str, word: str) -> Iterator[ModelField]:
    joint = model.joint(index).name
    name, q, v = _name(joint, f"joint_{index}"), int(model.jnt_qposadr[index]), int(model.jnt_dofadr[index])
    low, high = model.jnt_range[index]
    limits = f", {low:.3g} to {high:.3g}" if model.jnt_limited[index] else ""
    said = f"of the joint {_plain(joint) or index}"
    seen = "" if _slides_along_x(model, index) else f"state.{name}_{word}[:, None]"
    yield ModelField(f"{name}_{word}", (), unit, "joint", f"{word} {said}{limits}", f"sim.qpos[:, {q}]", seen)
    yield ModelField(
        f"{name}_velocity", (), f"{unit}/s", "joint", f"velocity {said}", f"sim.qvel[:, {v}]",
        f"state.{name}_velocity[:, None]",
    )  # fmt: skip


def _grouped(model: mujoco.MjModel, indices: list[int], unit: str, word: str) -> Iterator[ModelField]:
    names = _listed([model.joint(index).name or f"joint {index}" for index in indices])
    q = [int(model.jnt_qposadr[index]) for index in indices]
    v = [int(model.jnt_dofadr[index]) for index in indices]
    start = "joint" if unit == "rad" else "slide"
    yield _of(start, word, len(q), unit, "joint", f"{word}s of the joints: {names}", f"sim.qpos[:, {_columns(q)}]")
    yield _of(start, "velocity", len(v), f"{unit}/s", "joint", "velocities of these", f"sim.qvel[:, {_columns(v)}]")


def _columns(at: list[int]) -> str:
    return f"{at[0]}:{at[-1] + 1}" if at == list(range(at[0], at[-1] + 1)) else str(at)


def _slides_along_x(model: mujoco.MjModel, index: int) -> bool:
    """Whether a joint lets the whole body slide along the world's x without limits, as in planar runners."""
    return bool(
        index == 0
        and model.jnt_type[0] == mujoco.mjtJoint.mjJNT_SLIDE
        and not model.jnt_limited[0]
        and model.jnt_axis[0][0] > 0.99
        and model.body_parentid[model.jnt_bodyid[0]] == 0
    )


# ---- places and sensors ------------------------------------------------------------------------------------------


def _end_bodies(model: mujoco.MjModel) -> list[int]:
    """Bodies that joints move and that carry no other body, of those with names if there are any; what floats freely
    has fields of its own. The one that is furthest from the world along its chain comes last."""
    parents = set(map(int, model.body_parentid[1:]))
    free = {int(model.jnt_bodyid[i]) for i in range(model.njnt) if model.jnt_type[i] == mujoco.mjtJoint.mjJNT_FREE}
    left_out = parents | free | {body for body in range(model.nbody) if model.body_mocapid[body] >= 0}
    moved = [body for body in range(1, model.nbody) if model.body_weldid[body] and body not in left_out]
    named = [body for body in moved if model.body(body).name] or moved

    def depth(body: int) -> int:
        return 0 if body == 0 else 1 + depth(int(model.body_parentid[body]))

    return sorted(named, key=depth)[-_MOST_PLACES:]


def _places(model: mujoco.MjModel) -> Iterator[ModelField]:
    seen = "" if _forward_velocity(model) else None  # a policy that goes anywhere should not know where it is
    for body in _end_bodies(model):
        name = _name(model.body(body).name, f"body_{body}")
        said = f"of the centre of mass of the body {_plain(model.body(body).name) or body}"
        yield _of(name, "position", 3, "m", "world", said, f"xipos[:, {body}]", seen, "xipos")
    sites = [index for index in range(model.nsite) if model.site(index).name]
    for index in sites[:_MOST_PLACES]:
        site = model.site(index).name
        name = _name(site, f"site_{index}")
        yield _of(
            name, "site", 3, "m", "world", f"of the site {_plain(site)}", f"site_xpos[:, {index}]", output="site_xpos"
        )


def _sensors(model: mujoco.MjModel) -> Iterator[ModelField]:
    for index in range(model.nsensor):
        kind = mujoco.mjtSensor(int(model.sensor_type[index])).name.removeprefix("mjSENS_").lower()
        at, size = int(model.sensor_adr[index]), int(model.sensor_dim[index])
        sensor = model.sensor(index).name
        name = _name(sensor, f"{kind}_{index}")
        unit = _SENSOR_UNITS.get(kind) or _joint_unit(model, index, kind)
        frame = "site" if kind in _SITE_SENSORS else "world" if kind.startswith(("frame", "subtree")) else "joint"
        read = f"sensordata[:, {at}]" if size == 1 else f"sensordata[:, {at}:{at + size}]"
        seen = f"state.{name}[:, None]" if size == 1 else f"state.{name}"
        shape = () if size == 1 else (size,)
        said = f"the {kind} sensor {_plain(sensor)}".strip()
        yield ModelField(name, shape, unit, frame, said, read, seen, "sensordata")


def _joint_unit(model: mujoco.MjModel, index: int, kind: str) -> str:
    if kind not in ("jointpos", "jointvel"):
        return "1"
    slides = model.jnt_type[int(model.sensor_objid[index])] == mujoco.mjtJoint.mjJNT_SLIDE
    return ("m" if slides else "rad") + ("/s" if kind == "jointvel" else "")


# ---- words -------------------------------------------------------------------------------------------------------


def _of(
    name: str,
    word: str,
    size: int,
    unit: str,
    frame: str,
    said: str,
    read: str,
    seen: str | None = None,
    output: str = "",
) -> ModelField:
    """A vector field `name_word`."""
    whole = f"{name}_{word}"
    seen = f"state.{whole}" if seen is None else seen
    return ModelField(whole, (size,), unit, frame, f"{word.replace('_', ' ')} {said}", read, seen, output)


def _name(text: str, otherwise: str) -> str:
    """A Python name from the name of a part of a model."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower() or otherwise
    if name[0].isdigit():
        name = f"part_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def _actuator(model: mujoco.MjModel, index: int) -> str:
    """The name of an actuator, or of the joint that it drives."""
    drives = int(model.actuator_trnid[index][0])
    is_joint = int(model.actuator_trntype[index]) == mujoco.mjtTrn.mjTRN_JOINT
    named = model.actuator(index).name or (model.joint(drives).name if is_joint else "")
    return named or f"actuator {index}"


def _plain(text: str) -> str:
    """A part's name in one line."""
    return " ".join(text.split())


def _words(text: str) -> str:
    return " ".join(re.split(r"[\W_]+", text)).strip()


def _listed(names: list[str]) -> str:
    return ", ".join(map(_plain, names))
