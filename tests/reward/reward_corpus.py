"""Reward functions as language models write them, in many styles: all are sane and must convert."""

from reward_corpus_styles import STYLES

SANE: dict[str, str] = {}


def _add(name: str, source: str) -> None:
    assert name not in SANE
    SANE[name] = source.lstrip("\n")


_add(
    "eureka_locomotion",
    '''
import torch
from torch import Tensor
from typing import Tuple, Dict

@torch.jit.script
def compute_reward(base_lin_vel: Tensor, up_proj: Tensor, actions: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    """Runs forward, stays upright, saves energy."""
    velocity_temperature: float = 0.4
    upright_weight: float = 0.2
    energy_weight: float = 0.005
    velocity_reward = torch.exp(velocity_temperature * torch.clamp(base_lin_vel[:, 0], -5.0, 5.0)) - 1.0
    upright_reward = upright_weight * (up_proj > 0.9).float()
    energy_penalty = -energy_weight * torch.sum(actions ** 2, dim=-1)
    total_reward = velocity_reward + upright_reward + energy_penalty
    reward_components = {
        "velocity_reward": velocity_reward,
        "upright_reward": upright_reward,
        "energy_penalty": energy_penalty,
    }
    return total_reward, reward_components
''',
)
_add(
    "eureka_quaternions",
    """
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
)
_add(
    "quat_rotate_inverse",
    """
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
)
_add(
    "finger_loop",
    """
import torch

def compute_reward(fingertip_pos, object_pos, success):
    num_envs, num_fingers = fingertip_pos.shape[0], fingertip_pos.shape[1]
    total = torch.zeros(num_envs, device=object_pos.device)
    components = {}
    for finger in range(num_fingers):
        distance = torch.norm(fingertip_pos[:, finger, :] - object_pos, dim=-1)
        components[f"finger_{finger}"] = torch.exp(-8.0 * distance)
        total += components[f"finger_{finger}"] / num_fingers
    components["success"] = 10.0 * success.float()
    total = total + components["success"]
    return total, components
""",
)
_add(
    "masked_writes",
    """
import torch

def compute_reward(object_pos, goal_pos, success):
    distance = torch.linalg.norm(object_pos - goal_pos, dim=-1)
    reward = 1.0 - torch.tanh(5.0 * distance)
    reward[success] += 4.0
    reward[distance < 0.3] = 5.0
    reward[(distance > 2.0) & ~success] -= 0.5
    return reward, {"distance": -distance}
""",
)
_add(
    "masked_reads",
    """
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
)
_add(
    "module_constants",
    """
import math
import torch

TARGET_SPEED = 1.5
WEIGHTS = {"speed": 1.0, "height": 0.5, "pose": 0.25}
NOMINAL = torch.tensor([0.1, 0.8, -1.5] * 4)
SIGMA = math.sqrt(-2.0 * math.log(0.1))

def tolerance(x, lower, upper, margin):
    inside = (x >= lower) & (x <= upper)
    outside = torch.where(x < lower, lower - x, x - upper) / margin
    return torch.where(inside, torch.ones_like(x), torch.exp(-0.5 * (outside * SIGMA) ** 2))

def compute_reward(base_lin_vel, base_height, dof_pos):
    parts = {
        "speed": WEIGHTS["speed"] * tolerance(base_lin_vel[:, 0], TARGET_SPEED, float("inf"), TARGET_SPEED),
        "height": WEIGHTS["height"] * tolerance(base_height, 0.25, 0.35, 0.1),
        "pose": WEIGHTS["pose"] * torch.exp(-(dof_pos - NOMINAL).square().mean(dim=1)),
    }
    return sum(parts.values()), parts
""",
)
_add(
    "device_arguments",
    """
import torch

def compute_reward(base_lin_vel, actions):
    device = base_lin_vel.device
    target = torch.tensor([1.0, 0.0, 0.0], device=device)
    error = torch.linalg.norm(base_lin_vel - target, dim=1)
    weight = torch.full((base_lin_vel.shape[0],), 0.5, device=device)
    floor = torch.zeros(base_lin_vel.size(0), dtype=torch.float32, device=device)
    tracking = torch.maximum(torch.exp(-error / 0.25) * weight, floor).to(device)
    return tracking, {"tracking": tracking, "ones": torch.ones(len(actions)).to(actions.device)}
""",
)
_add(
    "shape_branches",
    """
import torch

def compute_reward(dof_pos, dof_vel):
    if dof_pos.shape[-1] == 12:
        weight = 0.1
    elif dof_pos.ndim == 1:
        weight = 0.5
    else:
        weight = 1.0
    if dof_vel.dim() == 1:
        dof_vel = dof_vel.unsqueeze(0)
    smooth = -weight * dof_vel.pow(2).sum(-1)
    return smooth, {"smooth": smooth}
""",
)
_add(
    "text2reward_pick",
    """
import torch

def compute_reward(ee_pos, object_pos, goal_pos, gripper_width, dof_vel):
    tcp_to_object = torch.linalg.norm(object_pos - ee_pos, axis=1)
    reaching_reward = 1 - torch.tanh(5 * tcp_to_object)
    reward = reaching_reward
    is_grasped = (tcp_to_object < 0.5) & (gripper_width < 0.3)
    reward = reward + is_grasped
    object_to_goal = torch.linalg.norm(goal_pos - object_pos, axis=1)
    place_reward = 1 - torch.tanh(5 * object_to_goal)
    reward += place_reward * is_grasped
    static_reward = 1 - torch.tanh(5 * torch.linalg.norm(dof_vel, axis=1))
    reward += static_reward * (object_to_goal <= 0.3)
    reward[(object_to_goal < 0.3) & is_grasped] = 5
    return reward, {"reaching": reaching_reward, "place": place_reward, "static": static_reward, "grasped": is_grasped}
""",
)
_add(
    "text2reward_stages",
    """
import torch

def stage_reward(distance, weight):
    return weight * (1.0 - torch.tanh(distance / 0.2))

def compute_reward(ee_pos, object_pos, goal_pos):
    approach = stage_reward((ee_pos - object_pos).norm(dim=-1), 1.0)
    lift = torch.clamp(object_pos[:, 2], min=0.0, max=0.5) * 4.0
    transport = stage_reward((object_pos - goal_pos).norm(dim=-1), 2.0)
    stage_1 = approach
    stage_2 = approach + lift
    stage_3 = approach + lift + transport
    lifted = object_pos[..., 2] > 0.1
    near = approach > 0.5
    total = torch.where(near & lifted, stage_3, torch.where(near, stage_2, stage_1))
    return total, dict(approach=approach, lift=lift, transport=transport)
""",
)
_add(
    "legged_gym_tracking",
    """
import torch

def compute_reward(base_lin_vel, base_ang_vel, commands, dof_vel, torques, actions, last_actions, feet_air_time,
                   contact_forces, projected_gravity):
    tracking_sigma = 0.25
    lin_error = torch.sum(torch.square(commands[:, :2] - base_lin_vel[:, :2]), dim=1)
    ang_error = torch.square(commands[:, 2] - base_ang_vel[:, 2])
    rew_lin = torch.exp(-lin_error / tracking_sigma)
    rew_ang = torch.exp(-ang_error / tracking_sigma) * 0.5
    rew_z = -2.0 * torch.square(base_lin_vel[:, 2])
    rew_xy = -0.05 * torch.sum(torch.square(base_ang_vel[:, :2]), dim=1)
    rew_flat = -torch.sum(torch.square(projected_gravity[:, :2]), dim=1)
    rew_torque = -0.00001 * torch.sum(torch.square(torques), dim=1)
    rew_rate = -0.01 * torch.sum(torch.square(last_actions - actions), dim=1)
    contact = contact_forces[:, :, 2] > 1.0
    rew_air = torch.sum((feet_air_time - 0.5) * contact, dim=1)
    rew_air *= torch.norm(commands[:, :2], dim=1) > 0.1
    rew_stumble = -torch.any(
        torch.norm(contact_forces[:, :, :2], dim=2) > 5 * torch.abs(contact_forces[:, :, 2]), dim=1
    ).float()
    total = rew_lin + rew_ang + rew_z + rew_xy + rew_flat + rew_torque + rew_rate + rew_air + 0.1 * rew_stumble
    total = torch.clip(total, min=0.)
    return total, {"lin": rew_lin, "ang": rew_ang, "z": rew_z, "xy": rew_xy, "flat": rew_flat, "torque": rew_torque,
                   "rate": rew_rate, "air": rew_air, "stumble": rew_stumble}
""",
)
_add(
    "legged_gym_limits",
    """
import torch

SOFT = 0.9
LOWER = torch.full((12,), -1.2)
UPPER = torch.full((12,), 1.2)

def compute_reward(dof_pos, dof_vel, base_height):
    out = -(dof_pos - LOWER * SOFT).clip(max=0.0)
    out += (dof_pos - UPPER * SOFT).clip(min=0.0)
    limits = -torch.sum(out, dim=1)
    speed = -torch.sum((torch.abs(dof_vel) - 1.0 * SOFT).clip(min=0.0, max=1.0), dim=1)
    height = -torch.square(base_height - 0.34)
    return limits + 0.1 * speed + height, {"limits": limits, "speed": speed, "height": height}
""",
)
_add(
    "column_lists",
    """
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
)
_add(
    "isaac_lab_terms",
    """
from __future__ import annotations
import torch

def lin_vel_z_l2(base_lin_vel: torch.Tensor) -> torch.Tensor:
    return torch.square(base_lin_vel[:, 2])

def action_rate_l2(actions: torch.Tensor, last_actions: torch.Tensor) -> torch.Tensor:
    return torch.sum(torch.square(actions - last_actions), dim=1)

def track_lin_vel_xy_exp(commands: torch.Tensor, base_lin_vel: torch.Tensor, std: float = 0.5) -> torch.Tensor:
    error = torch.sum(torch.square(commands[:, :2] - base_lin_vel[:, :2]), dim=1)
    return torch.exp(-error / std**2)

def compute_reward(commands, base_lin_vel, actions, last_actions):
    terms = {
        "track_lin_vel_xy_exp": (track_lin_vel_xy_exp(commands, base_lin_vel), 1.5),
        "lin_vel_z_l2": (lin_vel_z_l2(base_lin_vel), -2.0),
        "action_rate_l2": (action_rate_l2(actions, last_actions), -0.01),
    }
    weighted = {name: weight * value for name, (value, weight) in terms.items()}
    return torch.stack(list(weighted.values()), dim=-1).sum(dim=-1), weighted
""",
)
_add(
    "isaac_lab_configclass",
    """
import torch
from dataclasses import dataclass

@dataclass
class Weights:
    reach: float = 1.0
    lift: float = 15.0
    std: float = 0.1

CFG = Weights(lift=5.0)

def compute_reward(ee_pos, object_pos):
    distance = torch.norm(object_pos - ee_pos, dim=-1)
    reach = CFG.reach * (1 - torch.tanh(distance / CFG.std))
    lift = CFG.lift * torch.where(object_pos[:, 2] > 0.04, 1.0, 0.0)
    return reach + lift, {"reach": reach, "lift": lift}
""",
)
_add(
    "isaacgym_ant",
    """
import torch

def compute_reward(potential, prev_potential, up_proj, heading, actions, dof_vel, dof_pos, episode_length):
    progress_reward = potential - prev_potential
    heading_weight_tensor = torch.ones_like(heading) * 0.5
    heading_reward = torch.where(heading > 0.8, heading_weight_tensor, 0.5 * heading / 0.8)
    up_reward = torch.zeros_like(heading_reward)
    up_reward = torch.where(up_proj > 0.93, up_reward + 0.1, up_reward)
    actions_cost = torch.sum(actions ** 2, dim=-1)
    electricity_cost = torch.sum(torch.abs(actions * dof_vel), dim=-1)
    dof_at_limit_cost = torch.sum(dof_pos > 0.99, dim=-1)
    alive_reward = torch.ones_like(potential) * 0.5
    total = (progress_reward + alive_reward + up_reward + heading_reward
             - 0.005 * actions_cost - 0.05 * electricity_cost - dof_at_limit_cost * 0.1)
    total = torch.where(episode_length >= 999, torch.zeros_like(total), total)
    total = torch.where(up_proj < -0.5, torch.ones_like(total) * -2.0, total)
    return total, {"progress": progress_reward, "alive": alive_reward, "up": up_reward, "heading": heading_reward}
""",
)
_add(
    "functional_zoo",
    """
import torch
import torch.nn.functional as F

def compute_reward(object_pos, goal_pos, dof_vel, foot_height):
    gate = torch.sigmoid((0.1 - (object_pos - goal_pos).norm(dim=-1)) / 0.2)
    huber = F.huber_loss(object_pos, goal_pos, reduction="none", delta=0.5).sum(-1)
    smooth = F.smooth_l1_loss(object_pos, goal_pos, reduction="none").sum(-1)
    squared = F.mse_loss(object_pos, goal_pos, reduction="none").mean(-1)
    clearance = F.softplus(foot_height).max(dim=-1).values
    lowest, which = foot_height.min(dim=1)
    energy = torch.einsum("ij,ij->i", dof_vel, dof_vel)
    cosine = F.cosine_similarity(object_pos, goal_pos, dim=-1)
    total = gate * clearance - huber - smooth - squared - 1e-3 * energy + F.relu(cosine) + F.elu(lowest)
    total = total + 0.01 * F.gelu(lowest) + F.leaky_relu(cosine, 0.1) + F.silu(gate) + F.hardtanh(lowest)
    return total, {"gate": gate, "huber": -huber, "clearance": clearance, "cosine": cosine, "which": which.float()}
""",
)
_add(
    "reductions",
    """
import torch

def compute_reward(dof_pos, dof_vel, torques, foot_height):
    spread = dof_pos.std(dim=-1) + torch.var(dof_vel, dim=1, unbiased=False)
    peak = torques.abs().amax(dim=-1) + foot_height.amin(-1)
    power = (torques * dof_vel).abs().sum(dim=-1, keepdim=True).squeeze(-1)
    order = foot_height.sort(dim=-1, descending=True).values[:, 0] - torch.topk(foot_height, 2, dim=-1)[0][:, 1]
    soft = torch.logsumexp(foot_height, dim=-1) + (torch.softmax(foot_height, dim=-1) * foot_height).sum(-1)
    change = torch.diff(dof_pos, dim=-1).abs().mean(-1) + dof_pos.cumsum(-1)[:, -1]
    product = torch.prod(torch.clamp(foot_height.abs(), 0.1, 1.0), dim=-1)
    counted = (dof_pos.abs() > 1.0).sum(-1).float() + torch.count_nonzero(torques > 0, dim=-1)
    middle = dof_vel.median(dim=-1).values + dof_vel.norm(p=1, dim=-1) + dof_vel.norm(p=float("inf"), dim=-1)
    total = spread - 0.01 * peak - 0.001 * power + order + soft - change + product - 0.1 * counted + 0.01 * middle
    return total, {"spread": spread, "power": -power, "soft": soft, "product": product}
""",
)
_add(
    "elementwise_zoo",
    """
import math
import torch

def compute_reward(heading, base_height, base_lin_vel):
    x = heading.clamp(-0.99, 0.99)
    angle = torch.atan2(base_lin_vel[:, 1], base_lin_vel[:, 0])
    waves = torch.sin(angle) + torch.cos(2 * angle) + torch.tan(0.1 * x) + torch.sinh(x) - torch.cosh(x)
    inverse = torch.asin(x) + torch.acos(x) + torch.atan(x) + torch.atanh(x)
    logs = torch.log1p(x.abs()) + torch.log(x.abs() + 1.0) + torch.log2(x.abs() + 2) + torch.expm1(x) + 2.0 ** x
    roots = torch.sqrt(x.abs() + 1e-6) + torch.rsqrt(x.abs() + 1.0) + torch.reciprocal(x.abs() + 1.0)
    rounds = torch.floor(base_height) + torch.ceil(x) + torch.round(base_height) + torch.trunc(x) + torch.sign(x)
    wrapped = torch.remainder(angle + math.pi, 2 * math.pi) - math.pi + torch.fmod(angle, 1.0) + angle % 0.5
    special = torch.erf(x) + torch.hypot(x, base_height) + torch.lerp(x, base_height, 0.3) + x // 0.25
    safe = torch.nan_to_num(base_height / base_height, nan=0.0) + torch.isfinite(x).float()
    total = waves + inverse + logs + roots + 0.1 * rounds + wrapped + special + safe
    return total, {"waves": waves, "inverse": inverse, "logs": logs}
""",
)
_add(
    "component_kinds",
    """
import torch

def compute_reward(object_pos, goal_pos, success, episode_length):
    distance = (object_pos - goal_pos).norm(dim=-1)
    reward = torch.exp(-distance)
    return reward, {
        "reward": reward,
        "weight": 0.5,
        "steps": episode_length,
        "success": success,
        "zero_dim": torch.tensor(0.25),
        "count": 3,
        "height of the object (m)": object_pos[:, 2],
        "état": reward.double(),
    }
""",
)
_add(
    "state_as_component",
    """
import torch

def compute_reward(base_height, up_proj):
    return base_height, {"height": base_height, "up": up_proj}
""",
)
_add(
    "in_place_on_fresh",
    """
import torch

def compute_reward(actions, dof_pos):
    buffer = torch.empty(actions.shape[0], 3)
    buffer[:, 0] = actions[:, 0]
    buffer[:, 1].copy_(dof_pos[:, 1])
    buffer[:, 2] = 0.5
    buffer[:, :2] *= 2.0
    buffer.clamp_(-1.0, 1.0)
    row = buffer[:, 1]
    row += 1.0
    penalty = torch.zeros(actions.shape[0])
    penalty.add_(actions.abs().sum(-1), alpha=-0.1).mul_(0.5)
    penalty.masked_fill_(dof_pos[:, 0] > 1.0, -1.0)
    return buffer.sum(-1) + penalty, {"buffer": buffer.sum(-1), "penalty": penalty}
""",
)
_add(
    "writes_to_inputs",
    """
import torch

def compute_reward(actions, object_pos, goal_pos):
    actions[:, 0] = 0.0
    object_pos -= goal_pos
    reach = -object_pos.norm(dim=-1)
    effort = -actions.abs().sum(-1)
    return reach + 0.1 * effort, {"reach": reach, "effort": effort}
""",
)
_add(
    "type_juggling",
    """
import torch

def compute_reward(success, episode_length, base_height, heading):
    early = (episode_length < 100).to(torch.float32) * success.type_as(base_height)
    fraction = episode_length / 1000.0
    whole = (heading * 10).long().float() + episode_length.double().float() * 0.001
    parity = (episode_length % 2 == 0).int()
    both = torch.logical_and(success, heading > 0) | torch.logical_xor(success, base_height > 0)
    total = early - fraction + 0.1 * whole + parity * 0.5 + both.half().float() + torch.logical_not(success)
    return total, {"early": early, "fraction": fraction}
""",
)
_add(
    "potential_shaping",
    """
import torch

GAMMA = 0.99

def potential_of(position, goal):
    return -torch.norm(position - goal, dim=-1)

def compute_reward(object_pos, goal_pos, prev_potential, success):
    now = potential_of(object_pos, goal_pos)
    shaping = GAMMA * now - prev_potential
    sparse = torch.where(success, 1.0, 0.0)
    total = shaping + 10 * sparse
    return total, {"shaping": shaping, "sparse": sparse}
""",
)
_add(
    "numpy_constants",
    """
import numpy as np
import torch

SCALE = np.exp(-0.5) * np.pi
ANGLE = np.deg2rad(30.0)

def compute_reward(object_pos, goal_pos, heading):
    distance = torch.norm(object_pos - goal_pos, dim=-1)
    near = torch.exp(-distance * SCALE)
    facing = torch.cos(heading - float(ANGLE))
    return near + facing, {"near": near, "facing": facing}
""",
)
_add(
    "closures_and_lambdas",
    """
import torch

def compute_reward(dof_pos, dof_vel, up_proj):
    k = 4.0
    bump = lambda x, c: torch.exp(-k * (x - c) ** 2)
    def weighted(value, weight=0.25):
        return weight * value
    posture = weighted(bump(dof_pos, 0.0).mean(-1))
    calm = weighted(bump(dof_vel, 0.0).mean(-1), weight=0.5)
    parts = [posture, calm, up_proj.clamp(min=0)]
    return sum(parts), {name: part for name, part in zip(["posture", "calm", "up"], parts)}
""",
)
_add(
    "asserts_and_prints",
    """
import torch

def compute_reward(base_height, up_proj):
    assert base_height.shape == up_proj.shape, "shapes differ"
    assert torch.isfinite(base_height).all(), f"bad height {base_height.mean():.2f}"
    reward = up_proj - (base_height - 0.5).abs()
    print("mean reward", reward.mean().item())
    return reward, {"reward": reward}
""",
)
_add(
    "try_and_with",
    """
import torch

def compute_reward(object_pos, goal_pos):
    with torch.no_grad():
        try:
            distance = torch.cdist(object_pos[:, None], goal_pos[:, None]).squeeze(-1).squeeze(-1)
        except Exception:
            distance = torch.zeros(object_pos.shape[0])
    return -distance, {"distance": -distance}
""",
)
_add(
    "matrices",
    """
import torch

MIX = torch.tensor([[1.0, 0.5, 0.0], [0.0, 1.0, 0.5], [0.5, 0.0, 1.0]])

def compute_reward(base_lin_vel, projected_gravity, contact_forces):
    mixed = base_lin_vel @ MIX
    turned = torch.matmul(contact_forces, MIX.T)
    outer = base_lin_vel.unsqueeze(-1) * projected_gravity.unsqueeze(-2)
    trace = torch.diagonal(outer, dim1=-2, dim2=-1).sum(-1)
    eye = torch.eye(3)
    deviation = (outer - eye).flatten(1).square().mean(dim=1)
    down = projected_gravity @ torch.tensor([0.0, 0.0, -1.0])
    total = mixed.sum(-1) + 0.01 * turned.norm(dim=-1).sum(-1) + trace - deviation + down
    return total, {"mixed": mixed.sum(-1), "trace": trace, "deviation": -deviation, "down": down}
""",
)
_add(
    "reshapes",
    """
import torch

def compute_reward(dof_pos, fingertip_pos, object_pos):
    legs = dof_pos.view(-1, 4, 3)
    legs_2 = dof_pos.reshape(dof_pos.shape[0], 4, 3).permute(0, 2, 1)
    symmetry = -(legs[:, 0] - legs[:, 1]).abs().sum(-1) - (legs_2[..., 2] - legs_2[..., 3]).square().sum(1)
    points = fingertip_pos.reshape(-1, 3)
    flat = points.norm(dim=-1).view(-1, 5).mean(-1)
    spread = (fingertip_pos - object_pos[:, None, :].expand(-1, 5, -1)).norm(dim=-1)
    stacked = torch.cat([spread, spread.flip(-1)], dim=1).chunk(2, dim=1)[1]
    left, right = torch.split(dof_pos, 6, dim=1)
    rolled = torch.roll(stacked, 1, dims=-1).transpose(0, 1).sum(0)
    total = symmetry - flat - rolled + 0.1 * (left - right).mean(dim=(1,)) + object_pos.repeat(1, 2).sum(-1)
    return total, {"symmetry": symmetry, "flat": flat, "rolled": rolled}
""",
)
_add(
    "air_time_trot",
    """
import torch

def compute_reward(contact_forces, feet_air_time, commands, foot_height):
    contacts = torch.norm(contact_forces, dim=-1) > 1.0
    first_contact = (feet_air_time > 0.0) * contacts
    air_time = torch.sum((feet_air_time.clamp(max=0.6) - 0.3) * first_contact, dim=1)
    moving = (torch.norm(commands[:, :2], dim=1) > 0.1).float()
    pairs = (contacts[:, 0] == contacts[:, 3]) & (contacts[:, 1] == contacts[:, 2])
    trot = torch.where(pairs & (contacts.sum(dim=-1) == 2), 1.0, -0.2)
    slip = -(~contacts * foot_height.clamp(0.0, 0.1)).sum(-1)
    total = moving * (air_time + 0.3 * trot) - slip
    return total, {"air_time": air_time, "trot": trot, "slip": slip}
""",
)
_add(
    "keyword_only_and_defaults",
    """
import torch

def reach(position, target, *, scale=2.0, power=2):
    return torch.exp(-scale * (position - target).norm(dim=-1) ** power)

def compute_reward(ee_pos, goal_pos, success, bonus: float = 3.0):
    near = reach(ee_pos, goal_pos, scale=1.5)
    return near + bonus * success, {"near": near}
""",
)
_add(
    "mypy_style",
    '''
"""A reward with a module docstring."""

import torch
from typing import Dict, List, NamedTuple, Optional, Tuple


class Terms(NamedTuple):
    speed: torch.Tensor
    calm: torch.Tensor


def _terms(v: torch.Tensor, w: torch.Tensor, scale: Optional[float] = None) -> Terms:
    scale = 1.0 if scale is None else scale
    return Terms(speed=v[:, 0] * scale, calm=-torch.linalg.vector_norm(w, dim=-1))


def compute_reward(
    base_lin_vel: torch.Tensor, base_ang_vel: torch.Tensor
) -> Tuple[torch.Tensor, Dict[str, torch.Tensor]]:
    terms: Terms = _terms(base_lin_vel, base_ang_vel)
    components: Dict[str, torch.Tensor] = terms._asdict()
    order: List[str] = sorted(components)
    total: torch.Tensor = torch.stack([components[name] for name in order]).sum(dim=0)
    return total, components
''',
)
_add(
    "list_of_terms",
    """
import torch

def compute_reward(base_lin_vel, torques, dof_vel, up_proj):
    rewards = []
    names = ("run", "effort", "upright")
    rewards.append(base_lin_vel[:, 0].clamp(max=2.0))
    rewards.append(-1e-4 * (torques * dof_vel).abs().sum(dim=-1))
    rewards.append(0.5 * up_proj.pow(3))
    weights = torch.tensor([1.0, 0.5, 0.25])
    total = (torch.stack(rewards, dim=1) * weights).sum(dim=1)
    return total, dict(zip(names, rewards))
""",
)
_add(
    "rarer_functions",
    """
import torch
import torch.nn.functional as F

@torch.jit.script
def double(x: torch.Tensor) -> torch.Tensor:
    return 2.0 * x

def compute_reward(object_pos, goal_pos, dof_pos, success, up_proj):
    apart = F.pairwise_distance(object_pos, goal_pos)
    area = torch.trapz(dof_pos, dim=-1)
    ramp = torch.linspace(0, 1, 12) @ dof_pos.T
    deviation, centre = torch.std_mean(dof_pos, dim=1)
    entropy = F.binary_cross_entropy(torch.sigmoid(up_proj), success.float(), reduction="none")
    flat = object_pos[:, [True, True, False]].sum(-1)
    rows = torch.vmap(lambda q: (q * q).sum())(dof_pos)
    total = double(-apart) + 0.1 * area + ramp - deviation * centre - entropy + flat - rows
    return total.requires_grad_(False), {"apart": apart, "area": area, "rows": rows}
""",
)

SANE |= STYLES
