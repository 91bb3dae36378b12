# source: Isaac Gym style: the star import brings torch along, and x, y, z, w is asked for
# expect: accept
from isaacgymenvs.utils.torch_jit_utils import *


@torch.jit.script
def compute_reward(torso_orientation: torch.Tensor, torso_angular_velocity: torch.Tensor, forward_velocity: torch.Tensor):
    xyzw = convert_quat(torso_orientation, to="xyzw")
    goal = quat_from_euler_xyz(torch.zeros_like(forward_velocity), torch.zeros_like(forward_velocity), torch.zeros_like(forward_velocity))
    angle = quat_diff_rad(convert_quat(xyzw), goal)
    spin = quat_rotate_inverse(torso_orientation, torso_angular_velocity)[:, 2]
    turned = -0.1 * normalize_angle(angle) - 0.01 * spin.abs()
    return forward_velocity + turned, {"forward": forward_velocity, "turned": turned}
