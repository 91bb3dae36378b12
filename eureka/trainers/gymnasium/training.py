"""One training with a reward graph in place of the environment's reward; it can be stopped and continued."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka.core.errors import TrainingError
from eureka.core.serialize import dumps
from eureka.core.training import Progress, TrainingResult
from eureka.core.types import Rejected
from eureka.trainers.curves import TrainingCurves, not_finite
from eureka.trainers.gymnasium.algorithms import (
    Predictor,
    load_weights,
    make_algorithm,
    normal_state,
    normalized,
    policy_bytes,
    policy_format,
    predictor,
    read_policy_bytes,
    set_normal,
    set_training_state,
    training_state,
)
from eureka.trainers.gymnasium.environment import EPISODE_METRIC, EnvironmentMaker, ObservedEnvironment
from eureka.trainers.gymnasium.recipe import EnvironmentRecipe, load_function
from eureka.trainers.gymnasium.rewarding import NotFiniteError, RewardedVecEnv, RewardMeter
from eureka.trainers.gymnasium.settings import TrainingOrder

_TRAINING, _EVALUATION, _CONTINUED = range(3)  # independent random streams of one seed
_FORMAT = 2
"""Format of checkpoints; one of another format is not continued."""
_SEEDS = 2**30
"""Training episodes have seeds below this, evaluation episodes have seeds from here to twice as much."""

Emit = Callable[[Progress | Rejected | TrainingResult], None]


@lru_cache(maxsize=4)
def maker_of(recipe: EnvironmentRecipe) -> EnvironmentMaker:
    """The maker of a recipe's environments; cached, because all trainings of a run share it."""
    return EnvironmentMaker(recipe)


def train(order: TrainingOrder, emit: Emit) -> None:
    """Train one policy; the last event is a `TrainingResult` or a `Rejected`."""
    curves = _Curves(order, emit)
    try:
        if order.settings.is_own:
            _train_by_function(order, curves)
        else:
            Training(order, curves).run()
    except NotFiniteError as error:
        what = f"{error} became NaN or infinite on states met in training"
        emit(not_finite(order.candidate_id, curves.done, what))


class _Curves(TrainingCurves):
    """The curves of a training so far, point by point."""

    def __init__(self, order: TrainingOrder, emit: Emit) -> None:
        super().__init__()
        self._order, self._emit = order, emit
        self.wall_s = 0.0
        self._started = time.monotonic()

    @property
    def done(self) -> int:
        """The number of control steps so far."""
        return self.steps[-1] if self.steps else 0

    def add(self, meter: RewardMeter, steps: int) -> None:
        """Add a point to the curves, after `steps` control steps."""
        metric, length = meter.end_rollout()
        self.updated(steps, metric, length)
        self._emit(Progress(self._order.candidate_id, self._order.seed, steps, metric, length))

    def state_dict(self) -> dict[str, Any]:
        return asdict(self) | {"wall_s": self.wall_s + time.monotonic() - self._started}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)

    def finish(self, meter: RewardMeter, policy: bytes, kind: str) -> None:
        """Emit the result."""
        recorder, order = meter.recorder, self._order
        assert recorder is not None
        wall_s = self.wall_s + time.monotonic() - self._started
        result = self.result(order.candidate_id, order.seed, recorder)
        self._emit(replace(result, policy=policy, policy_format=kind, wall_s=wall_s))


class Training:
    """A training by an algorithm of Stable-Baselines3."""

    def __init__(self, order: TrainingOrder, curves: _Curves) -> None:
        self._order, self._curves = order, curves
        settings = order.settings
        maker = maker_of(order.environment)
        venv = make_vec_env(maker, settings.num_envs)
        self._meter = RewardMeter(order.graph, maker.reader, settings.num_envs)
        env: Any = RewardedVecEnv(venv, self._meter)
        self._normal = normalized(env, settings)
        self._env = env = env if self._normal is None else self._normal
        self._points = order.evaluated_after
        whole = replace(order, stop_after=None).evaluated_after[-1] * order.rows
        self._model = make_algorithm(settings, env, seed_of(order.seed, _TRAINING), whole)
        self._path = Path(order.checkpoint) if order.checkpoint else None

    def run(self) -> None:
        """Train from the checkpoint, if any, to the end of the order."""
        order, curves = self._order, self._curves
        if not self._resume() and order.start:
            _, kept = read_policy_bytes(order.start)
            load_weights(self._model, kept["weights"])
            set_normal(self._normal, kept["normal"])
        for point in range(len(curves.steps) + 1, self._points[-1] + 1):
            self._model.learn(order.rows, reset_num_timesteps=False)
            curves.add(self._meter, point * order.rows)
            if point in self._points:
                curves.evaluated(evaluate(predictor(self._model, self._normal), order))
                self._keep()
        self._env.close()
        settings = order.settings
        curves.finish(self._meter, policy_bytes(self._model, settings, self._normal), policy_format(settings.algorithm))

    def _keep(self) -> None:
        """Write a checkpoint with everything needed to continue, atomically."""
        if self._path is None:
            return
        state = {
            "order": _digest(self._order),
            "training": training_state(self._model),
            "normal": normal_state(self._normal),
            "meter": self._meter.state_dict(),
            "curves": self._curves.state_dict(),
        }
        written = self._path.with_suffix(f".{os.getpid()}")
        torch.save(state, written)
        written.replace(self._path)

    def _resume(self) -> bool:
        """Load the order's checkpoint if there is one; only tensors and plain values are read."""
        if self._path is None or not self._path.is_file():
            return False
        state = torch.load(self._path, weights_only=True)
        if state["order"] != _digest(self._order):
            return False
        set_training_state(self._model, state["training"])
        set_normal(self._normal, state["normal"])
        self._meter.load_state_dict(state["meter"])
        self._curves.load_state_dict(state["curves"])
        # The state of environments cannot be restored: their episodes and random streams begin anew.
        fresh = seed_of(self._order.seed, _CONTINUED, self._model.num_timesteps)
        self._model.set_random_seed(fresh)
        return True


