# source: num_envs in shapes alone, and shapes compared with each other
# expect: accept
import torch


def compute_reward(torso_position, forward_velocity, action):
    num_envs = len(torso_position)
    target = torch.tensor([10.0, 0.0]).expand(num_envs, 2)
    assert action.shape[0] == num_envs
    if action.shape[0] != forward_velocity.shape[0] or target.shape[:1] != forward_velocity.shape:
        raise ValueError("shapes differ")
    near = -0.1 * torch.norm(target - torso_position[:, :2], dim=-1)
    flat = action.reshape(num_envs, -1).square().sum(dim=1) if action.dim() > 1 else torch.zeros(num_envs)
    return near + forward_velocity - 0.01 * flat, {"near": near, "effort": -0.01 * flat}
