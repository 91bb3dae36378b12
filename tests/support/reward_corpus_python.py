"""Rewards that use what Python has: constants, helpers, annotations, classes, loops and comprehensions."""

PYTHON = {
    "module_constants": """
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
    "shape_branches": """
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
    "closures_and_lambdas": """
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
    "asserts_and_prints": """
import torch

def compute_reward(base_height, up_proj):
    assert base_height.shape == up_proj.shape, "shapes differ"
    assert torch.isfinite(base_height).all(), f"bad height {base_height.mean():.2f}"
    reward = up_proj - (base_height - 0.5).abs()
    print("mean reward", reward.mean().item())
    return reward, {"reward": reward}
""",
    "try_and_with": """
import torch

def compute_reward(object_pos, goal_pos):
    with torch.no_grad():
        try:
            distance = torch.cdist(object_pos[:, None], goal_pos[:, None]).squeeze(-1).squeeze(-1)
        except Exception:
            distance = torch.zeros(object_pos.shape[0])
    return -distance, {"distance": -distance}
""",
    "keyword_only_and_defaults": """
import torch

def reach(position, target, *, scale=2.0, power=2):
    return torch.exp(-scale * (position - target).norm(dim=-1) ** power)

def compute_reward(ee_pos, goal_pos, success, bonus: float = 3.0):
    near = reach(ee_pos, goal_pos, scale=1.5)
    return near + bonus * success, {"near": near}
""",
    "mypy_style": '''
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
    "list_of_terms": """
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
    "type_comments": """
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
    "new_annotations": """
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
    "jit_annotate": """
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
    "math_on_constants": """
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
    "nested_helpers_and_star_arguments": """
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
    "loops_over_fixed_sizes": """
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
    "comprehensions_and_reduce": """
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
    "namedtuple_config": """
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
    "conditional_expressions_on_python": """
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
    "decorated": """
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
    "unpacking_and_walrus": """
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
}
