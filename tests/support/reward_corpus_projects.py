"""Rewards as Eureka, Text2Reward, legged_gym, Isaac Lab and IsaacGymEnvs write them, with and without `self`."""

PROJECTS = {
    "eureka_locomotion": '''
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
    "finger_loop": """
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
    "text2reward_pick": """
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
    "text2reward_stages": """
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
    "legged_gym_tracking": """
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
    "legged_gym_limits": """
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
    "isaac_lab_terms": """
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
    "isaac_lab_configclass": """
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
    "isaacgym_ant": """
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
    "potential_shaping": """
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
    "air_time_trot": """
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
    "self_prefixed": """
import torch

def compute_reward(self):
    forward = self.base_lin_vel[:, 0]
    effort = -0.01 * torch.sum(self.torques * self.dof_vel, dim=-1).abs()
    alive = torch.ones(self.num_envs, device=self.device)
    total = forward + effort + 0.5 * alive
    return total, {"forward": forward, "effort": effort, "alive": 0.5 * alive}
""",
    "self_with_methods": """
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
    "self_and_parameters": """
import torch
from typing import Dict, Tuple

def compute_reward(
    self, object_pos: torch.Tensor, success: torch.Tensor
) -> Tuple[torch.Tensor, Dict[str, torch.Tensor]]:
    lift = torch.clamp(object_pos[:, 2] - 0.02, min=0.0)
    done = success.float() * (1.0 - self.episode_length.float() / 1000.0)
    return lift + done, {"lift": lift, "done": done}
""",
    "text2reward_class_constants": """
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
    "vectorised_feet": """
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
    "log_barriers": """
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
}
