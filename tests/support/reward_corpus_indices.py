"""Rewards that rotate, mask and pick: quaternions, Euler angles, boolean masks and lists of columns."""

INDICES = {
    "eureka_quaternions": """
import torch
from torch import Tensor

@torch.jit.script
def quat_conjugate(q: Tensor) -> Tensor:
    return torch.cat([q[:, 0:1], -q[:, 1:]], dim=-1)

@torch.jit.script
def quat_multiply(a: Tensor, b: Tensor) -> Tensor:
    w1, x1, y1, z1 = a.unbind(-1)
    w2, x2, y2, z2 = b.unbind(-1)
    return torch.stack(
        (
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ),
        dim=-1,
    )

def compute_reward(object_rot, goal_rot, object_pos, goal_pos):
    difference = quat_multiply(object_rot, quat_conjugate(goal_rot))
    angle = 2.0 * torch.asin(torch.clamp(torch.norm(difference[:, 1:4], p=2, dim=-1), max=1.0))
    rotation_reward = 1.0 / (angle.abs() + 0.1)
    drop_penalty = torch.where(
        (object_pos - goal_pos).norm(dim=-1) > 0.24, torch.full_like(angle, -5.0), torch.zeros_like(angle)
    )
    return rotation_reward + drop_penalty, {"rotation": rotation_reward, "drop": drop_penalty}
""",
    "quat_rotate_inverse": """
import torch

def quat_rotate_inverse(q, v):
    q_w, q_vec = q[:, 0], q[:, 1:]
    a = v * (2.0 * q_w ** 2 - 1.0).unsqueeze(-1)
    b = torch.cross(q_vec, v, dim=-1) * q_w.unsqueeze(-1) * 2.0
    c = q_vec * torch.bmm(q_vec.view(q.shape[0], 1, 3), v.view(q.shape[0], 3, 1)).squeeze(-1) * 2.0
    return a - b + c

def compute_reward(object_rot, base_lin_vel):
    local = quat_rotate_inverse(object_rot, base_lin_vel)
    forward = local[:, 0]
    drift = -local[:, 1:].square().sum(dim=1)
    return forward + 0.3 * drift, {"forward": forward, "drift": drift}
""",
    "masked_writes": """
import torch

def compute_reward(object_pos, goal_pos, success):
    distance = torch.linalg.norm(object_pos - goal_pos, dim=-1)
    reward = 1.0 - torch.tanh(5.0 * distance)
    reward[success] += 4.0
    reward[distance < 0.3] = 5.0
    reward[(distance > 2.0) & ~success] -= 0.5
    return reward, {"distance": -distance}
""",
    "masked_reads": """
import torch

def compute_reward(object_pos, goal_pos, success, contact_forces):
    distance = (object_pos - goal_pos).norm(dim=-1)
    bonus = torch.zeros_like(distance)
    bonus[success] = torch.exp(-distance[success]) * 2.0 + 0.5
    forces = contact_forces.clone()
    forces[success] = 0.0
    forces[~success, 0] = forces[~success, 0] * 0.5
    smoothness = -0.01 * forces.norm(dim=-1).sum(-1)
    return bonus + smoothness, {"bonus": bonus, "smoothness": smoothness}
""",
    "column_lists": """
import torch

HIPS = [0, 3, 6, 9]
KNEES = torch.tensor([2, 5, 8, 11])

def compute_reward(dof_pos, default_dof_pos, contact_forces):
    offset = dof_pos - default_dof_pos
    hips = -offset[:, HIPS].abs().sum(dim=-1)
    knees = -torch.index_select(offset, 1, KNEES).square().sum(dim=-1)
    thighs = offset[:, torch.tensor([1, 4, 7, 10])].mean(dim=-1)
    diagonal = contact_forces[:, [0, 3], 2].sum(dim=1) - contact_forces[:, (1, 2), 2].sum(dim=1)
    scaled = offset.clone()
    scaled[:, HIPS] = 0.0
    scaled[..., [2, 5]] *= 2.0
    rest = -scaled.abs().mean(-1)
    total = hips + 0.5 * knees + 0.1 * thighs - 0.01 * diagonal.abs() + rest
    return total, {"hips": hips, "knees": knees, "diagonal": diagonal, "rest": rest}
""",
    "quaternion_axis_angle": """
import math
import torch

def quat_mul(a, b):
    shape = a.shape
    a, b = a.reshape(-1, 4), b.reshape(-1, 4)
    x1, y1, z1, w1 = a[:, 0], a[:, 1], a[:, 2], a[:, 3]
    x2, y2, z2, w2 = b[:, 0], b[:, 1], b[:, 2], b[:, 3]
    ww = (z1 + x1) * (x2 + y2)
    yy = (w1 - y1) * (w2 + z2)
    zz = (w1 + y1) * (w2 - z2)
    xx = ww + yy + zz
    qq = 0.5 * (xx + (z1 - x1) * (x2 - y2))
    w = qq - ww + (z1 - y1) * (y2 - z2)
    x = qq - xx + (x1 + w1) * (x2 + w2)
    y = qq - yy + (w1 - x1) * (y2 + z2)
    z = qq - zz + (z1 + y1) * (w2 - x2)
    return torch.stack([x, y, z, w], dim=-1).view(shape)

def quat_conjugate(a):
    return torch.cat((-a[..., :3], a[..., 3:]), dim=-1)

def compute_reward(object_rot, goal_rot, success):
    diff = quat_mul(object_rot, quat_conjugate(goal_rot))
    angle = 2.0 * torch.asin(torch.clamp(diff[:, :3].norm(p=2, dim=-1), max=1.0))
    progress = 1.0 - angle / math.pi
    bonus = torch.where(success, torch.full_like(progress, 5.0), torch.zeros_like(progress))
    return progress + bonus, {"progress": progress, "bonus": bonus}
""",
    "quaternion_matrix": """
import torch

def to_matrix(q):
    r, i, j, k = torch.unbind(q, -1)
    two_s = 2.0 / (q * q).sum(-1)
    o = torch.stack(
        (
            1 - two_s * (j * j + k * k), two_s * (i * j - k * r), two_s * (i * k + j * r),
            two_s * (i * j + k * r), 1 - two_s * (i * i + k * k), two_s * (j * k - i * r),
            two_s * (i * k - j * r), two_s * (j * k + i * r), 1 - two_s * (i * i + j * j),
        ),
        -1,
    )
    return o.reshape(q.shape[:-1] + (3, 3))

def compute_reward(object_rot, goal_rot, ee_pos):
    a, b = to_matrix(object_rot), to_matrix(goal_rot)
    relative = torch.matmul(a, b.transpose(-1, -2))
    trace = relative.diagonal(dim1=-2, dim2=-1).sum(-1)
    up_axis = a[:, :, 2]
    upright = up_axis[:, 2]
    pointing = torch.einsum("bij,bj->bi", b, ee_pos)[:, 0]
    return trace + upright + 0.1 * pointing, {"alignment": trace, "upright": upright}
""",
    "euler_angles": """
import torch

PI = 3.141592653589793

def get_euler_xyz(q):
    qx, qy, qz, qw = 0, 1, 2, 3
    sinr = 2.0 * (q[:, qw] * q[:, qx] + q[:, qy] * q[:, qz])
    cosr = q[:, qw] * q[:, qw] - q[:, qx] * q[:, qx] - q[:, qy] * q[:, qy] + q[:, qz] * q[:, qz]
    roll = torch.atan2(sinr, cosr)
    sinp = 2.0 * (q[:, qw] * q[:, qy] - q[:, qz] * q[:, qx])
    bound = torch.copysign(torch.full_like(sinp, PI / 2), sinp)
    pitch = torch.where(torch.abs(sinp) >= 1, bound, torch.asin(sinp.clamp(-1, 1)))
    return roll % (2 * PI), pitch % (2 * PI)

def wrap_to_pi(angles):
    angles = angles % (2 * PI)
    return angles - 2 * PI * (angles > PI)

def compute_reward(object_rot, commands):
    roll, pitch = get_euler_xyz(object_rot)
    level = -(wrap_to_pi(roll) ** 2 + wrap_to_pi(pitch) ** 2)
    turn = -torch.abs(wrap_to_pi(commands[:, 2] - roll))
    return level + 0.2 * turn, {"level": level, "turn": turn}
""",
    "masks_of_many_kinds": """
import torch

def compute_reward(foot_height, feet_air_time, heading, success):
    air = feet_air_time.clone()
    air[foot_height < 0.0] = 0.0
    air[foot_height > 1.0] *= 0.5
    air[:, 0][heading > 0] += 0.1
    mask = torch.zeros_like(success)
    mask[heading.abs() < 0.2] = True
    bonus = torch.zeros_like(heading)
    bonus[mask & success] = 2.0
    bonus[mask & ~success] = heading[mask & ~success].abs()
    penalty = torch.ones_like(heading)
    penalty[heading >= 0.5] = penalty[heading >= 0.5] - 0.25
    penalty.masked_fill_(success, 0.0)
    return air.sum(-1) + bonus - penalty, {"air": air.sum(-1), "bonus": bonus, "penalty": -penalty}
""",
    "chained_conditions": """
import torch

def smooth_step(x, low, high):
    t = ((x - low) / (high - low)).clamp(0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)

def compute_reward(ee_pos, object_pos, goal_pos, gripper_width):
    to_object = (ee_pos - object_pos).norm(dim=1)
    to_goal = (object_pos - goal_pos).norm(dim=1)
    approaching = smooth_step(-to_object, -2.0, 0.0)
    grasping = approaching * torch.sigmoid(-20.0 * (gripper_width - 0.04))
    carrying = grasping * smooth_step(-to_goal, -3.0, 0.0)
    done = torch.heaviside(0.05 - to_goal, torch.tensor(0.0))
    stage = torch.stack([approaching, 1 + grasping, 2 + carrying, 5 * done]).max(dim=0).values
    return stage, {"approach": approaching, "grasp": grasping, "carry": carrying, "done": done}
""",
    "global_lists_of_indices": """
import torch

LEFT = slice(0, 6)
RIGHT = slice(6, 12)
FEET = range(0, 12, 3)

def compute_reward(dof_pos, dof_vel, last_actions, actions):
    symmetry = -(dof_pos[:, LEFT] - dof_pos[:, RIGHT]).abs().mean(-1)
    hips = dof_pos[:, 0::3].pow(2).sum(-1) + dof_pos[:, FEET].sum(-1)
    knees = dof_vel[:, [2, 5, 8, 11]].square().sum(-1) + dof_vel[..., -1]
    jerk = (actions[:, None, :] - last_actions.unsqueeze(1)).flatten(1).norm(dim=-1)
    total = symmetry - 0.1 * hips - 0.01 * knees - 0.05 * jerk
    return total, {"symmetry": symmetry, "hips": -0.1 * hips, "knees": -0.01 * knees, "jerk": -0.05 * jerk}
""",
}
