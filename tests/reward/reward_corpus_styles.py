"""More sane reward functions, each in a style that the first part of the corpus has not: all must convert."""

STYLES: dict[str, str] = {}


def _add(name: str, source: str) -> None:
    assert name not in STYLES
    STYLES[name] = source.lstrip("\n")


_add(
    "self_prefixed",
    """
import torch

def compute_reward(self):
    forward = self.base_lin_vel[:, 0]
    effort = -0.01 * torch.sum(self.torques * self.dof_vel, dim=-1).abs()
    alive = torch.ones(self.num_envs, device=self.device)
    total = forward + effort + 0.5 * alive
    return total, {"forward": forward, "effort": effort, "alive": 0.5 * alive}
""",
)
_add(
    "self_with_methods",
    """
import torch

def _distance(self, a, b):
    return torch.norm(a - b, p=2, dim=-1)

def _reach(self):
    return 1.0 / (1.0 + self._distance(self.ee_pos, self.object_pos) ** 2)

def compute_reward(self):
    self.reach_reward = self._reach()
    self.goal_reward = -_distance(self, self.object_pos, self.goal_pos)
    self.rew_buf = self.reach_reward + 2.0 * self.goal_reward
    self.rew_buf = torch.where(self.success, self.rew_buf + 10.0, self.rew_buf)
    return self.rew_buf, {"reach": self.reach_reward, "goal": self.goal_reward}
""",
)
_add(
    "self_and_parameters",
    """
import torch
from typing import Dict, Tuple

def compute_reward(
    self, object_pos: torch.Tensor, success: torch.Tensor
) -> Tuple[torch.Tensor, Dict[str, torch.Tensor]]:
    lift = torch.clamp(object_pos[:, 2] - 0.02, min=0.0)
    done = success.float() * (1.0 - self.episode_length.float() / 1000.0)
    return lift + done, {"lift": lift, "done": done}
""",
)
_add(
    "type_comments",
    """
import torch
from torch import Tensor

@torch.jit.script
def compute_reward(object_rot, goal_rot, actions, rot_eps):
    # type: (Tensor, Tensor, Tensor, float) -> Tuple[Tensor, Dict[str, Tensor]]
    dot = torch.sum(object_rot * goal_rot, dim=-1).abs()  # type: Tensor
    angle = 2.0 * torch.acos(torch.clamp(dot, max=1.0))
    rotation = 1.0 / (angle + rot_eps)
    action_penalty = torch.sum(actions ** 2, dim=-1) * -0.0002
    return rotation + action_penalty, {"rotation": rotation, "actions": action_penalty}
""".replace("actions, rot_eps)", "actions, rot_eps=0.1)"),
)
_add(
    "new_annotations",
    """
from __future__ import annotations

import torch

type_of_terms = dict[str, torch.Tensor]

def bonus(x: torch.Tensor, scale: float | None = None, /, *, shift: "float" = 0.1) -> torch.Tensor | None:
    return torch.tanh(x * (scale or 1.0)) + shift

def compute_reward(
    up_proj: torch.Tensor, heading: torch.Tensor | None, base_height: "Tensor"
) -> tuple[torch.Tensor, type_of_terms]:
    upright: torch.Tensor = bonus(up_proj, 2.0)
    facing: torch.Tensor = bonus(heading)
    parts: dict[str, torch.Tensor] = {"upright": upright, "facing": facing, "height": -(base_height - 0.3).abs()}
    return torch.stack([*parts.values()]).sum(0), parts
""",
)
_add(
    "jit_annotate",
    """
import torch
from typing import Dict, List

@torch.jit.script
def compute_reward(dof_pos: torch.Tensor, torques: torch.Tensor):
    terms: List[torch.Tensor] = []
    for joint in range(dof_pos.size(1)):
        terms.append(-torch.abs(dof_pos[:, joint]) * 0.1)
    posture = torch.stack(terms, dim=0).mean(dim=0)
    effort = torch.jit.annotate(torch.Tensor, -1e-3 * torques.pow(2).sum(1))
    rewards = torch.jit.annotate(Dict[str, torch.Tensor], {})
    rewards["posture"] = posture
    rewards["effort"] = effort
    return posture + effort, rewards
""",
)
_add(
    "quaternion_axis_angle",
    """
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
)
_add(
    "quaternion_matrix",
    """
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
)
_add(
    "euler_angles",
    """
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
)
_add(
    "math_on_constants",
    """
import math
import torch
from math import exp, log, pi, sqrt, tau

SIGMA = sqrt(0.25) * exp(-1.0)
LIMIT = math.radians(30.0)
HALF_LIFE = log(2.0) / 0.1

def compute_reward(heading, base_height, dof_pos):
    angle = torch.acos(heading.clamp(-1 + 1e-6, 1 - 1e-6))
    facing = torch.exp(-angle.pow(2) / (2 * SIGMA ** 2)) * math.cos(pi / 8)
    beyond = torch.relu(dof_pos.abs() - LIMIT).sum(-1) / math.floor(tau)
    height = torch.exp(-HALF_LIFE * (base_height - math.fabs(-0.4)).abs())
    return facing + height - beyond, {"facing": facing, "height": height, "beyond": -beyond, "scale": math.hypot(3, 4)}
""",
)
_add(
    "nested_helpers_and_star_arguments",
    """
import torch

def weighted_sum(*terms, weights=(1.0, 0.5, 0.25)):
    return sum(w * t for w, t in zip(weights, terms))

def compute_reward(base_lin_vel, up_proj, torques):
    def gaussian(x, mean=0.0, std=1.0):
        return torch.exp(-((x - mean) ** 2) / (2 * std**2))

    options = {"mean": 1.0, "std": 0.4}
    speed = gaussian(base_lin_vel[:, 0], **options)
    upright = up_proj.clamp(0, 1)
    effort = -torques.square().mean(dim=-1)
    return weighted_sum(speed, upright, effort), {"speed": speed, "upright": upright, "effort": effort}
""",
)
_add(
    "loops_over_fixed_sizes",
    """
import torch

LEGS = ("front_left", "front_right", "rear_left", "rear_right")

def compute_reward(contact_forces, foot_height, dof_pos):
    components = {}
    total = torch.zeros_like(foot_height[:, 0])
    for index, leg in enumerate(LEGS):
        force = contact_forces[:, index].norm(dim=-1)
        joints = dof_pos[:, 3 * index : 3 * (index + 1)]
        components[f"{leg}_step"] = torch.where(force < 1.0, foot_height[:, index], -0.1 * force)
        components[f"{leg}_posture"] = -joints.abs().max(dim=-1)[0]
        total = total + components[f"{leg}_step"]
    index = 0
    while index < 4:
        total = total + 0.1 * components[f"{LEGS[index]}_posture"]
        index += 1
    return total / len(LEGS), components
""",
)
_add(
    "comprehensions_and_reduce",
    """
import functools
import operator
import torch

def compute_reward(fingertip_pos, object_pos):
    fingers = [fingertip_pos[:, i] for i in range(fingertip_pos.shape[1])]
    distances = torch.stack([torch.norm(f - object_pos, dim=-1) for f in fingers], dim=-1)
    near = {f"finger {i}": torch.exp(-10 * d) for i, d in enumerate(distances.unbind(dim=-1)) if i % 2 == 0}
    product = functools.reduce(operator.mul, near.values())
    closest = functools.reduce(torch.minimum, distances.unbind(-1))
    total = sum(near.values()) + product - closest
    return total, {**near, "product": product, "closest": -closest}
""",
)
_add(
    "zero_dimensional_and_float",
    """
import torch

ALIVE = torch.tensor(0.5)
SCALE = torch.tensor([2.0])

def compute_reward(base_lin_vel, actions):
    speed = base_lin_vel[:, 0] * SCALE
    cost = torch.tensor(0.05) * actions.pow(2).sum(-1)
    total = speed - cost + ALIVE
    return total, {"speed": speed, "cost": -cost, "alive": ALIVE, "constant": 1.0, "flag": True, "one": torch.ones(())}
""",
)
_add(
    "devices_and_dtypes",
    """
import torch

def compute_reward(object_pos, goal_pos, success):
    device, dtype = object_pos.device, object_pos.dtype
    n = object_pos.shape[0]
    weights = torch.tensor([1.0, 1.0, 2.0], device=device, dtype=dtype).to(object_pos)
    offset = object_pos.new_tensor([0.0, 0.0, 0.1])
    error = ((object_pos - goal_pos + offset) * weights).abs().sum(dim=-1)
    base = torch.zeros(n, dtype=torch.float, device=device)
    bonus = torch.empty(n, device=device).fill_(0.0)
    bonus = bonus.masked_fill(success.to(device), 4.0).to(torch.float32)
    scaled = error.new_ones(n) * 0.5 + object_pos.new_zeros((n,)) + torch.zeros((n, 1), device=device).squeeze(1)
    reward = base - error.to(device=device, dtype=torch.float32) + bonus.type(torch.float32) + scaled.cpu().to(device)
    return reward.contiguous().detach(), {"error": -error, "bonus": bonus}
""",
)
_add(
    "boolean_logic",
    """
import torch

def compute_reward(contact_forces, foot_height, base_height, up_proj, success):
    contact = contact_forces[..., 2].gt(1.0)
    any_contact, all_contact = contact.any(dim=1), contact.all(dim=-1)
    fallen = base_height.lt(-0.5).logical_or(up_proj.le(-0.9))
    standing = ~fallen & any_contact & (base_height != 0) & ~all_contact
    exactly_two = contact.long().sum(dim=1).eq(2)
    state_bonus = torch.where(standing, 1.0, torch.where(fallen, -1.0, 0.0))
    gait = torch.where(exactly_two | success, foot_height.amax(1), foot_height.mean(1))
    cleared = (contact ^ (foot_height > 0.2)).to(torch.float).mean(-1)
    return state_bonus + gait + cleared * standing, {"state": state_bonus, "gait": gait, "cleared": cleared}
""",
)
_add(
    "masks_of_many_kinds",
    """
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
)
_add(
    "in_place_chain",
    """
import torch

def compute_reward(dof_pos, dof_vel, actions):
    reward = torch.zeros(dof_pos.shape[0], device=dof_pos.device)
    reward += dof_vel[:, 0]
    reward -= 0.1 * actions.abs().sum(dim=1)
    reward *= 2
    reward /= 3.0
    reward.add_(0.1).sub_(dof_pos[:, 1]).clamp_(min=-5.0, max=5.0)
    work = dof_vel.clone().mul_(actions)
    work[:, 3:6].zero_()
    work[:, -1] = 1.0
    work.abs_().sqrt_()
    reward.addcmul_(work[:, 0], work[:, 1], value=-0.5)
    total = reward.exp_().neg_().add(1.0)
    return total, {"reward": reward, "work": work.sum(1)}
""",
)
_add(
    "chained_conditions",
    """
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
)
_add(
    "text2reward_class_constants",
    """
import torch
from enum import Enum

class Weight(float, Enum):
    REACH = 0.5
    LIFT = 2.0

class Config:
    margin = 0.1
    scales = [1.0, 0.5]

    @staticmethod
    def shape(x):
        return 1.0 - torch.tanh(x / Config.margin)

def compute_reward(ee_pos, object_pos):
    reach = Config.shape(torch.norm(ee_pos - object_pos, dim=-1)) * Weight.REACH.value
    lift = object_pos[:, 2].clamp(0, 0.3) * Weight.LIFT.value * Config.scales[1]
    return reach + lift, {"reach": reach, "lift": lift}
""",
)
_add(
    "namedtuple_config",
    """
import torch
from collections import OrderedDict, namedtuple

Term = namedtuple("Term", ["name", "weight", "function"])

def forward(v, a):
    return v[:, 0]

def energy(v, a):
    return a.square().sum(-1)

TERMS = [Term("forward", 1.0, forward), Term("energy", -0.01, energy)]

def compute_reward(base_lin_vel, actions):
    parts = OrderedDict((t.name, t.weight * t.function(base_lin_vel, actions)) for t in TERMS)
    return torch.sum(torch.stack(tuple(parts.values()), -1), -1), parts
""",
)
_add(
    "global_lists_of_indices",
    """
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
)
_add(
    "squeezes",
    """
import torch

def compute_reward(object_pos, goal_pos, dof_pos):
    distance = torch.norm(object_pos - goal_pos, dim=-1, keepdim=True).squeeze()
    height = object_pos[:, 2:3].squeeze(-1)
    batched = torch.bmm(dof_pos.unsqueeze(1), dof_pos.unsqueeze(2)).squeeze()
    total = -distance + height.view(-1) - 0.01 * batched
    return total.squeeze(), {"distance": -distance, "height": height.reshape(-1), "posture": batched}
""",
)
_add(
    "conditional_expressions_on_python",
    """
import torch

CURRICULUM = {"stage": 2, "use_bonus": True}
DEBUG = False

def compute_reward(up_proj, heading, success, mode: str = "dense", clip: bool = True):
    weight = 1.0 if CURRICULUM["stage"] >= 2 else 0.1
    upright = weight * up_proj
    bonus = 3.0 * success if CURRICULUM.get("use_bonus") else torch.zeros_like(up_proj)
    if mode == "dense" and not DEBUG:
        facing = heading * 0.5
    elif mode == "sparse":
        facing = (heading > 0.9).float()
    else:
        raise ValueError(mode)
    total = upright + bonus + facing
    if clip:
        total = total.clamp(-10, 10)
    match CURRICULUM["stage"]:
        case 1:
            total = total * 0.5
        case _:
            pass
    return total, {"upright": upright, "bonus": bonus, "facing": facing}
""",
)
_add(
    "numpy_scalars_and_linspace",
    """
import numpy as np
import torch

KNOTS = np.linspace(0.0, 1.0, 5)
GAINS = np.array([0.1, 0.2, 0.3], dtype=np.float32)

def compute_reward(heading, projected_gravity):
    gains = torch.from_numpy(GAINS)
    tilt = (projected_gravity.abs() * torch.as_tensor(GAINS)).sum(-1) + (projected_gravity * gains).sum(-1)
    steps = sum((heading > float(k)).float() for k in KNOTS)
    total = steps * np.float64(0.2) - tilt * np.sqrt(2.0) + int(np.ceil(0.3))
    return total, {"steps": steps, "tilt": -tilt}
""",
)
_add(
    "torch_functions_as_methods",
    """
import torch

def compute_reward(base_ang_vel, dof_vel, torques, prev_potential, potential):
    progress = potential.sub(prev_potential).div(0.05)
    spin = base_ang_vel.norm(p=2, dim=-1).neg().exp()
    power = torques.mul(dof_vel).abs().sum(dim=-1).mul(-1e-3)
    smooth = dof_vel.var(dim=-1, unbiased=True).add(1e-3).log().neg().mul(0.01)
    total = progress.add(spin, alpha=0.5).add(power).add(smooth)
    rest = torch.add(total, 0.0).true_divide(2).multiply(2.0).subtract(0.0).maximum(total).minimum(total)
    return rest, {"progress": progress, "spin": spin.mul(0.5), "power": power, "smooth": smooth}
""",
)
_add(
    "vectorised_feet",
    """
import torch

def compute_reward(contact_forces, feet_air_time, foot_height, base_lin_vel):
    vertical = contact_forces.select(-1, 2)
    horizontal = contact_forces.narrow(-1, 0, 2).norm(dim=-1)
    contact = vertical > 1.0
    first, second = torch.split(feet_air_time, [2, 2], dim=-1)
    alternate = (first - second).abs().sum(-1)
    slip = torch.where(contact, horizontal, torch.zeros(())).sum(-1)
    share = torch.softmax(vertical, dim=-1)
    even = -(share * torch.log(share + 1e-8)).sum(-1)
    weights = torch.arange(4, dtype=torch.float32) / 3.0
    height = torch.tensordot(foot_height, weights, dims=1) + torch.matmul(foot_height, weights)
    speed = torch.linalg.vector_norm(base_lin_vel[:, :2], ord=2, dim=-1)
    total = speed + alternate - 0.1 * slip + even + 0.1 * height
    return total, {"speed": speed, "alternate": alternate, "slip": -0.1 * slip, "even": even}
""",
)
_add(
    "log_barriers",
    """
import torch

EPS = 1e-6

def barrier(x, limit):
    margin = torch.clamp(1.0 - (x / limit).square(), min=EPS)
    return torch.log(margin)

def compute_reward(dof_pos, base_height, commands, base_lin_vel):
    limits = barrier(dof_pos, 8.0).sum(-1).clamp(min=-20.0)
    target = torch.full_like(base_height, 0.3)
    height = -torch.nn.functional.huber_loss(base_height, target, reduction="none", delta=0.2)
    error = torch.linalg.norm(commands[:, :2] - base_lin_vel[:, :2], ord=1, dim=-1)
    tracking = 1.0 / (1.0 + error) + torch.special.expit(-error) + torch.rsqrt(1 + error)
    tracking = tracking + 0.01 * (2.0 // (1.0 + error) + 3 % (1.5 + error))
    return 0.1 * limits + height + tracking, {"limits": 0.1 * limits, "height": height, "tracking": tracking}
""",
)
_add(
    "decorated",
    """
import functools
import torch

def bounded(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return torch.clamp(function(*args, **kwargs), -1.0, 1.0)
    return wrapper

@bounded
def approach(x, y):
    return 1.0 - torch.norm(x - y, dim=-1)

@functools.lru_cache(maxsize=None)
def weight(stage):
    return 0.5 ** stage

@torch.no_grad()
def compute_reward(ee_pos, object_pos, goal_pos):
    parts = {"reach": approach(ee_pos, object_pos), "place": approach(object_pos, goal_pos)}
    total = sum(weight(stage) * part for stage, part in enumerate(parts.values()))
    return total, parts
""",
)
_add(
    "unpacking_and_walrus",
    """
import torch

def compute_reward(base_lin_vel, base_ang_vel, commands):
    vx, vy, vz = base_lin_vel.T
    *_, yaw_rate = base_ang_vel.unbind(dim=1)
    (cx, cy), cyaw = commands[:, :2].t(), commands[:, 2]
    if (count := commands.shape[-1]) == 3:
        scale = 1.0 / count
    tracking = torch.exp(-((vx - cx) ** 2 + (vy - cy) ** 2) / 0.25) * scale
    turning = torch.exp(-((yaw_rate - cyaw) ** 2) / 0.25) * scale
    bounce = -(vz ** 2)
    return tracking + turning + bounce, {"tracking": tracking, "turning": turning, "bounce": bounce}
""",
)
