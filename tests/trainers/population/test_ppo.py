"""Advantages, bootstraps and the loss, by hand."""

import math

import pytest
import torch

from eureka.tasks.ppo import PPOConfig
from eureka.trainers.population.networks import StackedAdam, StackedMLP
from eureka.trainers.population.ppo import GroupRates, ReturnScale, RolloutBatch, advantages, gradients, prepare, update
from eureka.trainers.population.rollout import FinalObservations, Rollout


def test_advantages_by_hand() -> None:
    # One group, one world, three steps, gamma 0.5, lambda 0.5; the episode ends after the second step.
    reward = torch.tensor([[[1.0], [2.0], [3.0]]])
    value = torch.tensor([[[10.0], [20.0], [30.0], [40.0]]])
    done = torch.tensor([[[False], [True], [False]]])
    half = torch.tensor([[0.5]])
    # deltas: 1 + .5*20 - 10 = 1;  2 - 20 = -18;  3 + .5*40 - 30 = -7
    # advantages: -7;  -18;  1 + .25*(-18) = -3.5
    result = advantages(reward, value, done, half, half)
    assert result.flatten().tolist() == [-3.5, -18.0, -7.0]


def rollout_of(
    observation: torch.Tensor,
    terminated: list[bool],
    truncated: list[bool],
    final: FinalObservations | torch.Tensor,
) -> Rollout:
    steps = observation.shape[1] - 1
    zeros = torch.zeros(1, steps, 1)
    return Rollout(
        observation=observation,
        raw_observation=observation[:, :-1],
        action=torch.zeros(1, steps, 1, 1),
        log_prob=zeros,
        state={},
        metric=zeros,
        terminated=torch.tensor(terminated).view(1, steps, 1),
        truncated=torch.tensor(truncated).view(1, steps, 1),
        diverged=zeros.bool(),
        final=final,
    )


@pytest.mark.parametrize("on_device", [False, True])
@pytest.mark.parametrize(("cut", "bootstrap"), [("terminated", 0.0), ("truncated", 0.9 * 7.0)])
def test_only_time_limits_are_bootstrapped(cut: str, bootstrap: float, on_device: bool) -> None:
    critic = StackedMLP((1, 1), "elu")
    identity = torch.tensor([[1.0, 0.0]])  # V(s) = s
    nothing = torch.zeros(0, dtype=torch.int64)
    final: FinalObservations | torch.Tensor = FinalObservations(nothing, nothing, nothing, torch.zeros(0, 1))
    if on_device:  # what follows every step, of which only what a time limit cut off counts
        final = torch.tensor([7.0, torch.nan]).view(1, 2, 1, 1)
    elif cut == "truncated":
        zero = torch.zeros(1, dtype=torch.int64)
        final = FinalObservations(zero, zero, zero, torch.tensor([[7.0]]))
    observation = torch.tensor([2.0, 5.0, 4.0]).view(1, 3, 1, 1)
    rollout = rollout_of(observation, [cut == "terminated", False], [cut == "truncated", False], final)
    rates = GroupRates.stack([PPOConfig(gamma=0.9, gae_lambda=0.0)])
    moments = (torch.zeros(1, 1, 1), torch.ones(1, 1, 1))
    batch = prepare(rollout, torch.ones(1, 2, 1), critic, identity, moments, rates)
    # lambda 0: the target is r + gamma V(next). The first step ends its episode, the second goes on to V = 4.
    assert batch.target[0].tolist() == pytest.approx([1.0 + bootstrap, 1.0 + 0.9 * 4.0])
    assert float(batch.advantage.mean()) == pytest.approx(0.0, abs=1e-6)


def loss(
    batch: RolloutBatch, policy: StackedMLP, critic: StackedMLP, parameters: list[torch.Tensor], config: PPOConfig
) -> torch.Tensor:
    """The formula as the paper has it, by torch's own distribution: the reference for the gradients."""
    layers = policy.views(parameters[0])
    normal = torch.distributions.Normal(policy.forward(layers, batch.observation), layers[-1].exp())
    constant = 0.5 * math.log(2 * math.pi) * batch.action.shape[2]
    ratio = torch.exp(normal.log_prob(batch.action).sum(dim=-1) + constant - batch.log_prob)
    clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
    surrogate = torch.minimum(ratio * batch.advantage, clipped * batch.advantage).mean(dim=1)
    value = critic.forward(critic.views(parameters[1]), batch.observation)[..., 0]
    error = (value - batch.target).square().mean(dim=1)
    entropy = normal.entropy()[:, 0].sum(dim=-1)
    return (config.value_weight * error - surrogate - config.entropy * entropy).sum()


