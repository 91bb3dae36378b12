"""Stable-Baselines3's algorithms: which ones fit an action space, how they are made, and their state without pickle."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import DQN, PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.noise import NormalActionNoise, OrnsteinUhlenbeckActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from eureka.core.errors import ConfigError, TrainingError
from eureka.trainers.gymnasium.settings import AlgorithmSettings
from eureka.trainers.tensor_file import read_tensor_file

ALGORITHMS: Mapping[str, type[BaseAlgorithm]] = {"ppo": PPO, "sac": SAC, "td3": TD3, "dqn": DQN}
_ACTIONS: Mapping[str, tuple[type[Any], ...]] = {
    "ppo": (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary),
    "sac": (spaces.Box,),
    "td3": (spaces.Box,),
    "dqn": (spaces.Discrete,),
}
_ACTIVATIONS = {name: getattr(torch.nn, name) for name in ("ReLU", "Tanh", "ELU", "GELU", "SiLU", "LeakyReLU")}
_NOISE = {"normal": NormalActionNoise, "ornstein-uhlenbeck": OrnsteinUhlenbeckActionNoise}


def require_fit(algorithm: str, action: Any) -> None:
    """Raise ConfigError if an algorithm does not support these actions; the message names those that do."""
    if not isinstance(action, _ACTIONS[algorithm]):
        fit = [f"sb3.{name}" for name, kinds in _ACTIONS.items() if isinstance(action, kinds)]
        raise ConfigError(f"trainer=sb3.{algorithm}: it cannot have actions of {action}; {' or '.join(fit)} can")


def make_algorithm(settings: AlgorithmSettings, env: VecEnv, seed: int, whole_steps: int) -> BaseAlgorithm:
    """An untrained algorithm.

    Args:
        whole_steps: control steps of the complete training, which schedules refer to, even if it is stopped in between.
    """
    arguments = settings.values
    noise = _noise(arguments.pop("noise_type", None), arguments.pop("noise_std", 0.1), env.action_space)
    if noise is not None:
        arguments["action_noise"] = noise
    policy = dict(arguments.pop("policy_kwargs", {}))
    if "activation_fn" in policy:
        policy["activation_fn"] = _ACTIVATIONS[policy["activation_fn"]]
    arguments = {name: _schedule(value) for name, value in arguments.items()}
    if settings.algorithm == "ppo":
        rows = env.num_envs * int(arguments.get("n_steps", 2048))
        arguments["batch_size"] = min(int(arguments.get("batch_size", 64)), rows)
    model = ALGORITHMS[settings.algorithm](
        "MlpPolicy", env, seed=seed, device="cpu", policy_kwargs=policy or None, **arguments
    )
    model.set_logger(Logger(None, []))  # without a folder: `configure` would make one in the temporary folder

    def progress(num_timesteps: int, _total_timesteps: int) -> None:
        model._current_progress_remaining = max(1.0 - num_timesteps / whole_steps, 0.0)

    # A training is a sequence of calls of `learn`, each of which would treat itself as a complete training.
    model._update_current_progress_remaining = progress  # type: ignore[method-assign, assignment]
    return model


def _schedule(value: Any) -> Any:
    """A schedule: `lin_3e-4` falls linearly from that value to 0."""
    if isinstance(value, str) and value.startswith("lin_"):
        start = float(value.removeprefix("lin_"))
        return lambda remaining: remaining * start
    return value


def _noise(kind: str | None, std: float, action: Any) -> Any:
    if kind is None:
        return None
    size = int(np.prod(action.shape))
    return _NOISE[kind](mean=np.zeros(size), sigma=float(std) * np.ones(size))


# ---- a policy as bytes -------------------------------------------------------------------------------------------


def policy_format(algorithm: str) -> str:
    """The format name of an algorithm's policies."""
    return f"sb3-{algorithm}"


def policy_bytes(model: BaseAlgorithm, settings: AlgorithmSettings, normal: VecNormalize | None) -> bytes:
    """A policy as bytes: weights, the settings that define the network, and observation statistics. Readable with
    `weights_only`.
    """
    buffer = io.BytesIO()
    torch.save(
        {
            "settings": json.dumps([settings.algorithm, settings.num_envs, settings.arguments, settings.normalize]),
            "weights": model.policy.state_dict(),
            "normal": normal_state(normal),
        },
        buffer,
    )
    return buffer.getvalue()


