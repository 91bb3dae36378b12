"""One training by Stable-Baselines3's PPO, with a reward graph in place of the environment's reward."""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Discrete
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecEnvWrapper

from eureka.core.training import Progress, TrainingResult
from eureka.core.types import Rejected, Stage
from eureka.reward.graph.runtime import compile_graph
from eureka.trainers.gymnasium.environment import make_environment, read_state
from eureka.trainers.gymnasium.settings import TrainingOrder
from eureka.trainers.statistics import ComponentRecorder

POLICY_FORMAT = "sb3-ppo"
_TRAINING, _EVALUATION = range(2)  # streams of random numbers of one seed
_UNTRAINED_SEEDS = 2**32  # evaluation episodes start with seeds from here, trainings with lower ones
_RECENT_EPISODES = 32


class NotFiniteError(Exception):
    """A reward became NaN or infinite; the message names its components."""


class RewardedVecEnv(VecEnvWrapper):
    """Gives a reward graph's totals in place of the environment's rewards, and records both.

    The graph is computed once per vector step, on the State after the action and before any reset.
    """

    def __init__(self, venv: VecEnv, graph: str) -> None:
        super().__init__(venv)
        self._reward = compile_graph(graph) if graph else None
        self._is_discrete = isinstance(venv.observation_space, Discrete)
        self._actions = np.zeros(0)
        self._returns, self._lengths = np.zeros(venv.num_envs), np.zeros(venv.num_envs)
        self._rows: list[tuple[torch.Tensor, Mapping[str, torch.Tensor], torch.Tensor]] = []
        self.recorder: ComponentRecorder | None = None
        self.recent: deque[tuple[float, int]] = deque(maxlen=_RECENT_EPISODES)

    def reset(self) -> Any:
        return self.venv.reset()

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = np.asarray(actions)
        self.venv.step_async(actions)

    def step_wait(self) -> Any:
        observation, own, dones, infos = self.venv.step_wait()
        self._follow_episodes(own, dones)
        metric = torch.as_tensor(own).float()
        components: Mapping[str, torch.Tensor] = {}
        if self._reward is None:
            total = metric
        else:
            seen = np.array(observation)
            for index in np.flatnonzero(dones):
                seen[index] = infos[index]["terminal_observation"]
            total, components = self._reward(read_state(seen, self._actions, is_discrete=self._is_discrete))
            if not bool(total.isfinite().all()):
                broken = [f"`{name}`" for name, value in components.items() if not bool(value.isfinite().all())]
                raise NotFiniteError(f"component {', '.join(broken)}" if broken else "the total")
        self._rows.append((total, components, metric))
        return observation, total.double().numpy(), dones, infos

    def _follow_episodes(self, own: np.ndarray, dones: np.ndarray) -> None:
        self._returns += own
        self._lengths += 1
        for index in np.flatnonzero(dones):
            self.recent.append((float(self._returns[index]), int(self._lengths[index])))
            self._returns[index] = self._lengths[index] = 0

    def end_rollout(self) -> tuple[float, float]:
        """Take what was recorded into the statistics; gives the mean return and length of recent episodes."""
        totals, parts, metrics = zip(*self._rows, strict=True)
        self._rows = []
        self.recorder = self.recorder or ComponentRecorder(tuple(parts[0]))
        joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        self.recorder.add(torch.cat(totals), joined, torch.cat(metrics))
        if not self.recent:
            return 0.0, 0.0
        returns, lengths = zip(*self.recent, strict=True)
        return float(np.mean(returns)), float(np.mean(lengths))


def train(order: TrainingOrder) -> Iterator[Progress | Rejected | TrainingResult]:
    """Train one policy; ends in one `TrainingResult` or `Rejected`."""
    started = time.monotonic()
    settings = order.settings
    env = RewardedVecEnv(DummyVecEnv([_maker(order.environment)] * settings.num_envs), order.graph)
    model = PPO(
        "MlpPolicy",
        env,
        n_steps=settings.n_steps,
        batch_size=min(settings.batch_size, settings.rows),
        n_epochs=settings.n_epochs,
        learning_rate=settings.learning_rate,
        gamma=settings.gamma,
        gae_lambda=settings.gae_lambda,
        clip_range=settings.clip_range,
        ent_coef=settings.ent_coef,
        seed=_seed(order.seed, _TRAINING),
        device="cpu",
    )
    curves: dict[str, list[float]] = {"steps": [], "metric": [], "episode_length": []}
    checkpoints: list[tuple[int, list[float]]] = []
    for update in range(1, order.evaluated_after[-1] + 1):
        try:
            model.learn(settings.rows, reset_num_timesteps=False)
        except NotFiniteError as error:
            yield _rejected(order, error, update)
            return
        metric, length = env.end_rollout()
        curves["steps"].append(float(update * settings.rows))
        curves["metric"].append(metric)
        curves["episode_length"].append(length)
        if update in order.evaluated_after:
            checkpoints.append((update * settings.rows, evaluate(model, order)))
        yield Progress(order.candidate_id, order.seed, update * settings.rows, metric, length)
    env.close()
    yield _result(order, env, model, curves, checkpoints, time.monotonic() - started)


def evaluate(model: PPO, order: TrainingOrder) -> list[float]:
    """The environment's own return of each evaluation episode of the deterministic policy."""
    env = DummyVecEnv([_maker(order.environment)] * order.eval_episodes)
    env.seed(_UNTRAINED_SEEDS + _seed(order.seed, _EVALUATION))
    observation = env.reset()
    returns, running = np.zeros(env.num_envs), np.ones(env.num_envs, dtype=bool)
    while running.any():
        action, _ = model.predict(observation, deterministic=True)  # type: ignore[arg-type]
        observation, reward, dones, _ = env.step(action)
        returns += np.where(running, reward, 0.0)
        running &= ~dones
    env.close()
    return [float(value) for value in returns]


def _maker(identity: str) -> Callable[[], Any]:
    return lambda: make_environment(identity)


def _seed(seed: int, purpose: int) -> int:
    return int(np.random.SeedSequence([seed, purpose]).generate_state(1)[0])


def _rejected(order: TrainingOrder, error: NotFiniteError, update: int) -> Rejected:
    steps = (update - 1) * order.settings.rows
    reason = f"{error} became NaN or infinite on states met in training"
    return Rejected(
        candidate_id=order.candidate_id,
        stage=Stage.TRAIN,
        reason=f"after {steps} steps {reason}",
        feedback=f"Training was stopped after {steps} steps because {reason}. Clamp what is divided or exponentiated.",
    )


def _result(
    order: TrainingOrder,
    env: RewardedVecEnv,
    model: PPO,
    curves: dict[str, list[float]],
    checkpoints: list[tuple[int, list[float]]],
    wall_s: float,
) -> TrainingResult:
    recorder = env.recorder
    assert recorder is not None
    policy = io.BytesIO()
    torch.save(model.policy.state_dict(), policy)
    return TrainingResult(
        candidate_id=order.candidate_id,
        seed=order.seed,
        final_scores=tuple(checkpoints[-1][1]),
        steps=tuple(int(steps) for steps in curves["steps"]),
        metric=tuple(curves["metric"]),
        episode_length=tuple(curves["episode_length"]),
        total=recorder.curve("total"),
        components={name: recorder.curve(name) for name in recorder.components},
        statistics=recorder.statistics(),
        checkpoint_scores=tuple(float(np.mean(scores)) for _, scores in checkpoints),
        checkpoint_steps=tuple(steps for steps, _ in checkpoints),
        policy=policy.getvalue(),
        policy_format=POLICY_FORMAT,
        wall_s=wall_s,
    )