def _train_by_function(order: TrainingOrder, curves: _Curves) -> None:
    """A training by the user's own `train(env, steps, seed) -> policy`."""
    function = load_function(order.settings.algorithm, order.environment.folder)
    maker = maker_of(order.environment)
    meter = RewardMeter(order.graph, maker.reader, 1)
    env = _MeteredEnvironment(maker.make(), meter, curves, order)
    policy = function(env, order.steps, seed_of(order.seed, _TRAINING))
    env.close()
    if env.steps > curves.done or not curves.steps:
        env.require_steps()
        curves.add(meter, env.steps)
    curves.evaluated(evaluate(_own_predictor(policy, order), order))
    curves.finish(meter, b"", "")


class _MeteredEnvironment(gymnasium.Wrapper[Any, Any, Any, Any]):
    """One environment with the meter's reward, for a user's own trainer."""

    def __init__(self, env: Any, meter: RewardMeter, curves: _Curves, order: TrainingOrder) -> None:
        super().__init__(env)
        self._meter, self._curves, self._order = meter, curves, order
        self.steps = 0

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, own, terminated, truncated, info = self.env.step(action)
        done = np.array([terminated or truncated])
        reward = float(self._meter.rewards(np.array([own]), done, [info])[0])
        self.steps += 1
        if self.steps % self._order.rows == 0:
            self._curves.add(self._meter, self.steps)
        return observation, reward, terminated, truncated, {}

    def require_steps(self) -> None:
        """Raise if the function took no step."""
        if self.steps == 0:
            raise TrainingError(f"trainer={self._order.settings.algorithm}: it took no step in the environment")


def _own_predictor(policy: Any, order: TrainingOrder) -> Predictor:
    if hasattr(policy, "predict"):
        return lambda seen: np.stack([np.asarray(policy.predict(one, deterministic=True)[0]) for one in seen])
    if callable(policy):
        return lambda seen: np.stack([np.asarray(policy(one)) for one in seen])
    raise TrainingError(
        f"trainer={order.settings.algorithm}: it returned {type(policy).__name__}, and a policy is a function of the "
        "observation, or has `predict` as Stable-Baselines3's models do"
    )


def make_vec_env(maker: EnvironmentMaker, num_envs: int) -> DummyVecEnv:
    """Environments that step together; `latest` holds the recorded entries of their last step."""

    def make() -> ObservedEnvironment:
        env = maker.make()
        env.tells = False
        return env

    return DummyVecEnv([make] * num_envs)


def evaluate(predict: Predictor, order: TrainingOrder) -> list[float]:
    """The metric of each evaluation episode of a policy, on seeds that are never used for training."""
    env = make_vec_env(maker_of(order.environment), order.eval_episodes)
    env.seed(_SEEDS + seed_of(order.seed, _EVALUATION) // 2)
    observation = env.reset()
    scores = [float("nan")] * env.num_envs
    running = np.ones(env.num_envs, dtype=bool)
    while running.any():
        observation, _, dones, _ = env.step(predict(observation))  # type: ignore[arg-type]
        for index in np.flatnonzero(dones & running):
            scores[index] = float(env.envs[index].latest[EPISODE_METRIC])  # type: ignore[attr-defined]
        running &= ~dones
    env.close()
    return scores


def seed_of(seed: int, purpose: int, *further: int) -> int:
    """A seed below 2**30: older environments accept no larger ones."""
    return int(np.random.SeedSequence([seed, purpose, *further]).generate_state(1)[0] % _SEEDS)


def _digest(order: TrainingOrder) -> str:
    """A digest of the order without its current stopping point."""
    same = replace(order, stop_after=None, checkpoint="")
    return hashlib.sha256(f"{_FORMAT} {dumps(same)}".encode()).hexdigest()
