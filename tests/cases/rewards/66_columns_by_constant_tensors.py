# source: constant masks, single elements and arithmetic in place of numbers
# expect: accept
import torch

LEGS = torch.arange(8).reshape(4, 2)
MASK = torch.arange(8) % 2 == 0


def compute_reward(joint_position, joint_velocity, forward_velocity):
    hips = -0.1 * joint_position[:, MASK].abs().sum(dim=-1)
    first = -0.01 * joint_velocity[:, LEGS[0, 1]].abs()
    ankles = -0.1 * joint_position[:, LEGS[:, 1]].abs().sum(dim=-1)
    scale = 1.0 / len(LEGS) if bool((LEGS >= 0).all()) else 0.0
    return forward_velocity + scale * (hips + ankles) + first, {"hips": hips, "first": first, "ankles": ankles}
