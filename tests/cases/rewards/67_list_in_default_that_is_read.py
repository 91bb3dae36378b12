# source: column lists and weights as defaults, which nothing changes
# expect: accept
import torch


def compute_reward(joint_position, forward_velocity, hips=[0, 2, 4, 6], weights={"forward": 1.0, "hips": -0.1}):
    forward = weights["forward"] * forward_velocity
    turned = weights["hips"] * joint_position[:, hips].abs().sum(dim=-1)
    return forward + turned, {"forward": forward, "turned": turned}
