# source: models that anneal a weight over training by counting their calls
# expect: reject from one call to the next
import torch


def compute_reward(forward_velocity, action, calls=[0]):
    calls[0] += 1
    weight = min(1.0, calls[0] / 100000)
    effort = -0.01 * weight * action.square().sum(dim=-1)
    return forward_velocity + effort, {"effort": effort}
