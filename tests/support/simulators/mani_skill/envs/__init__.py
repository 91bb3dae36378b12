"""A slide that pushes a cube along a rail to a goal: one joint, one object, one number of action."""

from types import SimpleNamespace

import gymnasium
import numpy
import torch

from mani_skill.utils.registration import register_env

STEP_S = 0.05


def _pose(along):
    """Positions on the rail, with no rotation."""
    position = torch.zeros(len(along), 3)
    position[:, 0] = along
    return SimpleNamespace(p=position, q=torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(len(along), 1))


class BaseEnv(gymnasium.Env):
    """What all tasks have in common."""

    metadata = {"render_modes": ["rgb_array"]}
    control_mode, control_timestep, device = "pd_joint_delta_pos", STEP_S, "cpu"

    def __init__(self, num_envs=1, obs_mode="state", sim_backend="cpu", render_backend="cpu", render_mode=None):
        assert (obs_mode, sim_backend, render_backend) == ("state", "cpu", "cpu")
        self.num_envs = num_envs
        self.single_action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), numpy.float32)
        self.slide = self.slide_velocity = self.cube = self.goal = torch.zeros(num_envs)
        self.elapsed_steps = torch.zeros(num_envs, dtype=torch.int32)
        joint = SimpleNamespace(name="slide_joint")
        self.agent = SimpleNamespace(uid="slide", tcp=self._object(lambda: self.slide))
        robot = _Articulation(self, [joint])
        self.scene = SimpleNamespace(
            articulations={"slide": robot},
            actors={
                "ground": SimpleNamespace(px_body_type="static"),
                "cube": self._object(lambda: self.cube, "dynamic"),
                "goal-site": self._object(lambda: self.goal, "kinematic"),
            },
        )

    @staticmethod
    def _object(where, kind="dynamic"):
        class Thing:
            name, px_body_type = "thing", kind

            @property
            def pose(self):
                return _pose(where())

            @property
            def linear_velocity(self):
                return torch.zeros(len(where()), 3)

            angular_velocity = linear_velocity

        return Thing()

    def get_info(self):
        return {"elapsed_steps": self.elapsed_steps, **self.evaluate()}

    def reset(self, seed=None, options=None):
        rows = torch.arange(self.num_envs) if not options else options["env_idx"]
        if seed is not None:
            torch.manual_seed(seed[0])
        for name, value in self.first(len(rows)).items():
            kept = getattr(self, name).clone()
            kept[rows] = value
            setattr(self, name, kept)
        self.elapsed_steps = self.elapsed_steps.clone()
        self.elapsed_steps[rows] = 0
        info = self.get_info()
        return self._observed(info), {**info, "reconfigure": False}

    def _observed(self, info):
        return torch.stack([self.slide, self.slide_velocity, *self._get_obs_extra(info).values()], dim=1)

    def step(self, action):
        assert bool((action.abs() <= 1.0).all())
        self.slide_velocity = 2.0 * action[:, 0]
        self.slide = self.slide + self.slide_velocity * STEP_S
        self.cube = torch.maximum(self.cube, self.slide)
        self.elapsed_steps = self.elapsed_steps + 1
        info = self.get_info()
        reward = self.get_reward(obs={}, action=action, info=info)
        never = torch.zeros(self.num_envs, dtype=torch.bool)
        return self._observed(info), reward, info["success"].clone(), never, info

    def get_reward(self, obs, action, info):
        return self.compute_dense_reward(obs, action, info)

    def render_rgb_array(self):
        return torch.full((self.num_envs, 8, 16, 3), 200, dtype=torch.uint8)


class _Articulation:
    """The slide."""

    name = "slide"

    def __init__(self, env, joints):
        self._env, self.active_joints = env, joints
        self.links = [SimpleNamespace(name="base", pose=_pose(torch.zeros(env.num_envs)))]
        self.qlimits = torch.tensor([[[-1.0, 1.0]]])

    @property
    def qpos(self):
        return self._env.slide[:, None]

    @property
    def qvel(self):
        return self._env.slide_velocity[:, None]

    @property
    def root_pose(self):
        return _pose(torch.zeros(self._env.num_envs))


@register_env("PushSlide-v1", max_episode_steps=10)
class PushSlideEnv(BaseEnv):
    """**Task Description:**
    Push the cube along the rail to the goal. This is a stand-in.

    **Success Conditions:**
    - the cube is near the goal
    """

    def first(self, count):
        """Start states."""
        zeros = torch.zeros(count)
        return {"slide": zeros, "slide_velocity": zeros, "cube": zeros + 0.1, "goal": 0.2 + 0.1 * torch.rand(count)}

    def _initialize_episode(self, env_idx, options):
        pass  # shown to a model as it is

    def _get_obs_extra(self, info):
        return {"cube_to_goal_pos": self.goal - self.cube}

    def evaluate(self):
        return {"success": (self.goal - self.cube).abs() < 0.06}

    def compute_dense_reward(self, obs, action, info):
        return 1.0 - (self.goal - self.cube).abs()


@register_env("PickStone-v1", max_episode_steps=10, asset_download_ids=["PickStone-v1"])
class PickStoneEnv(PushSlideEnv):
    """A task whose files would have to be fetched."""


@register_env("PickPebble-v1", max_episode_steps=10, asset_download_ids=["pebbles"])
class PickPebbleEnv(PushSlideEnv):
    """A task whose file is named by itself, in no group."""


@register_env("TwoSlides-v1", max_episode_steps=10)
class TwoSlidesEnv(PushSlideEnv):
    """Two robots with an action each."""

    def __init__(self, **options):
        super().__init__(**options)
        self.single_action_space = gymnasium.spaces.Dict(left=self.single_action_space)
