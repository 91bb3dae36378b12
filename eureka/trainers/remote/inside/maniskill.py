"""ManiSkill 3 behind the interface that mjlab and Isaac Lab have: its environments, and PPO of rsl_rl for them.

ManiSkill has no managers. What there is of them here is what `OpenEnvironment` uses. Imported only in its interpreter.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import torch

from eureka.trainers.remote.inside.maniskill_view import OWN_TERM, ManiSkillView
from eureka.trainers.remote.inside.simulators import SimulatorError, unknown_task

_ROLLOUT_STEPS, _ROLLOUT_TRANSITIONS = 50, 1_000
"""Control steps of an update at least, and transitions of all environments together at least."""
_TRAINING_STEPS = 10_000_000
_SHOWN = ("_load_agent", "_load_scene", "_initialize_episode", "_get_obs_extra")
"""The methods of an environment whose source a model is shown: none that computes its reward or success."""


class ManiSkill:
    """ManiSkill, 3.0; its own dense reward stands in a table with one term."""

    package = "mani_skill"
    quaternions = "wxyz"

    def __init__(self) -> None:
        import mani_skill.envs  # noqa: F401  # registers the tasks
        from mani_skill.utils import registration

        self._registered = registration.REGISTERED_ENVS
        self._num_envs = 1

    def configs(self, task: str) -> tuple[Any, Any]:
        if task not in self._registered:
            raise unknown_task("ManiSkill", task, sorted(self._registered))
        spec = self._registered[task]
        _require_assets(task, spec.asset_download_ids or ())
        if not spec.max_episode_steps:
            raise SimulatorError(f"{task} has no limit of an episode's steps: register it with max_episode_steps")
        cfg = SimpleNamespace(
            scene=SimpleNamespace(num_envs=1),
            seed=0,
            rewards={OWN_TERM: self.reward_term(own_reward_of(spec.cls), {})},
            curriculum={},
            episode_steps=int(spec.max_episode_steps),
        )
        return cfg, PpoOfManiSkill(self._num_envs)

    def make(self, cfg: Any, task: str, device: str) -> ManiSkillEnv:
        import gymnasium

        self._num_envs = count = int(cfg.scene.num_envs)
        if device == "cpu" and count > 1:
            raise SimulatorError(f"ManiSkill simulates one environment on the CPU: train.num_envs={count} needs a GPU")
        where = "cpu" if device == "cpu" else "gpu"
        base: Any = gymnasium.make(
            task, num_envs=count, obs_mode="state", sim_backend=where, render_backend=where, render_mode="rgb_array"
        ).unwrapped
        if not getattr(base.single_action_space, "shape", None):
            raise SimulatorError(f"{task} has several robots with an action each, which is not supported here")
        return ManiSkillEnv(base, cfg)

    def wrap(self, env: ManiSkillEnv, agent: Any) -> ManiSkillVecEnv:
        del agent
        return ManiSkillVecEnv(env)

    def runner(self, vec_env: ManiSkillVecEnv, agent: PpoOfManiSkill, task: str, device: str) -> Any:
        from rsl_rl.runners import OnPolicyRunner

        del task
        made: Any = vec_env  # has what rsl_rl uses, without its base class
        return OnPolicyRunner(made, agent.rsl_rl(), None, device)

    def reward_manager(self, terms: Any, env: Any) -> UnscaledRewardManager:
        return UnscaledRewardManager(terms, env)

    def reward_term(self, function: Callable[..., torch.Tensor], params: Mapping[str, Any]) -> Any:
        return SimpleNamespace(func=function, weight=1.0, params=dict(params))

    def scales(self, env: Any) -> bool:
        del env
        return False

    def close(self) -> None:
        pass


def _require_assets(task: str, wanted: Any) -> None:
    """Raise SimulatorError if files are missing that ManiSkill would ask at the terminal to download."""
    from mani_skill.utils import assets

    for name in wanted:
        is_group = name in assets.DATA_GROUPS
        sources = assets.expand_data_group_into_individual_data_source_ids(name) if is_group else [name]
        if not all(assets.is_data_source_downloaded(source) for source in sources):
            raise SimulatorError(
                f"{task} wants files from the network: fetch them first by `python -m mani_skill.utils.download_asset "
                f"{task}` in that interpreter"
            )


def own_reward_of(cls: type) -> Callable[..., torch.Tensor]:
    """The term that gives the environment's own reward; its source is that of the environment's dense reward."""
    dense: Any = getattr(cls, "compute_dense_reward", None)

    def own_reward(env: ManiSkillView) -> torch.Tensor:
        return env.own_reward

    return functools.wraps(dense)(own_reward) if dense is not None else own_reward


class PpoOfManiSkill:
    """PPO of rsl_rl with the settings of ManiSkill's own PPO baseline.

    Attributes:
        num_steps_per_env: control steps of each environment in an update.
        max_iterations: updates of a whole training.
    """

    def __init__(self, num_envs: int) -> None:
        self.num_steps_per_env = max(_ROLLOUT_STEPS, -(-_ROLLOUT_TRANSITIONS // num_envs))
        self.max_iterations = max(1, _TRAINING_STEPS // (num_envs * self.num_steps_per_env))
        self.algorithm = SimpleNamespace(gamma=0.8)

    def rsl_rl(self) -> dict[str, Any]:
        """The configuration of rsl_rl's runner."""
        network = {
            "class_name": "MLPModel",
            "hidden_dims": [256, 256, 256],
            "activation": "tanh",
            "obs_normalization": False,
        }
        noise = {"class_name": "GaussianDistribution", "init_std": 0.6, "std_type": "log"}
        return {
            "num_steps_per_env": self.num_steps_per_env,
            "save_interval": self.max_iterations,
            "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
            "actor": {**network, "distribution_cfg": noise},
            "critic": {**network},
            "algorithm": {
                "class_name": "PPO",
                "gamma": self.algorithm.gamma,
                "lam": 0.9,
                "learning_rate": 3e-4,
                "schedule": "fixed",
                "num_learning_epochs": 8,
                "num_mini_batches": 32,
                "clip_param": 0.2,
                "entropy_coef": 0.0,
                "value_loss_coef": 0.5,
                "use_clipped_value_loss": False,
                "max_grad_norm": 0.5,
                "normalize_advantage_per_mini_batch": True,
                "rnd_cfg": None,
                "symmetry_cfg": None,
            },
        }


