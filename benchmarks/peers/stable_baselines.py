"""PPO of Stable-Baselines3, with the same network, rows an update and hyper-parameters.

For throughput it steps plain Gymnasium environments, in processes of their own (`subprocess`, its `SubprocVecEnv`) or
all in its own (`dummy`, its `DummyVecEnv`); without `VecNormalize`, which would cost it time. For scores it steps our
simulator, with `VecNormalize` as is usual for these bodies.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecNormalize

from eureka.tasks.ppo import PPOConfig
from peers.measuring import Sampler, told
from peers.one_world import AntWorld, save_model
from peers.setups import ant
from peers.worlds_env import TaskWorlds

SUBPROCESSES = 8
"""Environments in processes of their own: more of them than cores only costs memory, and fewer starve the policy."""
_ACTIVATIONS = {"elu": torch.nn.ELU, "relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}


class SB3Worlds(VecEnv):
    """`TaskWorlds` with the interface of Stable-Baselines3's vectorised environments."""

    def __init__(self, worlds: TaskWorlds) -> None:
        self._worlds = worlds
        self._action = torch.zeros(worlds.num_envs, worlds.num_actions)
        observations = Box(-np.inf, np.inf, (worlds.observation.shape[1],))
        super().__init__(worlds.num_envs, observations, Box(-1.0, 1.0, (worlds.num_actions,)))

    def reset(self) -> np.ndarray:
        """The current observation: the worlds reset themselves."""
        return self._worlds.observation.numpy().copy()

    def step_async(self, actions: np.ndarray) -> None:
        """See `VecEnv`."""
        self._action = torch.from_numpy(actions)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """See `VecEnv`."""
        made = self._worlds.step(self._action)
        done = (made.terminated | made.truncated).numpy()
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for index in np.flatnonzero(done):
            infos[index] = {
                "terminal_observation": made.final_observation[index].numpy(),
                "TimeLimit.truncated": bool(made.truncated[index]),
            }
        return made.observation.numpy().copy(), made.reward.numpy(), done, infos

    def close(self) -> None: ...

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Called for `render_mode`, which is None."""
        del indices
        return [getattr(self, attr_name, None)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """See `VecEnv`."""
        raise NotImplementedError

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """See `VecEnv`."""
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class: type[gymnasium.Wrapper], indices: Any = None) -> list[bool]:
        """Nothing is wrapped."""
        del wrapper_class, indices
        return [False] * self.num_envs


class _AfterUpdate(BaseCallback):
    """Checks after every update, before the next rollout, whether to continue."""

    def __init__(self, after_update: Callable[[], bool]) -> None:
        super().__init__()
        self._after_update = after_update
        self._go_on = True
        self._rollouts = 0

    def _on_rollout_start(self) -> None:
        if self._rollouts:
            self._go_on = self._after_update()
        self._rollouts += 1

    def _on_step(self) -> bool:
        return self._go_on


def make(env: VecEnv, ppo: PPOConfig, rows: int, seed: int) -> PPO:
    """Its PPO for these hyper-parameters, with updates of `rows` rows."""
    return PPO(
        "MlpPolicy",
        env,
        learning_rate=ppo.learning_rate,
        n_steps=rows // env.num_envs,
        batch_size=rows // ppo.minibatches,
        n_epochs=ppo.epochs,
        gamma=ppo.gamma,
        gae_lambda=ppo.gae_lambda,
        clip_range=ppo.clip,
        ent_coef=ppo.entropy,
        vf_coef=ppo.value_weight,
        max_grad_norm=ppo.max_grad_norm,
        policy_kwargs={
            "net_arch": {"pi": list(ppo.hidden), "vf": list(ppo.hidden)},
            "activation_fn": _ACTIVATIONS[ppo.activation],
            "log_std_init": float(np.log(ppo.initial_std)),
        },
        seed=seed,
        device="cpu",
    )


def train(worlds: TaskWorlds, ppo: PPOConfig, seed: int, updates: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """Train on our simulator; gives the policy's mean, (N, obs_dim) -> (N, num_actions)."""
    env = VecNormalize(SB3Worlds(worlds), gamma=ppo.gamma)
    rows = worlds.num_envs * ppo.horizon
    model = make(env, ppo, rows, seed)
    model.learn(updates * rows)

    def act(observation: torch.Tensor) -> torch.Tensor:
        mean, _ = model.predict(env.normalize_obs(observation.numpy()).astype(np.float32), deterministic=True)
        return torch.from_numpy(mean)

    return act


def _vectors(kind: str, makers: Sequence[Callable[[], gymnasium.Env[Any, Any]]]) -> VecEnv:
    if kind == "subprocess":
        return SubprocVecEnv(list(makers[:SUBPROCESSES]), start_method="fork")
    return DummyVecEnv(list(makers))


def main() -> None:
    """Train one policy in this process."""
    training = told()
    torch.set_num_threads(1)
    ppo = training.ppo
    with ant(training.physics) as task, tempfile.TemporaryDirectory() as folder:
        if training.physics == "stock":
            maker: Callable[[], gymnasium.Env[Any, Any]] = partial(gymnasium.make, "Ant-v5")
        else:
            path = Path(folder) / "ant.mjb"
            save_model(task.model, path)
            maker = partial(AntWorld, path, task.info.physics.substeps, task.info.max_episode_steps)
        env = _vectors(training.vectors, [maker] * training.num_envs)
        sampler = Sampler(training.seconds)
        rows = training.num_envs * ppo.horizon
        model = make(env, ppo, rows, training.seed)
        sampler.update(0)
        model.learn(1_000_000_000, callback=_AfterUpdate(lambda: sampler.update(model.num_timesteps)))
        env.close()


if __name__ == "__main__":
    main()