def read_policy_bytes(data: bytes) -> tuple[AlgorithmSettings, dict[str, Any]]:
    """Read the bytes of `policy_bytes`: the settings, and everything else.

    Raises:
        TrainingError: the bytes are not such a file.
    """
    try:
        loaded = read_tensor_file(data)
        settings = AlgorithmSettings(*json.loads(loaded["settings"]))
        known = settings.algorithm in ALGORITHMS and {"weights", "normal"} <= loaded.keys()
    except Exception as error:  # torch, zip and JSON raise various errors for invalid bytes
        raise TrainingError(f"this is no policy that Stable-Baselines3 trained: {type(error).__name__}") from error
    if not known:
        raise TrainingError("this is no policy that Stable-Baselines3 trained here")
    return settings, loaded


def load_weights(model: BaseAlgorithm, weights: Mapping[str, Any]) -> None:
    """Load weights into a policy.

    Raises:
        TrainingError: the weights belong to another network.
    """
    try:
        model.policy.load_state_dict(dict(weights))
    except (RuntimeError, KeyError, TypeError) as error:
        raise TrainingError(f"the policy is of another network: {' '.join(str(error).split())[:200]}") from error


# ---- a training as data ------------------------------------------------------------------------------------------


def normalized(env: VecEnv, settings: AlgorithmSettings) -> VecNormalize | None:
    """The wrapper that normalises observations and rewards to mean 0 and standard deviation 1 by running statistics;
    None if the settings have none. Categorical observations are unchanged.
    """
    if not settings.normalize:
        return None
    arguments = {"gamma": settings.discount, **json.loads(settings.normalize)}
    if not isinstance(env.observation_space, spaces.Box):
        arguments["norm_obs"] = False
    return VecNormalize(env, **arguments)


def normal_state(normal: VecNormalize | None) -> dict[str, Any]:
    """The statistics of a VecNormalize as tensors; empty without one."""
    if normal is None:
        return {}
    found: dict[str, Any] = {"obs": getattr(normal, "obs_rms", None), "ret": normal.ret_rms}
    return {
        name: [torch.as_tensor(np.asarray(rms.mean)), torch.as_tensor(np.asarray(rms.var)), float(rms.count)]
        for name, rms in found.items()
        if rms is not None
    }


def set_normal(normal: VecNormalize | None, state: Mapping[str, Any]) -> None:
    """Restore the state of `normal_state`."""
    for name, attribute in (("obs", "obs_rms"), ("ret", "ret_rms")):
        if normal is not None and name in state:
            rms = getattr(normal, attribute)
            mean, var, rms.count = state[name]
            rms.mean, rms.var = mean.numpy(), var.numpy()


def training_state(model: BaseAlgorithm) -> dict[str, Any]:
    """Weights, optimizers, counters and the replay buffer as tensors and plain numbers."""
    state: dict[str, Any] = {
        "parameters": model.get_parameters(),
        "variables": {name: _attribute(model, name).detach() for name in model._get_torch_save_params()[1]},
        "num_timesteps": model.num_timesteps,
        "updates": model._n_updates,
    }
    if isinstance(model, OffPolicyAlgorithm) and model.replay_buffer is not None:
        buffer = model.replay_buffer
        size = buffer.buffer_size if buffer.full else buffer.pos
        state["buffer"] = {name: torch.from_numpy(array[:size].copy()) for name, array in _arrays(buffer).items()}
        state["buffer_at"] = [buffer.pos, buffer.full]
    if isinstance(model, DQN):
        state["calls"] = model._n_calls
    return state


def set_training_state(model: BaseAlgorithm, state: Mapping[str, Any]) -> None:
    """Restore the state of `training_state`."""
    model.set_parameters(dict(state["parameters"]))
    for name, value in state["variables"].items():
        _attribute(model, name).data.copy_(value)
    model.num_timesteps, model._n_updates = state["num_timesteps"], state["updates"]
    if isinstance(model, OffPolicyAlgorithm) and model.replay_buffer is not None:
        buffer = model.replay_buffer
        for name, array in _arrays(buffer).items():
            kept = state["buffer"][name].numpy()
            array[: len(kept)] = kept
        buffer.pos, buffer.full = state["buffer_at"]
    if isinstance(model, DQN):
        model._n_calls = state["calls"]


def _arrays(buffer: Any) -> dict[str, np.ndarray]:
    names = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")
    return {name: array for name in names if isinstance(array := getattr(buffer, name, None), np.ndarray)}


def _attribute(model: Any, path: str) -> Any:
    for name in path.split("."):
        model = getattr(model, name)
    return model


Predictor = Callable[[np.ndarray], np.ndarray]
"""A policy as a function: plain observations (num, ...) to actions (num, ...)."""


def predictor(model: BaseAlgorithm, normal: VecNormalize | None) -> Predictor:
    """The deterministic policy of a model."""

    def predict(observation: np.ndarray) -> np.ndarray:
        seen = normal.normalize_obs(observation) if normal is not None else observation
        action, _ = model.predict(seen, deterministic=True)
        return action

    return predict
