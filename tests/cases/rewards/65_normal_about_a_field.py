# source: torch.distributions.Normal(field, sigma).log_prob(target)
# expect: accept
import torch
from torch.distributions import Normal


def compute_reward(forward_velocity, torso_position):
    sigma = torch.tensor(0.5)
    tracking = 0.1 * Normal(forward_velocity, sigma).log_prob(torch.full_like(forward_velocity, 1.0)).clamp(min=-20.0)
    height = Normal(0.6, float(sigma)).log_prob(torso_position[:, 2]).exp()
    return tracking + height, {"tracking": tracking, "height": height}
