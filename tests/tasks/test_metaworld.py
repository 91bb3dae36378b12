"""MetaWorld's tasks: both of its rewards and its success against the original's own code, and its scripted policies.

The original's environments do not start under this MuJoCo; their functions of an observation run without one.
"""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import numpy as np
import pytest
import torch
from shipped_tasks import INFOS, skip_without_model

from eureka.tasks import Task, load_task
from eureka.tasks.shared.tolerance import gaussian_tolerance, hamacher_product, long_tail_tolerance, quadratic_tolerance
from eureka.trainers.population.worlds import Worlds

NAMES = [name for name, info in INFOS.items() if info.model.startswith("package:metaworld/")]
SAMPLE = ("drawer_open", "door_unlock")
FAR_FROM_THE_ORIGINAL = {
    # Its margin is from the window's frame; ours from the handle, which is 4 cm to the left of it.
    ("window_open", "v2"),
}


def sampled(names: list[str]) -> list[object]:
    return [pytest.param(name, marks=[] if name in SAMPLE else [pytest.mark.wide]) for name in names]


@pytest.fixture
def task(name: str) -> Task:
    skip_without_model(name)
    return load_task(name)


def states(task: Task, num: int) -> Any:
    """States at every distance: the object from its start to its target, the gripper from far away to the object."""
    worlds = Worlds(task, [torch.Generator().manual_seed(0)], num, desynchronise=False)
    state = task.read_state(worlds.sim, worlds.carry, torch.zeros(num, 4))
    share, reach = torch.linspace(0, 1, num)[:, None], torch.logspace(-3, 0, num).flip(0)[:, None]
    thing = state.object_start + share * (state.target_position - state.object_start)
    away = torch.nn.functional.normalize(torch.randn(num, 3, generator=torch.Generator().manual_seed(1)), dim=1)
    gripper = thing + reach * away
    pads = {}
    if hasattr(state, "left_pad"):
        # From 9 cm to 1 cm apart, some so that they hold the object, and around the object in half of the rows.
        beside = torch.linspace(0.09, 0.01, num)[:, None] * torch.tensor([0.0, 1.0, 0.0])
        middle = torch.where(torch.arange(num)[:, None] % 2 == 0, gripper, thing)
        pads = {"left_pad": middle + beside, "right_pad": middle - beside}
    return dataclasses.replace(
        state,
        **pads,
        object_position=thing,
        gripper_position=gripper,
        left_fingertip=gripper + 0.01,
        hand_position=gripper + 0.05,
        gripper_opening=torch.linspace(1, 0, num),
        distance_to_goal=task.distance(thing, state.target_position),  # type: ignore[attr-defined]
        action=torch.linspace(-1, 1, num)[:, None].expand(num, 4),
    )


