"""One training by rsl_rl with the task's own runner configuration and a given reward."""

from __future__ import annotations

import io
import pickle
import struct
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from eureka.trainers.remote.inside.environment import OpenEnvironment, StepRecord
from eureka.trainers.remote.inside.simulators import SimulatorError
from eureka.trainers.remote.inside.wire import RemoteMessage

_EVALUATION_SEEDS = 2**20
_RECENT_EPISODES = 64
_SEED_STRIDE = 7919

Emit = Callable[[RemoteMessage], None]


@dataclass(frozen=True)
class RemoteOrder:
    """One training.

    Attributes:
        reward: the text of an exported module; None for the task's own table.
        evaluated_after: the updates that are followed by an evaluation; the last one ends the training.
        done: number of updates made by an earlier part of this training, whose checkpoint is given.
    """

    reward: str | None
    seed: int
    evaluated_after: tuple[int, ...]
    eval_episodes: int
    done: int = 0


def train(environment: OpenEnvironment, order: RemoteOrder, blobs: Mapping[str, bytes], emit: Emit) -> None:
    """Train one policy and send messages: `update` after each update of the policy, `evaluated` after an evaluation.

    It ends after the last evaluation, or with `not_finite` if the reward became NaN or infinite on finite states.

    Args:
        blobs: the `checkpoint` that the training is continued from, or the `policy` that it starts from; empty: from
            scratch.
    """
    environment.renew(order.seed)
    environment.put_in(order.reward)
    runner, vec_env = _runner(environment)
    if "checkpoint" in blobs:
        _load(runner, environment, blobs["checkpoint"])
    elif "policy" in blobs:
        _load_policy(runner, environment, blobs["policy"])
    recent: deque[tuple[float, int]] = deque(maxlen=_RECENT_EPISODES)
    if order.done:
        environment.env.seed(order.seed + _SEED_STRIDE * order.done)
    restarted = True
    for update in range(order.done + 1, order.evaluated_after[-1] + 1):
        runner.current_learning_iteration = update
        try:
            # If all episodes began at once, randomise their lengths, as the stock command does at the start.
            runner.learn(num_learning_iterations=1, init_at_random_ep_len=restarted)
        except ValueError as error:  # rsl_rl's check of the environment's values
            raise SimulatorError(f"the training broke off after {update - 1} updates: {_sentence(error)}") from error
        restarted = update in order.evaluated_after
        recent.extend((value, length) for _, value, length in environment.finished)
        environment.finished = []
        emit(_update(environment, update, recent))
        broken = environment.shared.not_finite if environment.shared is not None else {}
        if broken:
            emit(RemoteMessage("not_finite", {"update": update, "components": dict(broken)}))
            return
        if restarted:
            scores = evaluate(environment, runner, vec_env, order)
            blobs = {"checkpoint": _checkpoint(runner, environment), "policy": _policy(runner)}
            emit(RemoteMessage("evaluated", {"update": update, "scores": scores}, blobs=blobs))
            environment.env.seed(order.seed + _SEED_STRIDE * update)
            with torch.inference_mode():
                vec_env.reset()


def require_policy(environment: OpenEnvironment, policy: bytes) -> None:
    """Raises SimulatorError for bytes that are no policy of the task's own networks."""
    runner, _ = _runner(environment)
    _load_policy(runner, environment, policy)


@torch.inference_mode()
def evaluate(environment: OpenEnvironment, runner: Any, vec_env: Any, order: RemoteOrder) -> list[float]:
    """The metric of each evaluation episode of the deterministic policy, on start states never trained on."""
    environment.env.seed(_EVALUATION_SEEDS + order.seed)
    policy = runner.get_inference_policy(device=environment.request.device)
    scores: list[float] = []
    while len(scores) < order.eval_episodes:
        observation, _ = vec_env.reset()
        environment.values.restart()
        environment.finished = []
        waiting = set(range(min(environment.env.num_envs, order.eval_episodes - len(scores))))
        while waiting:
            observation, _, _, _ = vec_env.step(policy(observation))
            for index, value, _ in environment.finished:
                if index in waiting:
                    waiting.remove(index)
                    scores.append(value)
            environment.finished = []
            environment.record = StepRecord()
    environment.values.restart()
    return scores


def _runner(environment: OpenEnvironment) -> tuple[Any, Any]:
    """The runner with the task's own configuration, and its environment, whose steps are recorded."""
    _, agent = environment.simulator.configs(environment.request.task)
    with torch.inference_mode():
        vec_env = environment.simulator.wrap(environment.env, agent)
    plain_step = vec_env.step

    def step(actions: torch.Tensor) -> Any:
        result = plain_step(actions)
        environment.after_step(result[2] > 0)
        return result

    vec_env.step = step
    vec_env.get_observations = torch.inference_mode()(vec_env.get_observations)
    runner = environment.simulator.runner(vec_env, agent, environment.request.task, environment.request.device)
    environment.values.restart()
    return runner, vec_env


def _update(environment: OpenEnvironment, update: int, recent: deque[tuple[float, int]]) -> RemoteMessage:
    rows, metric = environment.record.take()
    values, lengths = zip(*recent, strict=True) if recent else ((0.0,), (0.0,))
    data = {
        "update": update,
        "components": list(environment.components),
        "metric": sum(values) / len(values),
        "episode_length": sum(lengths) / len(lengths),
        "diverged": environment.shared.diverged if environment.shared is not None else 0,
    }
    return RemoteMessage("update", data, {"rows": rows.flatten(0, 1).float(), "metric": metric.flatten().float()})


# ---- what a training is carried on from ------------------------------------------------------------------------------


def _saved(state: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    return buffer.getvalue()


def _checkpoint(runner: Any, environment: OpenEnvironment) -> bytes:
    """Networks, optimiser and the progress of the environment's own schedules; readable with `weights_only`."""
    return _saved({**runner.alg.save(), "common_step_counter": int(environment.env.common_step_counter)})


def _policy(runner: Any) -> bytes:
    """The networks alone, in rsl_rl's own format, which `runner.alg.load` reads."""
    return _saved({name: state for name, state in runner.alg.save().items() if "optimizer" not in name})


def _load(runner: Any, environment: OpenEnvironment, checkpoint: bytes) -> None:
    state = torch.load(io.BytesIO(checkpoint), weights_only=True, map_location=environment.request.device)
    environment.env.common_step_counter = state.pop("common_step_counter")
    runner.alg.load(state, None, True)


def _load_policy(runner: Any, environment: OpenEnvironment, policy: bytes) -> None:
    """Take over a policy's networks; the optimiser begins anew."""
    try:
        state = torch.load(io.BytesIO(policy), weights_only=True, map_location=environment.request.device)
        runner.alg.load(state, {"actor": True, "critic": True}, True)
    # What torch's unpickler and loading into networks raise.
    except (RuntimeError, LookupError, TypeError, ValueError, AttributeError, EOFError, struct.error) as error:
        raise SimulatorError(f"it is no policy of this task's networks: {_sentence(error)}") from error
    except pickle.UnpicklingError as error:
        raise SimulatorError("it is no policy that rsl_rl trained here") from error


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
