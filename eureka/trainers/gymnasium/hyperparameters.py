"""Reads and checks hyper-parameters of Stable-Baselines3 from a user's YAML file in the format of rl-baselines3-zoo."""

from __future__ import annotations

import ast
import difflib
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from eureka.core.errors import ConfigError
from eureka.trainers.gymnasium.settings import DEFAULTS, AlgorithmSettings

_OURS = ("policy", "env", "seed", "device", "verbose", "tensorboard_log", "_init_setup_model", "stats_window_size")
_ELSEWHERE = {
    "env_wrapper": "give env.wrappers=",
    "frame_stack": "give env.wrappers=FrameStackObservation",
    "callback": "callbacks are not run",
    "her": "relabelling of goals is not supported",
    "replay_buffer_class": "only the usual replay buffer is supported",
}
_BESIDE = ("n_envs", "normalize", "n_timesteps", "noise_type", "noise_std")


@dataclass(frozen=True)
class Hyperparameters:
    """The content of a file for one environment: arguments with the zoo's names, and the length of training."""

    arguments: Mapping[str, Any]
    steps: int | None = None


def read_hyperparameters(path: Path, identity: str) -> Hyperparameters:
    """The entry for an environment, the entry `default`, or a file that is one entry.

    Raises:
        ConfigError: the file cannot be read, has no entry for this environment, or has another format.
    """
    key = f"train.hyperparameters={path}"
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    except OSError as error:
        raise ConfigError(f"{key}: it cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{key}: it is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(loaded, Mapping):
        raise ConfigError(f"{key}: it holds no mapping of environments to hyper-parameters")
    entry: Any = loaded
    if any(isinstance(value, Mapping) and name not in ("policy_kwargs", "normalize") for name, value in loaded.items()):
        short = identity.rpartition(":")[2]
        found = [loaded[name] for name in (identity, short, "default") if name in loaded]
        if not found:
            near = difflib.get_close_matches(short, list(map(str, loaded)), n=3, cutoff=0.4)
            meant = f"; near ones are {', '.join(near)}" if near else ""
            raise ConfigError(f"{key}: it has no entry for {short}, and no `default`{meant}")
        entry = found[0]
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{key}: its entry for {identity} holds no names with values")
    arguments = {str(name): _number(value) for name, value in entry.items()}
    steps = arguments.pop("n_timesteps", None)
    if arguments.pop("policy", "MlpPolicy") not in ("MlpPolicy", "MultiInputPolicy"):
        raise ConfigError(f"{key}: its policy sees pictures, and only MlpPolicy is trained here")
    return Hyperparameters(arguments, int(steps) if steps else None)


def make_settings(
    algorithm: str, given: Mapping[str, Any], num_envs: int | None, what: str = "train.hyperparameters"
) -> AlgorithmSettings:
    """Settings of an algorithm of Stable-Baselines3: our defaults, updated with the given values.

    PPO's observations and rewards are normalised where nothing is given, as numbers of any size may be rewarded and
    seen. What is given is taken as rl-baselines3-zoo takes it, so that nothing is normalised unless it says so.

    Raises:
        ConfigError: the algorithm has no such argument, or a value cannot be read.
    """
    merged = {**DEFAULTS[algorithm], **given}
    normalize = merged.pop("normalize", algorithm == "ppo" and not given)
    envs = num_envs or int(merged.pop("n_envs"))
    merged.pop("n_envs", None)
    _require_known(algorithm, merged, what)
    if "policy_kwargs" in merged:
        merged["policy_kwargs"] = _literal(merged["policy_kwargs"], f"{what}: policy_kwargs")
    freq = merged.get("train_freq", 1)
    if not isinstance(freq, int):
        raise ConfigError(f"{what}: train_freq={freq!r} must be a number of control steps")
    wanted = ""
    if normalize:
        wanted = json.dumps({} if normalize is True else _literal(normalize, f"{what}: normalize"))
    return AlgorithmSettings(algorithm, envs, json.dumps(merged), wanted)


def _require_known(algorithm: str, merged: Mapping[str, Any], what: str) -> None:
    from eureka.trainers.gymnasium.algorithms import ALGORITHMS

    known = [name for name in inspect.signature(ALGORITHMS[algorithm]).parameters if name not in _OURS]
    for name in merged:
        if name in _ELSEWHERE:
            raise ConfigError(f"{what}: `{name}` is not taken here: {_ELSEWHERE[name]}")
        if name not in known and name not in _BESIDE:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise ConfigError(f"{what}: {algorithm.upper()} has no `{name}`{meant}; it has {', '.join(known)}")


def _number(value: Any) -> Any:
    """A number written as text, such as `3e-4`, which YAML does not parse as a number."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _literal(text: Any, what: str) -> Any:
    """A text such as `dict(net_arch=[64, 64], activation_fn=nn.ReLU)` as plain values; names of activations stay texts.

    Only the syntax tree is read; nothing is evaluated.
    """
    if not isinstance(text, str):
        return text

    def plain(node: ast.expr) -> Any:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args:
            return {word.arg: plain(word.value) for word in node.keywords if word.arg}
        if isinstance(node, ast.Dict):
            return {plain(key): plain(value) for key, value in zip(node.keys, node.values, strict=True) if key}
        if isinstance(node, ast.List | ast.Tuple):
            return [plain(each) for each in node.elts]
        if isinstance(node, ast.Attribute):
            return node.attr
        return ast.literal_eval(node)

    try:
        return plain(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError) as error:
        raise ConfigError(f"{what}: `{text}` cannot be read: give names with plain values") from error