class UnscaledRewardManager:
    """Weighted terms, as a reward manager keeps them: values are not scaled by the control step."""

    def __init__(self, terms: Mapping[str, Any], env: Any) -> None:
        self._terms, self._env = dict(terms), env
        self.active_terms = list(self._terms)
        self._step_reward = torch.zeros(env.num_envs, len(self._terms), device=env.device)
        self._reward_buf = torch.zeros(env.num_envs, device=env.device)

    def get_term_cfg(self, name: str) -> Any:
        return self._terms[name]

    def compute(self, dt: float) -> torch.Tensor:
        del dt
        values = [term.weight * term.func(self._env, **term.params) for term in self._terms.values()]
        self._step_reward = torch.stack(values, dim=1)
        self._reward_buf = self._step_reward.sum(dim=1)
        return self._reward_buf

    def reset(self, env_ids: Any = None) -> Any:
        """The terms keep nothing from step to step."""


class ManiSkillEnv(ManiSkillView):
    """An environment whose finished episodes begin anew by themselves, with the managers that are asked here.

    Attributes:
        observation: (num_envs, numbers), as `obs_mode=state` gives it.
        default_metric: what judges policies if nobody names a metric; None: the return.
        sentence: what the task is, in the words of its own description.
    """

    def __init__(self, base: Any, cfg: Any) -> None:
        super().__init__(base)
        self.cfg, self.max_episode_length = cfg, cfg.episode_steps
        self.reward_manager = UnscaledRewardManager(cfg.rewards, self)
        never = torch.zeros(self.num_envs, dtype=torch.bool, device=base.device)
        fails = ["fail"] if "fail" in self.info else []
        self.termination_manager = SimpleNamespace(
            active_terms=fails,
            terminated=never,
            get_term_cfg=lambda _: SimpleNamespace(time_out=False),
            get_term=lambda name: self.info[name],
        )
        success = ["success"] if "success" in self.info else []
        self.default_metric = "metrics.success" if success else None
        self.metrics_manager = SimpleNamespace(
            active_terms=success,
            cfg={
                name: SimpleNamespace(reduce="max", lowest=0.0, highest=1.0, unit="share of episodes")
                for name in success
            },
            _step_values=torch.zeros(self.num_envs, len(success), device=base.device),
        )
        self.sentence = _sentence(type(base))
        self._generator = torch.Generator()
        space = base.single_action_space
        self._lowest, self._highest = (torch.as_tensor(bound, device=base.device) for bound in (space.low, space.high))
        self.reset()

    def seed(self, seed: int) -> None:
        """Seed the start states of episodes."""
        torch.manual_seed(seed)
        self._generator.manual_seed(seed)

    def reset(self) -> Any:
        """Begin all episodes anew, each with a start state of its own."""
        seeds = torch.randint(2**31 - 1, (self.num_envs,), generator=self._generator).tolist()
        self.observation, self.info = self.base.reset(seed=seeds)
        self.started()
        return self.observation, self.info

    def step(self, action: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, Any]:
        """Take one step; `time_outs` of the extras are episodes after which the value goes on.

        These are all but failures: a success ends an episode, and goes on in value as in ManiSkill's own PPO baseline,
        since otherwise a policy would gain by not succeeding.
        """
        action = torch.clamp(action, self._lowest, self._highest)
        self.observation, own, terminated, _, info = self.base.step(action)
        self.stepped(action, info, own)
        terminated = terminated.bool()
        self.termination_manager.terminated = terminated
        if self.metrics_manager.active_terms:
            self.metrics_manager._step_values = info["success"].float()[:, None]
        truncated = self.episode_length_buf >= self.max_episode_length
        reward = self.reward_manager.compute(dt=self.step_dt)
        done = terminated | truncated
        extras = {"time_outs": done & ~info["fail"].bool() if "fail" in info else done}
        if bool(done.any()):
            ended = done.nonzero().flatten()
            self.reward_manager.reset(env_ids=ended)
            self.observation, self.info = self.base.reset(options={"env_idx": ended})
            self.started(ended)
        return self.observation, reward, terminated, truncated, extras

    def render(self) -> torch.Tensor:
        """A picture of the first environment, (height, width, 3) of bytes."""
        return self.base.render_rgb_array()[0]

    def close(self) -> None:
        """End the simulation."""
        self.base.close()

    @property
    def shown(self) -> Iterator[str]:
        """What a model is shown: the source of what builds a scene, starts episodes and observes."""
        cls = type(self.base)
        yield f"control step: {self.step_dt:.6g} s; an episode lasts at most {self.max_episode_length} of them"
        yield f"actions: {self.base.control_mode}, {self.action_manager.total_action_dim} numbers"
        for name in _SHOWN:
            owner = next((base for base in cls.__mro__ if name in vars(base)), None)
            if owner is not None and owner.__name__ != "BaseEnv":
                yield ""
                yield from inspect.getsource(vars(owner)[name]).rstrip().splitlines()

    @property
    def facts(self) -> Iterator[str]:
        """Limits of the joints."""
        for name, articulation in self.base.scene.articulations.items():
            limits = articulation.qlimits[0].tolist()
            joints = zip(articulation.active_joints, limits, strict=True)
            told = [f"{joint.name} {low:.3g} to {high:.3g}" for joint, (low, high) in joints]
            yield f"joint limits of {name}: {', '.join(told)}"