def original(name: str, version: str, task: Any, state: Any, row: int) -> float:
    """The reward of MetaWorld's own class, with the attributes that its reset would have set."""
    file = {"sweep_into": "sweep_into_goal"}.get(name, name)
    module = importlib.import_module(f"metaworld.envs.sawyer_{file}_v3")
    (cls,) = [value for key, value in vars(module).items() if key.startswith("Sawyer") and key.endswith("EnvV3")]

    def of(field: str) -> np.ndarray:
        return getattr(state, field)[row].double().numpy()

    right = 2 * of("gripper_position") - of("left_fingertip")

    class Stateless(cls):  # type: ignore[misc, valid-type]
        tcp_center = of("gripper_position")

        def __init__(self) -> None:
            self.reward_function_version = version
            self._target_pos, self.init_tcp = of("target_position"), of("gripper_start")
            self.obj_init_pos = self._handle_init_pos = self.window_handle_pos_init = of("object_start")
            self.hand_init_pos = np.array(task.HAND_START)
            way = self.obj_init_pos - self._target_pos
            self.maxDist = self.maxPullDist = task.V1_MAX_M or float(
                task.v1_distance(state.object_start, state.target_position)[row]
            )
            self.init_left_pad, self.init_right_pad = self.get_body_com("leftpad"), self.get_body_com("rightpad")
            self.maxPushDist = self.maxDist
            self._lock_length, self._obj_to_target_init = 0.1, getattr(task, "BUTTON_WAY_M", abs(way[1]))
            if name == "door_close":  # there it is where the door stands
                self.obj_init_pos = self._target_pos - np.array([0.2, -0.2, 0.0])
            if name == "door_unlock":  # there it is the lock's axis
                self.obj_init_pos = self._target_pos - np.array([0.1, -0.04, 0.0])

        def _get_pos_objects(self) -> np.ndarray:
            return of("object_position")

        def _get_site_pos(self, site: str) -> np.ndarray:
            sites = {"rightEndEffector": right, "leftEndEffector": of("left_fingertip"), "goal": self._target_pos}
            return sites[site]

        def get_body_com(self, body: str) -> np.ndarray:
            pad = {"leftpad": "left_pad", "rightpad": "right_pad"}[body]
            return of(pad) if hasattr(state, pad) else np.zeros(3)

    observation = np.zeros(39)
    observation[:3], observation[3], observation[4:7] = (
        of("hand_position"),
        of("gripper_opening"),
        of("object_position"),
    )
    return float(Stateless().compute_reward(of("action"), observation)[0])


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("name", sampled(NAMES))
def test_rewards_are_the_originals(name: str, version: str, task: Any) -> None:
    pytest.importorskip("metaworld.envs", reason="MetaWorld's own code cannot be imported here")
    if (name, version) in FAR_FROM_THE_ORIGINAL:
        pytest.skip("differs on purpose")
    state = states(task, 60)
    total, _ = task.human_reward(state) if version == "v2" else task.reward_v1(state)
    wanted = [original(name, version, task, state, row) for row in range(60)]
    # v1 jumps by thousands where the gripper comes within 5 cm: float32 against float64.
    np.testing.assert_allclose(total.numpy(), wanted, rtol=2e-4, atol=2e-3)
    assert len({round(value, 3) for value in wanted}) > 8


@pytest.mark.filterwarnings("ignore:Constant.s. may be too high")
@pytest.mark.parametrize("name", sampled(NAMES))
def test_scripted_policies_solve_it(name: str, task: Any) -> None:
    policies = pytest.importorskip("metaworld.policies", reason="MetaWorld's own code cannot be imported here")
    policy = policies.ENV_POLICY_MAP[f"{name.replace('_', '-')}-v3"]()
    worlds = Worlds(task, [torch.Generator().manual_seed(1)], 4, desynchronise=False)
    state = task.read_state(worlds.sim, worlds.carry, torch.zeros(4, 4))
    assert not bool(task.succeeded(state).any())
    solved = torch.zeros(4, dtype=torch.bool)
    for _ in range(task.info.max_episode_steps):
        actions = []
        for world in range(4):
            observation = np.zeros(39)
            observation[:3], observation[3] = state.hand_position[world], state.gripper_opening[world]
            observation[4:7], observation[-3:] = state.object_position[world], state.target_position[world]
            actions.append(np.clip(policy.get_action(observation), -1, 1))
        state = worlds.step(torch.tensor(np.array(actions), dtype=torch.float32)).state
        solved |= task.succeeded(state)
    assert int(solved.sum()) >= 3


def test_tolerances_at_and_between_their_margins() -> None:
    value = torch.tensor([0.0, 0.1, 0.2, 0.3])
    # Bounds of 0.1 and a margin of 0.2 beyond them: 1, 1, half of the margin, the margin.
    assert gaussian_tolerance(value, 0.2, 0.1).tolist() == pytest.approx([1, 1, 0.1**0.25, 0.1])
    assert long_tail_tolerance(value, 0.2, 0.1).tolist() == pytest.approx([1, 1, 1 / (1 + 9 / 4), 0.1])
    assert quadratic_tolerance(value, 0.2).tolist() == pytest.approx([1, 0.75, 0, 0])
    first, second = torch.tensor([0.0, 0.5, 1.0, 0.3]), torch.tensor([0.0, 0.5, 0.4, 0.0])
    # a b / (a + b - a b): 0.25 / 0.75, and 0.4 / 1.
    assert hamacher_product(first, second).tolist() == pytest.approx([0, 1 / 3, 0.4, 0])
