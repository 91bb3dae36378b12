"""Collecting one rollout of all groups, group-major so that each group's part is one contiguous block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from eureka.physics import device_graphs
from eureka.trainers.population.episodes import EpisodeTracker
from eureka.trainers.population.networks import StackedMLP
from eureka.trainers.population.normalise import normalise
from eureka.trainers.population.worlds import Worlds


@dataclass(frozen=True)
class FinalObservations:
    """Observations (n, obs_dim) at which a time limit cut episodes, with their `group`, `step` and `env` index (n,)."""

    group: torch.Tensor
    step: torch.Tensor
    env: torch.Tensor
    observation: torch.Tensor


@dataclass(frozen=True)
class Rollout:
    """G groups, T steps, N worlds a group.

    `observation` (G, T + 1, N, obs_dim) is normalised and includes the one after the last step; `raw_observation` (G,
    T, N, obs_dim) is not. `action` (G, T, N, A) is the policy's mean and its noise, not clipped. `state` holds State
    fields (G, T, N, ...) as the rewards read them; `metric` the per-step metric. `final` holds the observations at
    which time limits truncated episodes. On a device, where selecting them would synchronise, it is the observation (G,
    T, N, obs_dim) after every step and before any reset.
    """

    observation: torch.Tensor
    raw_observation: torch.Tensor
    action: torch.Tensor
    log_prob: torch.Tensor
    state: dict[str, torch.Tensor]
    metric: torch.Tensor
    terminated: torch.Tensor
    truncated: torch.Tensor
    diverged: torch.Tensor
    final: FinalObservations | torch.Tensor


def collect(
    worlds: Worlds,
    policy: StackedMLP,
    parameters: torch.Tensor,
    moments: tuple[torch.Tensor, torch.Tensor],
    noise: torch.Tensor,
    fields: Sequence[str],
    tracker: EpisodeTracker,
) -> Rollout:
    """Act for `noise.shape[1]` steps with the policies `parameters` (G, P), whose last entries are log std.

    Args:
        moments: result of `RunningMoments.offset_and_scale` for observations.
        noise: standard normal action noise, (G, T, N, A).
        fields: the State fields to keep.
        tracker: accumulates every step's metric and the episodes that end.
    """
    groups, horizon, num_envs, _ = noise.shape
    shape = (groups, num_envs)
    layers = policy.views(parameters)
    log_std = layers[-1]
    scaled_noise = noise * log_std.exp()[:, None]
    raw = torch.empty(groups, horizon, num_envs, worlds.observation.shape[1])
    observation = torch.empty(groups, horizon + 1, num_envs, worlds.observation.shape[1])
    action = torch.empty_like(noise)
    metric = torch.empty(groups, horizon, num_envs)
    flags = torch.zeros(3, groups, horizon, num_envs, dtype=torch.bool)
    state: dict[str, torch.Tensor] = {}
    finals: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]] = []
    after = torch.empty_like(raw) if device_graphs.reading_synchronises(noise.device) else None
    for t in range(horizon):
        current = worlds.observation.view(*shape, -1)
        raw[:, t] = current
        observation[:, t] = normalise(current, *moments)
        torch.add(policy.forward(layers, observation[:, t]), scaled_noise[:, t], out=action[:, t])
        step = worlds.step(action[:, t].clamp(-1, 1).flatten(0, 1))
        for name in fields:
            value = getattr(step.state, name).unflatten(0, shape)
            if name not in state:
                state[name] = torch.empty(groups, horizon, *value.shape[1:], dtype=value.dtype)
            state[name][:, t] = value
        values = worlds.task.metric.value(step.state).view(shape)
        metric[:, t] = values
        done = step.terminated | step.truncated
        flags[0, :, t] = step.terminated.view(shape)
        flags[1, :, t] = step.truncated.view(shape)
        flags[2, :, t] = step.diverged.view(shape)
        if after is not None:
            after[:, t] = step.final_observation.view(*shape, -1)
        elif step.truncated.any():
            where = step.truncated.nonzero()[:, 0]
            at = torch.full_like(where, t)
            finals.append((where // num_envs, at, where % num_envs, step.final_observation[where]))
        tracker.step(values, done.view(shape), worlds.clock.view(shape), worlds.start_clock.view(shape))
        worlds.restart(done)
    observation[:, horizon] = normalise(worlds.observation.view(*shape, -1), *moments)
    log_prob = -0.5 * noise.square().sum(dim=-1) - log_std.sum(dim=-1)[:, None]
    final = after if after is not None else FinalObservations(*_joined(finals, raw.shape[-1]))
    return Rollout(observation, raw, action, log_prob, state, metric, flags[0], flags[1], flags[2], final)


def _joined(
    finals: Sequence[tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]], size: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    none = torch.zeros(0, dtype=torch.int64)
    if not finals:
        return none, none, none, torch.zeros(0, size)
    group, step, env, observation = zip(*finals, strict=True)
    return torch.cat(group), torch.cat(step), torch.cat(env), torch.cat(observation)