def _sentence(cls: type) -> str:
    """The first sentence in which the environment's documentation describes the task; empty where it does not."""
    _, _, rest = (inspect.getdoc(cls) or "").partition("**Task Description:**")
    first, dot, _ = " ".join(rest.partition("**")[0].split()).partition(". ")
    return f"{first}." if dot else first


class ManiSkillVecEnv:
    """The environment for rsl_rl."""

    def __init__(self, env: ManiSkillEnv) -> None:
        self.unwrapped, self.cfg = env, env.cfg
        self.num_envs, self.device = env.num_envs, env.device
        self.num_actions, self.max_episode_length = env.action_manager.total_action_dim, env.max_episode_length
        self.episode_length_buf = torch.zeros(env.num_envs, dtype=torch.long, device=env.device)

    def get_observations(self) -> Any:
        from tensordict import TensorDict

        return TensorDict({"policy": self.unwrapped.observation}, batch_size=[self.num_envs])

    def reset(self) -> tuple[Any, Any]:
        self.unwrapped.reset()
        return self.get_observations(), {}

    def step(self, actions: torch.Tensor) -> tuple[Any, torch.Tensor, torch.Tensor, Any]:
        _, reward, terminated, truncated, extras = self.unwrapped.step(actions)
        return self.get_observations(), reward, (terminated | truncated).long(), extras
