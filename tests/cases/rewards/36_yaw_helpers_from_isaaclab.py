# source: IsaacLabEureka forks: from isaaclab.utils.math import quat_apply
# expect: accept
def compute_reward(torso_orientation, forward_velocity):
    import torch
    from isaaclab.utils.math import quat_apply, yaw_quat
    forward = quat_apply(yaw_quat(torso_orientation), torch.tensor([1.0, 0.0, 0.0]))
    return forward[..., 0] + forward_velocity, {"forward": forward_velocity}
