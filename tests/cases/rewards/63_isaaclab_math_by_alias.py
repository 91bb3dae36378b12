# source: IsaacLab style: import isaaclab.utils.math as math_utils
# expect: accept
import torch
import isaaclab.utils.math as math_utils


def compute_reward(torso_orientation, torso_linear_velocity, forward_velocity):
    local = math_utils.quat_apply_inverse(math_utils.yaw_quat(torso_orientation), torso_linear_velocity)
    roll, pitch, _ = math_utils.euler_xyz_from_quat(torso_orientation)
    upright = torch.exp(-torch.square(math_utils.wrap_to_pi(roll)) - torch.square(pitch))
    return local[:, 0] + upright, {"forward": local[:, 0], "upright": upright}
