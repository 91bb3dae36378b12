"""A point on a rail, as the managers of mjlab and Isaac Lab would have it: what their stand-ins share.

Only what Eureka uses of them is here, under the names and with the behaviour that they document: rewards are value x
weight x control step unless that is switched off, a weight of 0 is never computed, NaN becomes 0 without a word, and
episodes end in the step that they end in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch

STEP_S = 0.05


@dataclass
class TermCfg:
    """A term of a manager: a function of the environment with parameters."""

    func: Any
    weight: float = 1.0
    params: dict[str, Any] = field(default_factory=dict)
    time_out: bool = False
    reduce: str = "mean"


class Terms:
    """What the managers have in common: terms by name, classes among them made once."""

    def __init__(self, cfg: Any, env: Any) -> None:
        self.cfg, self._env = cfg, env
        items = cfg.items() if isinstance(cfg, dict) else vars(cfg).items()
        self.terms: dict[str, TermCfg] = {name: term for name, term in items if term is not None}
        for term in self.terms.values():
            if isinstance(term.func, type):
                self.check_class(term.func)
                term.func = term.func(term, env)
        self.active_terms = list(self.terms)

    def check_class(self, cls: type) -> None:
        """Isaac Lab wants a base class of its own."""

    def value(self, name: str) -> torch.Tensor:
        term = self.terms[name]
        value: torch.Tensor = term.func(self._env, **term.params)
        assert value.shape == (self._env.num_envs,), f"{name}: {value.shape}"
        return value

    def get_term_cfg(self, name: str) -> TermCfg:
        return self.terms[name]


class RewardTerms(Terms):
    """`_step_reward` (num_envs, terms) is value x weight; the sums and the total are scaled by the control step."""

    def __init__(self, cfg: Any, env: Any, scale_by_dt: bool = True) -> None:
        super().__init__(cfg, env)
        self._scale_by_dt = scale_by_dt
        self._step_reward = torch.zeros(env.num_envs, len(self.terms))
        self._reward_buf = torch.zeros(env.num_envs)
        self._episode_sums = {name: torch.zeros(env.num_envs) for name in self.terms}

    def compute(self, dt: float) -> torch.Tensor:
        scale = dt if self._scale_by_dt else 1.0
        self._reward_buf = torch.zeros(self._env.num_envs)
        for index, (name, term) in enumerate(self.terms.items()):
            value = torch.zeros(self._env.num_envs)
            if term.weight != 0.0:
                value = torch.nan_to_num(self.value(name) * term.weight, nan=0.0, posinf=0.0, neginf=0.0)
            self._step_reward[:, index] = value
            self._reward_buf += value * scale
            self._episode_sums[name] += value * scale
        return self._reward_buf

    def reset(self, env_ids: Any = None) -> dict[str, float]:
        rows = slice(None) if env_ids is None else env_ids
        for total in self._episode_sums.values():
            total[rows] = 0.0
        for term in self.terms.values():
            if hasattr(term.func, "reset"):
                term.func.reset(env_ids=env_ids)
        return {}


class TerminationTerms(Terms):
    """Time limits and other ends, apart."""

    def compute(self) -> torch.Tensor:
        self._ended = {name: self.value(name) for name in self.terms}
        nothing = torch.zeros(self._env.num_envs, dtype=torch.bool)
        self.time_outs, self.terminated = nothing, nothing
        for name, term in self.terms.items():
            if term.time_out:
                self.time_outs = self.time_outs | self._ended[name]
            else:
                self.terminated = self.terminated | self._ended[name]
        return self.time_outs | self.terminated

    def get_term(self, name: str) -> torch.Tensor:
        return self._ended[name]


class MetricTerms(Terms):
    """`_step_values` (num_envs, terms)."""

    def compute(self) -> None:
        self._step_values = torch.stack([self.value(name) for name in self.terms], dim=1)


class UniformVelocityCommand:
    """Wanted velocities, the same for all environments."""

    def __init__(self, num_envs: int) -> None:
        self.cfg = SimpleNamespace(entity_name="robot")
        self.command = torch.tensor([0.1, 0.0, 0.0]).repeat(num_envs, 1)


class Point:
    """The entity: one joint on a rail, a root that moves along it, and a wrong order of quaternions where asked."""

    def __init__(self, num_envs: int, wrap: Callable[[torch.Tensor], Any], quaternions: str, *, fixed: bool) -> None:
        self.num_envs, self._wrap, self._quaternions = num_envs, wrap, quaternions
        self.joint_names, self.body_names, self.is_fixed_base = ["slide"], ["base", "point"], fixed
        self.position, self.velocity = torch.zeros(num_envs), torch.zeros(num_envs)

    @property
    def data(self) -> Any:
        wrap, count = self._wrap, self.num_envs
        identity = [1.0, 0, 0, 0] if self._quaternions == "wxyz" else [0.0, 0, 0, 1]
        along = torch.zeros(count, 3)
        along[:, 0] = self.velocity
        root = torch.zeros(count, 3)
        root[:, 0] = self.position + 2.0
        return SimpleNamespace(
            joint_pos=wrap(self.position[:, None]),
            joint_vel=wrap(self.velocity[:, None]),
            default_joint_pos=wrap(torch.zeros(count, 1)),
            joint_pos_limits=wrap(torch.tensor([[[-2.0, 2.0]]]).repeat(count, 1, 1)),
            root_link_pos_w=wrap(root),
            root_link_quat_w=wrap(torch.tensor([identity]).repeat(count, 1)),
            root_link_lin_vel_b=wrap(along),
            root_link_ang_vel_b=wrap(torch.zeros(count, 3)),
        )


class PointEnv:
    """The environment: the action accelerates the point; beyond 0.6 m an episode ends, after 1 s its time is over."""

    is_vector_env = True

    def __init__(self, cfg: Any, device: str, wrap: Callable[[torch.Tensor], Any], quaternions: str, make: Any) -> None:
        self.cfg, self.device, self.step_dt = cfg, device, STEP_S
        self.num_envs = cfg.scene.num_envs
        self.common_step_counter = self.steps = 0
        self.max_episode_length = math.ceil(cfg.episode_length_s / STEP_S)
        self.max_episode_length_s = cfg.episode_length_s
        self.episode_length_buf = torch.zeros(self.num_envs, dtype=torch.long)
        point = Point(self.num_envs, wrap, quaternions, fixed=not cfg.commands)
        self.point = point
        origins = torch.tensor([[2.0, 0.0, 0.0]]).repeat(self.num_envs, 1)
        self.scene = SimpleNamespace(num_envs=self.num_envs, entities={"robot": point}, sensors={}, env_origins=origins)
        zeros = torch.zeros(self.num_envs, 1)
        self.action_manager = SimpleNamespace(
            action=zeros, prev_action=zeros, total_action_dim=1, active_terms=["push"]
        )
        commands = {name: UniformVelocityCommand(self.num_envs) for name in cfg.commands}
        self.command_manager = SimpleNamespace(
            active_terms=list(commands),
            get_term=commands.__getitem__,
            get_command=lambda name: commands[name].command,
        )
        self.termination_manager = TerminationTerms(cfg.terminations, self)
        self.termination_manager.compute()
        self.curriculum_manager = SimpleNamespace(active_terms=list(cfg.curriculum))
        self.reward_manager = make(cfg.rewards, self)
        self.metrics_manager = MetricTerms(cfg.metrics, self) if cfg.metrics else None
        if cfg.seed is not None:
            self.seed(cfg.seed)

    @property
    def unwrapped(self) -> PointEnv:
        return self

    @staticmethod
    def seed(seed: int = -1) -> int:
        torch.manual_seed(seed)
        return seed

    def reset(self, env_ids: Any = None, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        del seed, options
        self._reset_idx(torch.arange(self.num_envs) if env_ids is None else env_ids)
        return self.observations(), {}

    def _reset_idx(self, env_ids: torch.Tensor) -> None:
        self.point.position[env_ids] = torch.rand(len(env_ids)) - 0.5
        self.point.velocity[env_ids] = 0.0
        self.reward_manager.reset(env_ids)
        self.episode_length_buf[env_ids] = 0

    def observations(self) -> dict[str, torch.Tensor]:
        seen = torch.stack([self.point.position, self.point.velocity], dim=1)
        return {"actor": seen, "critic": seen, "policy": seen}

    def step(self, action: torch.Tensor) -> tuple[Any, ...]:
        self.action_manager.prev_action, self.action_manager.action = self.action_manager.action, action.clone()
        self.point.velocity = self.point.velocity + action[:, 0].clamp(-5.0, 5.0) * STEP_S
        self.point.position = self.point.position + self.point.velocity * STEP_S
        self.episode_length_buf += 1
        self.common_step_counter += 1
        self.steps += 1
        if self.steps == self.cfg.dies_after:
            raise SystemExit("the simulator ended by itself")
        done = self.termination_manager.compute()
        reward = self.reward_manager.compute(dt=STEP_S).clone()
        if self.metrics_manager is not None:
            self.metrics_manager.compute()
        ended, timed = self.termination_manager.terminated, self.termination_manager.time_outs
        self._reset_idx(done.nonzero().flatten())
        return self.observations(), reward, ended, timed, {}

    def close(self) -> None:
        pass


def distance(env: Any, scale: float = 1.0) -> torch.Tensor:
    """One at the middle of the rail, less away from it."""
    return torch.exp(-scale * env.point.position.abs())


def effort(env: Any) -> torch.Tensor:
    """The squared action."""
    return env.action_manager.action.pow(2).sum(dim=1)


class Novelty:
    """Less with every step since the episode began: a term that keeps something from step to step."""

    def __init__(self, cfg: Any, env: Any) -> None:
        self.steps = torch.zeros(env.num_envs)

    def __call__(self, env: Any) -> torch.Tensor:
        self.steps = self.steps + 1.0
        return 1.0 / self.steps

    def reset(self, env_ids: Any = None) -> None:
        self.steps[slice(None) if env_ids is None else env_ids] = 0.0


def never(env: Any) -> torch.Tensor:
    """A term that must not be computed."""
    raise AssertionError("a term of weight 0 was computed")


def out_of_rail(env: Any) -> torch.Tensor:
    """The point left the rail."""
    return env.point.position.abs() > 0.6


def time_out(env: Any) -> torch.Tensor:
    """The episode has its whole length."""
    return env.episode_length_buf >= env.max_episode_length


def at_rest(env: Any) -> torch.Tensor:
    """Whether the point hardly moves."""
    return (env.point.velocity.abs() < 0.1).float()


@dataclass
class PointCfg:
    """The configuration of a task."""

    scene: Any = field(default_factory=lambda: SimpleNamespace(num_envs=1))
    sim: Any = field(default_factory=SimpleNamespace)
    actions: dict[str, Any] = field(default_factory=lambda: {"push": {"scale": 1.0}})
    observations: dict[str, Any] = field(default_factory=lambda: {"actor": {"position": "m", "velocity": "m/s"}})
    commands: dict[str, Any] = field(default_factory=dict)
    events: dict[str, Any] = field(default_factory=dict)
    curriculum: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, TermCfg] = field(default_factory=dict)
    rewards: dict[str, TermCfg] = field(default_factory=dict)
    terminations: dict[str, TermCfg] = field(
        default_factory=lambda: {
            "time_out": TermCfg(time_out, time_out=True),
            "out_of_rail": TermCfg(out_of_rail),
        }
    )
    episode_length_s: float = 1.0
    seed: int | None = None
    scale_rewards_by_dt: bool = True
    dies_after: int | None = None


def reward_table(term: type) -> dict[str, Any]:
    """The human-written table of the task, with a term that is switched off."""
    return {
        "distance": term(func=distance, weight=2.0, params={"scale": 1.5}),
        "effort": term(func=effort, weight=-0.01),
        "off": term(func=never, weight=0.0),
    }


@dataclass
class AlgorithmCfg:
    """Of rsl_rl's PPO."""

    class_name: str = "PPO"
    gamma: float = 0.97
    lam: float = 0.95
    learning_rate: float = 1e-3
    num_learning_epochs: int = 2
    num_mini_batches: int = 2
    rnd_cfg: Any = None