def test_loss_by_hand() -> None:
    # A linear policy and critic with all weights zero: mean 0, value 0, std 1.
    policy, critic = StackedMLP((1, 1), "elu", extra=1), StackedMLP((1, 1), "elu")
    parameters = [torch.zeros(1, 3), torch.zeros(1, 2)]
    log_prob_now = [-0.5 * a * a for a in (0.0, 1.0)]  # up to the constant that cancels
    old = [log_prob_now[0] - math.log(1.5), log_prob_now[1] - math.log(0.5)]  # ratios 1.5 and 0.5
    batch = RolloutBatch(
        observation=torch.ones(1, 2, 1),
        action=torch.tensor([[[0.0], [1.0]]]),
        log_prob=torch.tensor([old]),
        advantage=torch.tensor([[2.0, -1.0]]),
        target=torch.tensor([[1.0, 3.0]]),
    )
    config = PPOConfig(clip=0.2, value_weight=0.5, entropy=0.0)
    # surrogate: min(1.5*2, 1.2*2) = 2.4;  min(0.5*-1, 0.8*-1) = -0.8;  mean 0.8.  value: (1 + 9)/2 = 5, times 0.5.
    assert float(loss(batch, policy, critic, parameters, config)) == pytest.approx(2.5 - 0.8)
    out = [torch.full((1, 3), 9.0), torch.full((1, 2), 9.0)]
    gradients(batch, policy, critic, parameters, GroupRates.stack([config]), config.value_weight, out)
    # Both rows are clipped, so the policy has none. Of the value: 0.5 * 2 * mean(-1, -3) by the bias and the weight.
    assert out[0].tolist() == [[0.0, 0.0, 0.0]]
    assert out[1].tolist() == [[-2.0, -2.0]]


@pytest.mark.parametrize("activation", ["elu", "relu", "tanh"])
@pytest.mark.parametrize("actions", [1, 3])
def test_gradients_are_those_of_the_loss(activation: str, actions: int) -> None:
    """Against autograd; two thirds of the ratios lie outside the clip."""
    draw = torch.Generator().manual_seed(1)
    policy = StackedMLP((5, 16, 8, actions), activation, extra=actions)
    critic = StackedMLP((5, 8, 1), activation)
    rows = [[net.initial(draw, 1.0) for _ in range(3)] for net in (policy, critic)]
    parameters = [torch.stack(row).double().requires_grad_() for row in rows]
    parameters[0].data[:, -actions:] = -0.3
    shape = (3, 64)
    batch = RolloutBatch(
        observation=torch.randn(*shape, 5, generator=draw).double(),
        action=torch.randn(*shape, actions, generator=draw).double(),
        log_prob=torch.randn(shape, generator=draw).double() - actions,
        advantage=torch.randn(shape, generator=draw).double(),
        target=torch.randn(shape, generator=draw).double(),
    )
    config = PPOConfig(clip=0.2, value_weight=0.7, entropy=0.01)
    rates = GroupRates.stack([config] * 3)
    expected = torch.autograd.grad(loss(batch, policy, critic, parameters, config), parameters)
    out = [torch.empty_like(p) for p in parameters]
    with torch.no_grad():
        gradients(batch, policy, critic, parameters, rates, config.value_weight, out)
    for ours, autograd in zip(out, expected, strict=True):
        torch.testing.assert_close(ours, autograd, rtol=1e-6, atol=1e-8)


def test_update_raises_the_probability_of_good_actions() -> None:
    policy, critic = StackedMLP((1, 8, 1), "elu", extra=1), StackedMLP((1, 8, 1), "elu")
    generator = torch.Generator().manual_seed(0)
    parameters = [net.initial(generator, 0.01)[None].repeat(2, 1) for net in (policy, critic)]
    action = torch.linspace(-1, 1, 64).view(1, 64, 1).repeat(2, 1, 1)
    direction = torch.tensor([1.0, -1.0]).view(2, 1)  # the first group is to go up, the second down
    batch = RolloutBatch(
        observation=torch.ones(2, 64, 1),
        action=action,
        log_prob=-0.5 * action[..., 0].square(),
        advantage=action[..., 0] * direction,
        target=torch.zeros(2, 64),
    )
    config = PPOConfig(epochs=20, minibatches=2, learning_rate=1e-2)
    rates = GroupRates.stack([config, config])
    orders = torch.stack([torch.randperm(64, generator=generator) for _ in range(20)])
    update(batch, policy, critic, StackedAdam(parameters), rates, config, orders)
    mean = policy.forward(policy.views(parameters[0]), torch.ones(2, 1, 1)).flatten()
    assert mean[0] > 0.1
    assert mean[1] < -0.1


def test_return_scale_is_the_std_of_discounted_returns() -> None:
    scale = ReturnScale(1, 2)
    reward = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    done = torch.tensor([[[False, True], [False, False]]])
    # gamma 0.5: returns [1, 2], then [3 + .5, 4 + 0] = [3.5, 4]
    std = torch.tensor([1.0, 2.0, 3.5, 4.0]).std(unbiased=False)
    scaled = scale(reward, done, torch.tensor([[0.5]]))
    torch.testing.assert_close(scaled, reward / std, atol=1e-3, rtol=1e-3)
    assert scale.discounted.tolist() == [[3.5, 4.0]]
