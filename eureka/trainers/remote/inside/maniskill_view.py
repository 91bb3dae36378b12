"""A ManiSkill environment with the attributes from which `ManagerStateReader` reads a State.

Nothing but torch is imported: this file runs in the simulator's interpreter, under Python 3.10 or newer, and is copied
as it is into exported packages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch

OWN_TERM = "dense_reward"
"""The name of the environment's own reward, as the only term of a reward table."""
_UNITS = {"qpos": "rad or m", "_pos": "m", "_pose": "m, and a quaternion w x y z", "_vel": "m/s"}
"""Units of what an environment observes, by how its name ends."""


class ManiSkillView:
    """What a reward may read of a ManiSkill environment.

    Positions and orientations are those that ManiSkill gives: in the frame of each environment's own scene, quaternions
    w x y z. Objects are looked up by name at every reading, since a reset may build them anew. Whether an episode is a
    success is no part of the State: it is what policies are judged by.

    Args:
        base: the environment, unwrapped.

    Attributes:
        step_dt: control step in seconds.
        common_step_counter: number of steps taken.
        info: what `evaluate` gave in this step.
        own_reward: the environment's own reward in this step, (num_envs,).
        weights: the reward table with the environment's own reward as its only term.
    """

    weights: Mapping[str, float] = {OWN_TERM: 1.0}

    def __init__(self, base: Any) -> None:
        self.base = base
        self.num_envs, self.device = int(base.num_envs), str(base.device)
        self.step_dt = float(base.control_timestep)
        self.scene = SimpleNamespace()
        nothing = torch.zeros(self.num_envs, *base.single_action_space.shape, device=base.device)
        self.action_manager = SimpleNamespace(
            active_terms=[str(base.control_mode)],
            action=nothing,
            prev_action=nothing,
            total_action_dim=nothing.shape[1],
        )
        self.common_step_counter = 0
        self.info: Mapping[str, Any] = base.get_info()
        self.own_reward = torch.zeros(self.num_envs, device=base.device)
        self._extra: Mapping[str, torch.Tensor] | None = None

    @property
    def episode_length_buf(self) -> torch.Tensor:
        """Control steps since each episode began, (num_envs,)."""
        steps: torch.Tensor = self.base.elapsed_steps
        return steps

    def stepped(self, action: torch.Tensor, info: Mapping[str, Any], own_reward: torch.Tensor | None = None) -> None:
        """Take over the results of a step, before finished episodes are begun anew."""
        manager = self.action_manager
        manager.prev_action, manager.action = manager.action, action.float()
        self.info, self._extra = info, None
        if own_reward is not None:
            self.own_reward = own_reward.float()
        self.common_step_counter += 1

    def started(self, env_ids: Any = None) -> None:
        """Tell which episodes begin anew: their last action is 0."""
        self.action_manager.action = self.action_manager.action.clone()
        self.action_manager.action[slice(None) if env_ids is None else env_ids] = 0.0
        self._extra = None

    # ---- the reward table ------------------------------------------------------------------------------------------

    def value(self, name: str) -> torch.Tensor:
        """The value of a term of `weights` in this step."""
        del name
        return self.own_reward

    # ---- the State -------------------------------------------------------------------------------------------------

    @property
    def quantities(self) -> Iterator[tuple[str, Callable[[], Any], str, str, str]]:
        """Names, how each is read, units, frames and descriptions."""
        for name in self.base.scene.articulations:
            yield from self._articulation(name)
        if hasattr(self.base.agent, "tcp"):
            yield "tcp_pos", lambda: self.base.agent.tcp.pose.p, "m", "scene", "position of the tool's centre point"
            yield "tcp_quat", lambda: self.base.agent.tcp.pose.q, "1", "scene", "its orientation, w x y z"
        for name, actor in self.base.scene.actors.items():
            if actor.px_body_type != "static":
                yield from self._actor(name, moves=actor.px_body_type == "dynamic")
        for name in self._observed():
            unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")
            text = f"{name} of the environment's own observation"
            yield f"observed_{name}", partial(self._observe, name), unit, "scene" if unit else "", text
        if "fail" in self.info:
            yield "failed", lambda: self.info["fail"], "1", "", "whether the task failed in this step, which ends it"

    def _articulation(self, name: str) -> Iterator[tuple[str, Callable[[], Any], str, str, str]]:
        def articulation() -> Any:
            return self.base.scene.articulations[name]

        joints = ", ".join(str(joint.name) for joint in articulation().active_joints)
        links = ", ".join(str(link.name) for link in articulation().links)
        of = f"of the joints of {name}: {joints}"
        yield f"{name}_joint_pos", lambda: articulation().qpos, "rad or m", "joint", f"positions {of}"
        yield f"{name}_joint_vel", lambda: articulation().qvel, "rad/s or m/s", "joint", f"velocities {of}"
        yield f"{name}_root_pos", lambda: articulation().root_pose.p, "m", "scene", f"position of the root of {name}"
        yield f"{name}_root_quat", lambda: articulation().root_pose.q, "1", "scene", "its orientation, w x y z"
        yield (
            f"{name}_link_pos",
            lambda: torch.stack([link.pose.p for link in articulation().links], dim=1),
            "m",
            "scene",
            f"positions of the links of {name}: {links}",
        )

    def _actor(self, name: str, *, moves: bool) -> Iterator[tuple[str, Callable[[], Any], str, str, str]]:
        def actor() -> Any:
            return self.base.scene.actors[name]

        yield f"{name}_pos", lambda: actor().pose.p, "m", "scene", f"position of {name}"
        yield f"{name}_quat", lambda: actor().pose.q, "1", "scene", f"orientation of {name}, w x y z"
        if moves:
            yield f"{name}_lin_vel", lambda: actor().linear_velocity, "m/s", "scene", f"velocity of {name}"
            yield f"{name}_ang_vel", lambda: actor().angular_velocity, "rad/s", "scene", f"turning rate of {name}"

    def _observe(self, name: str) -> torch.Tensor:
        return self._observed()[name]

    def _observed(self) -> Mapping[str, torch.Tensor]:
        """The entries of the environment's own observation besides the robot's, computed once in a step."""
        if self._extra is None:
            self._extra = {
                name: value
                for name, value in self.base._get_obs_extra(self.info).items()
                if isinstance(value, torch.Tensor)
            }
        return self._extra
