"""Renders one world of a task's model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import mujoco
import numpy as np
import torch
from numpy.typing import NDArray

from eureka.core.errors import RenderingUnavailable, VideoError
from eureka.core.pictures import Look
from eureka.tasks import Task
from eureka.trainers.population.worlds import Worlds

_AZIMUTH, _ELEVATION = 90.0, -15.0
_ROOM_FIXED, _ROOM_FOLLOWING = 1.2, 1.5
"""Size of the picture relative to the size of what it shows."""
_SKY_ABOVE, _SKY_BELOW = (0.45, 0.58, 0.72), (0.86, 0.89, 0.92)


@dataclass(frozen=True)
class SceneState:
    """The state of one world: `qpos` (nq,), `qvel` (nv,), `mocap` (nmocap, 7) and the model values specific to it."""

    qpos: torch.Tensor
    qvel: torch.Tensor
    mocap: torch.Tensor
    model_fields: Mapping[str, torch.Tensor]

    @classmethod
    def one_of(cls, worlds: Worlds, index: int) -> SceneState:
        """The current state of one of these worlds."""
        sim = worlds.sim
        mocap = torch.cat([sim.mocap_pos[index], sim.mocap_quat[index]], dim=1)
        own = {name: value[index].clone() for name, value in worlds.model_fields.items()}
        return cls(sim.qpos[index].clone(), sim.qvel[index].clone(), mocap, own)


class Scene:
    """Renders states of a task's model with the OpenGL that MUJOCO_GL names.

    Raises:
        RenderingUnavailable: that OpenGL cannot render.
        VideoError: the model has no such camera.
    """

    def __init__(self, task: Task, look: Look) -> None:
        spec = with_sky(task.model_spec())
        # MuJoCo only renders to a buffer that the model declares large enough.
        spec.visual.global_.offwidth, spec.visual.global_.offheight = look.width, look.height
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        mujoco.mj_forward(self._model, self._data)
        self._named_camera = look.camera or task.info.camera
        self._camera = FollowingCamera(self._model, self._data, look.width / look.height)
        names = [self._model.camera(index).name for index in range(self._model.ncam)]
        if self._named_camera is not None and self._named_camera not in names:
            known = f"it has {', '.join(names)}" if names else "it has none of its own"
            raise VideoError(f"the model of task `{task.info.name}` has no camera `{self._named_camera}`; {known}")
        try:
            self._renderer = mujoco.Renderer(self._model, look.height, look.width)
        except (mujoco.FatalError, ImportError, RuntimeError) as error:
            raise RenderingUnavailable(f"nothing can be drawn here: {' '.join(str(error).split())}") from error
        self._renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = look.shadows
        self._renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = look.shadows

    def draw(self, shown: SceneState) -> NDArray[np.uint8]:
        """The picture of one state, as (height, width, 3) RGB."""
        self._data.qpos[:] = shown.qpos.numpy()
        self._data.qvel[:] = shown.qvel.numpy()
        self._data.mocap_pos[:] = shown.mocap[:, :3].numpy()
        self._data.mocap_quat[:] = shown.mocap[:, 3:].numpy()
        for name, value in shown.model_fields.items():
            if "." not in name:  # options such as gravity are not visible
                getattr(self._model, name)[:] = value.numpy()
        mujoco.mj_forward(self._model, self._data)
        self._renderer.update_scene(self._data, self._named_camera or self._camera.follow(self._data))
        picture: NDArray[np.uint8] = self._renderer.render()
        return picture

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._renderer.close()


class FollowingCamera:
    """A camera at the side of the body, looking along +y: it follows a body that can move freely, and is fixed for
    others.

    MuJoCo's own tracking camera glides to its body from the origin, and hops with it.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, aspect: float) -> None:
        self._body = roaming_body(model)
        self.camera = mujoco.MjvCamera()
        self.camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        self.camera.azimuth, self.camera.elevation = _AZIMUTH, _ELEVATION
        low, high = bounds(model, data)
        middle, (x, y, z) = (low + high) / 2, (high - low) / 2
        if self._body is None:
            # A body that swings can point down as well as up.
            pivot = data.xpos[model.jnt_bodyid[0]][2] if model.njnt else middle[2]
            middle[2], z = pivot, max(high[2] - pivot, pivot - low[2])
            room = _ROOM_FIXED
        else:
            x = y = np.hypot(x, y)  # it can turn
            room = _ROOM_FOLLOWING
        self.camera.lookat = middle
        half_picture = np.tan(np.radians(model.vis.global_.fovy) / 2)
        self.camera.distance = room * max(x / (aspect * half_picture), z / half_picture) + y

    def follow(self, data: mujoco.MjData) -> mujoco.MjvCamera:
        """The camera for this state; its height is constant."""
        if self._body is not None:
            self.camera.lookat[:2] = data.subtree_com[self._body][:2]
        return self.camera


def bounds(model: mujoco.MjModel, data: mujoco.MjData) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest corner, (3,) in metres, of a box around everything solid, without ground planes."""
    solid = model.geom_rbound > 0
    if not solid.any():
        reach = np.full(3, model.stat.extent)
        return model.stat.center - reach, model.stat.center + reach
    rotation = data.geom_xmat[solid].reshape(-1, 3, 3)
    center = data.geom_xpos[solid] + np.einsum("gij,gj->gi", rotation, model.geom_aabb[solid, :3])
    half = np.einsum("gij,gj->gi", np.abs(rotation), model.geom_aabb[solid, 3:])
    return (center - half).min(axis=0), (center + half).max(axis=0)


def with_sky(spec: mujoco.MjSpec) -> mujoco.MjSpec:
    """The model with a sky if it has none, since the background would be black."""
    if not any(texture.type == mujoco.mjtTexture.mjTEXTURE_SKYBOX for texture in spec.textures):
        spec.add_texture(
            name="eureka_sky",
            type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
            builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
            rgb1=_SKY_ABOVE,
            rgb2=_SKY_BELOW,
            width=128,
            height=128 * 6,
        )
    return spec


def roaming_body(model: mujoco.MjModel) -> int | None:
    """The body with the model's first joint, if that joint is free or slides without limits."""
    if model.njnt == 0:
        return None
    kind = model.jnt_type[0]
    unlimited = kind == mujoco.mjtJoint.mjJNT_SLIDE and not model.jnt_limited[0]
    return int(model.jnt_bodyid[0]) if unlimited or kind == mujoco.mjtJoint.mjJNT_FREE else None
