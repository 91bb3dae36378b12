"""PPO of rsl_rl (ETH Zurich and NVIDIA) on our simulator, with the same network, rollouts and hyper-parameters.

Where it has no counterpart of ours it keeps its own way: advantages, no scaling of rewards, a clip of the gradient for
each network.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import torch
from rsl_rl.env import VecEnv
from rsl_rl.runners import OnPolicyRunner
from tensordict import TensorDict

from eureka.tasks.ppo import PPOConfig
from peers.measuring import Sampler, told
from peers.setups import ant
from peers.worlds_env import TaskWorlds, with_graph


class RslWorlds(VecEnv):
    """`TaskWorlds` with the interface that rsl_rl expects."""

    def __init__(self, worlds: TaskWorlds) -> None:
        self._worlds = worlds
        self.num_envs = worlds.num_envs
        self.num_actions = worlds.num_actions
        self.max_episode_length = worlds.task.info.max_episode_steps
        self.episode_length_buf = torch.zeros(self.num_envs, dtype=torch.int64)
        self.device = "cpu"
        self.cfg: dict[str, Any] = {}

    def get_observations(self) -> TensorDict:
        """See `VecEnv`."""
        return TensorDict({"policy": self._worlds.observation}, batch_size=[self.num_envs])

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """See `VecEnv`."""
        made = self._worlds.step(actions)
        done = made.terminated | made.truncated
        return self.get_observations(), made.reward, done.long(), {"time_outs": made.truncated.float()}


class _Enough(Exception):
    """Raised when the training has run for long enough."""


class _Listener:
    """Replaces rsl_rl's logger: is called after every update, and writes nothing."""

    writer = None

    def __init__(self, after_update: Callable[[], bool]) -> None:
        self._after_update = after_update

    def init_logging_writer(self) -> None: ...

    def process_env_step(self, *args: object) -> None: ...

    def log(self, **values: object) -> None:
        del values
        if not self._after_update():
            raise _Enough


def configuration(ppo: PPOConfig, adaptive: bool = False) -> dict[str, Any]:
    """rsl_rl's configuration for these hyper-parameters; `adaptive`: with the learning rate that it adapts itself."""
    network = {
        "class_name": "MLPModel",
        "hidden_dims": list(ppo.hidden),
        "activation": ppo.activation,
        "obs_normalization": True,
    }
    spread = {"class_name": "GaussianDistribution", "init_std": ppo.initial_std, "std_type": "log"}
    return {
        "num_steps_per_env": ppo.horizon,
        "save_interval": 1_000_000,
        "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
        "actor": {**network, "distribution_cfg": spread},
        "critic": dict(network),
        "algorithm": {
            "class_name": "PPO",
            "num_learning_epochs": ppo.epochs,
            "num_mini_batches": ppo.minibatches,
            "clip_param": ppo.clip,
            "gamma": ppo.gamma,
            "lam": ppo.gae_lambda,
            "value_loss_coef": ppo.value_weight,
            "entropy_coef": ppo.entropy,
            "learning_rate": ppo.learning_rate,
            "max_grad_norm": ppo.max_grad_norm,
            "use_clipped_value_loss": False,
            "schedule": "adaptive" if adaptive else "fixed",
            "desired_kl": 0.01,
            "rnd_cfg": None,
            "symmetry_cfg": None,
        },
    }


def train(
    worlds: TaskWorlds, ppo: PPOConfig, seed: int, after_update: Callable[[], bool], adaptive: bool = False
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Train until `after_update` returns False; returns the policy's mean, (N, obs_dim) -> (N, num_actions)."""
    torch.manual_seed(seed)
    with contextlib.redirect_stdout(io.StringIO()):
        runner = OnPolicyRunner(RslWorlds(worlds), configuration(ppo, adaptive), log_dir=None, device="cpu")
    runner.logger = _Listener(after_update)
    with contextlib.suppress(_Enough):
        runner.learn(num_learning_iterations=1_000_000_000)
    policy = runner.get_inference_policy()

    @torch.no_grad()
    def act(observation: torch.Tensor) -> torch.Tensor:
        mean: torch.Tensor = policy(TensorDict({"policy": observation}, batch_size=[len(observation)]))
        return mean.clamp(-1, 1)

    return act


def main() -> None:
    """Train one policy in this process."""
    training = told()
    torch.set_num_threads(1)
    with ant(training.physics) as task:
        sampler = Sampler(training.seconds)
        rows = training.num_envs * training.ppo.horizon
        updates = 0

        def after_update() -> bool:
            nonlocal updates
            updates += 1
            return sampler.update(updates * rows)

        worlds = with_graph(task, training.num_envs, training.seed)
        sampler.update(0)
        train(worlds, training.ppo, training.seed, after_update)


if __name__ == "__main__":
    main()
