"""PPO (Schulman et al. 2017) with generalised advantages (Schulman et al. 2016) for stacked groups.

All tensors are group-major, and every group has its own rate, clip, discount and normalisers, so that its results are
bitwise independent of the other groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from eureka.tasks.ppo import PPOConfig
from eureka.trainers.population.networks import StackedAdam, StackedMLP
from eureka.trainers.population.normalise import normalise
from eureka.trainers.population.rollout import Rollout


@dataclass(frozen=True)
class GroupRates:
    """The hyper-parameters that may differ between groups of one population; each (num_groups, 1) float32."""

    learning_rate: torch.Tensor
    gamma: torch.Tensor
    gae_lambda: torch.Tensor
    clip: torch.Tensor
    entropy: torch.Tensor

    @classmethod
    def stack(cls, configs: Sequence[PPOConfig]) -> GroupRates:
        def column(name: str) -> torch.Tensor:
            return torch.tensor([[getattr(config, name)] for config in configs], dtype=torch.float32)

        return cls(*(column(name) for name in ("learning_rate", "gamma", "gae_lambda", "clip", "entropy")))


class ReturnScale:
    """Divides rewards by the running standard deviation of each group's discounted return; updated in place."""

    def __init__(self, num_groups: int, num_envs: int) -> None:
        self.discounted = torch.zeros(num_groups, num_envs)
        self.mean = torch.zeros(num_groups)
        self.var = torch.ones(num_groups)
        self.count = torch.full((), 1e-4, dtype=torch.float64)

    def __call__(self, reward: torch.Tensor, done: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
        """Scale `reward` (G, T, N), after adding its returns to the statistics."""
        horizon, num_envs = reward.shape[1:]
        returns = torch.empty_like(reward)
        current = self.discounted
        for t in range(horizon):
            current = current * gamma + reward[:, t]
            returns[:, t] = current
            current = current * ~done[:, t]
        self.discounted.copy_(current)
        rows = horizon * num_envs
        flat = returns.flatten(1)
        mean, var = flat.mean(dim=1), flat.var(dim=1, unbiased=False)
        total = self.count + rows
        delta = mean - self.mean
        self.mean.add_(delta * (rows / total))
        between = delta.square() * (self.count * rows / total)
        self.var.copy_((self.var * self.count + var * rows + between) / total)
        self.count.copy_(total)
        return reward / (self.var.sqrt()[:, None, None] + 1e-6)


@dataclass(frozen=True)
class RolloutBatch:
    """A rollout flattened for the update; each (G, T * N, ...)."""

    observation: torch.Tensor
    action: torch.Tensor
    log_prob: torch.Tensor
    advantage: torch.Tensor
    target: torch.Tensor


def advantages(
    reward: torch.Tensor, value: torch.Tensor, done: torch.Tensor, gamma: torch.Tensor, gae_lambda: torch.Tensor
) -> torch.Tensor:
    """Generalised advantages, (G, T, N).

    Args:
        reward: (G, T, N); if a time limit truncated an episode, it already includes gamma * V(final observation).
        value: (G, T + 1, N).
        done: (G, T, N) bool, an episode ended after this step for whatever reason.
    """
    horizon = reward.shape[1]
    alive = (~done).float()
    delta = reward + gamma[:, :, None] * value[:, 1:] * alive - value[:, :-1]
    keep = (gamma * gae_lambda)[:, :, None] * alive
    result = torch.empty_like(reward)
    running = torch.zeros_like(reward[:, 0])
    for t in range(horizon - 1, -1, -1):
        running = delta[:, t] + keep[:, t] * running
        result[:, t] = running
    return result


def prepare(
    rollout: Rollout,
    reward: torch.Tensor,
    critic: StackedMLP,
    critic_parameters: torch.Tensor,
    moments: tuple[torch.Tensor, torch.Tensor],
    rates: GroupRates,
) -> RolloutBatch:
    """Values, bootstraps at time limits, advantages and targets of a rollout with scaled `reward` (G, T, N)."""
    groups, horizon, num_envs = reward.shape
    layers = critic.views(critic_parameters)
    value = critic.forward(layers, rollout.observation.flatten(1, 2)).view(groups, horizon + 1, num_envs)
    final = rollout.final
    if isinstance(final, torch.Tensor):
        rows = normalise(final.flatten(1, 2), *moments)
        bootstrap = critic.forward(layers, rows).view(groups, horizon, num_envs)
        # The observation after a divergence is not finite.
        bootstrap = torch.where(rollout.truncated, bootstrap, 0.0)
        reward = reward + rates.gamma[:, :, None] * bootstrap
    elif len(final.group):
        reward = reward.clone()
        for group in torch.unique(final.group).tolist():
            mine = final.group == group
            offset, scale = moments[0][group], moments[1][group]
            mine_rows = normalise(final.observation[mine], offset, scale)[None]
            value_there = critic.forward([layer[group : group + 1] for layer in layers], mine_rows)[0, :, 0]
            reward[group, final.step[mine], final.env[mine]] += rates.gamma[group] * value_there
    done = rollout.terminated | rollout.truncated
    advantage = advantages(reward, value, done, rates.gamma, rates.gae_lambda)
    target = (advantage + value[:, :-1]).flatten(1)
    flat = advantage.flatten(1)
    flat = (flat - flat.mean(dim=1, keepdim=True)) / (flat.std(dim=1, keepdim=True) + 1e-8)
    return RolloutBatch(
        observation=rollout.observation[:, :-1].flatten(1, 2),
        action=rollout.action.flatten(1, 2),
        log_prob=rollout.log_prob.flatten(1),
        advantage=flat,
        target=target,
    )


def update(
    batch: RolloutBatch,
    policy: StackedMLP,
    critic: StackedMLP,
    optimiser: StackedAdam,
    rates: GroupRates,
    config: PPOConfig,
    orders: torch.Tensor,
) -> None:
    """Update the networks: one pass over the batch in `minibatches` parts per row of `orders` (epochs, T * N), the same
    for all groups.
    """
    rows = batch.target.shape[1]
    size = rows // config.minibatches
    out = [torch.zeros_like(parameters) for parameters in optimiser.parameters]
    for order in orders:
        for start in range(0, size * config.minibatches, size):
            part = _select(batch, order[start : start + size])
            gradients(part, policy, critic, optimiser.parameters, rates, config.value_weight, out)
            optimiser.step(out, rates.learning_rate[:, 0], config.max_grad_norm)


def _select(batch: RolloutBatch, index: torch.Tensor) -> RolloutBatch:
    parts = (batch.observation, batch.action, batch.log_prob, batch.advantage, batch.target)
    return RolloutBatch(*(part.index_select(1, index) for part in parts))


def gradients(
    batch: RolloutBatch,
    policy: StackedMLP,
    critic: StackedMLP,
    parameters: Sequence[torch.Tensor],
    rates: GroupRates,
    value_weight: float,
    out: Sequence[torch.Tensor],
) -> None:
    """Write the gradients of each group's own loss into `out`, which is shaped as the `parameters` (G, P) of the two.

    The loss is the mean over rows of value_weight * (V - target)^2 - min(r A, clip(r) A), r the ratio of the action's
    probabilities, minus entropy's weight times the policy's entropy (Schulman et al. 2017, section 5).
    """
    layers, values = policy.views(parameters[0]), critic.views(parameters[1])
    of_policy, of_critic = policy.views(out[0]), critic.views(out[1])
    rows = batch.target.shape[1]
    log_std = layers[-1]
    inputs: list[torch.Tensor] = []
    mean = policy.forward(layers, batch.observation, inputs)
    scale = torch.exp(-log_std)
    standard = (batch.action - mean).mul_(scale)
    squared = standard.square()
    log_prob = -0.5 * squared.sum(dim=-1) - log_std.sum(dim=-1)
    ratio = torch.exp_(log_prob - batch.log_prob)
    free = ratio * batch.advantage
    clipped = torch.minimum(torch.maximum(ratio, 1 - rates.clip), 1 + rates.clip).mul_(batch.advantage)
    # Where the clipped term is the smaller one, it does not depend on the policy.
    by_log_prob = torch.where(free <= clipped, free, 0.0).mul_(-1 / rows)[..., None]
    torch.sum(by_log_prob * (squared - 1), dim=1, keepdim=True, out=of_policy[-1])
    of_policy[-1].sub_(rates.entropy[:, :, None])
    policy.backward(layers, inputs, standard.mul_(scale).mul_(by_log_prob), of_policy)
    inputs = []
    value = critic.forward(values, batch.observation, inputs)
    by_value = (value - batch.target[..., None]).mul_(2 * value_weight / rows)
    critic.backward(values, inputs, by_value, of_critic)