@dataclass
class RunnerCfg:
    """The runner configuration of the task, small."""

    seed: int = 42
    num_steps_per_env: int = 8
    max_iterations: int = 20
    save_interval: int = 50
    clip_actions: float | None = None
    experiment_name: str = "point"
    logger: str = "tensorboard"
    device: str = "cpu"
    upload_model: bool = False
    obs_groups: dict[str, Any] = field(default_factory=lambda: {"actor": ["actor"], "critic": ["critic"]})
    actor: dict[str, Any] = field(
        default_factory=lambda: {
            "class_name": "MLPModel",
            "hidden_dims": [16],
            "activation": "elu",
            "distribution_cfg": {"class_name": "GaussianDistribution", "init_std": 1.0, "std_type": "scalar"},
        }
    )
    critic: dict[str, Any] = field(
        default_factory=lambda: {"class_name": "MLPModel", "hidden_dims": [16], "activation": "elu"}
    )
    algorithm: Any = field(default_factory=AlgorithmCfg)


def vec_env(env: Any) -> Any:
    """The environment in the form that rsl_rl wants."""
    from rsl_rl.env import VecEnv
    from tensordict import TensorDict

    class PointVecEnv(VecEnv):
        def __init__(self) -> None:
            self.env, self.cfg = env, env.cfg
            self.num_envs, self.device, self.num_actions = env.num_envs, "cpu", 1
            self.max_episode_length = env.max_episode_length
            self.env.reset()

        @property
        def unwrapped(self) -> Any:
            return self.env

        @property
        def episode_length_buf(self) -> torch.Tensor:
            return self.env.episode_length_buf

        @episode_length_buf.setter
        def episode_length_buf(self, value: torch.Tensor) -> None:
            self.env.episode_length_buf = value

        def get_observations(self) -> Any:
            return TensorDict(self.env.observations(), batch_size=[self.num_envs])

        def reset(self) -> Any:
            self.env.reset()
            return self.get_observations(), {}

        def step(self, actions: torch.Tensor) -> Any:
            seen, reward, ended, timed, extras = self.env.step(actions)
            extras = {**extras, "time_outs": timed}
            return TensorDict(seen, batch_size=[self.num_envs]), reward, (ended | timed).long(), extras

    return PointVecEnv()
