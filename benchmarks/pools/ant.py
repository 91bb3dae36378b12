"""Sixteen rewards for Ant in the styles that models write, good and bad; `benchmarks/race.py` chooses among them.

Read as text: every function becomes a candidate's `compute_reward`, and takes the same path as a model's answer.
"""

import torch


def reward_01(forward_velocity, action):
    forward = forward_velocity
    effort = -0.02 * torch.sum(action**2, dim=-1)
    alive = 0.1 * torch.ones_like(forward)
    return forward + effort + alive, {"forward": forward, "effort": effort, "alive": alive}


def reward_02(torso_linear_velocity, torso_position, action):
    forward = torso_linear_velocity[:, 0]
    healthy = ((torso_position[:, 2] > 0.2) & (torso_position[:, 2] < 1.0)).float()
    control = -0.5 * torch.sum(action**2, dim=-1)
    return forward + healthy + control, {"forward": forward, "healthy": healthy, "control": control}


def reward_03(forward_velocity):
    speed_temperature = 2.0
    speed = torch.exp(forward_velocity / speed_temperature) - 1.0
    return speed, {"speed": speed}


def reward_04(forward_velocity, up_projection):
    forward = torch.clamp(forward_velocity, -1.0, 3.0)
    upright = 0.5 * up_projection
    return forward + upright, {"forward": forward, "upright": upright}


def reward_05(forward_velocity, lateral_velocity, heading_projection):
    forward = 1.5 * forward_velocity
    drift = -0.5 * torch.abs(lateral_velocity)
    heading = 0.3 * heading_projection
    return forward + drift + heading, {"forward": forward, "drift": drift, "heading": heading}


def reward_06(forward_velocity, action, previous_action):
    forward = forward_velocity
    smoothness = -0.1 * torch.sum((action - previous_action) ** 2, dim=-1)
    return forward + smoothness, {"forward": forward, "smoothness": smoothness}


def reward_07(torso_position, up_projection):
    height_temperature = 0.1
    height = torch.exp(-((torso_position[:, 2] - 0.6) ** 2) / height_temperature)
    upright = up_projection
    return height + upright, {"height": height, "upright": upright}


def reward_08(forward_velocity, torso_angular_velocity):
    forward = torch.tanh(forward_velocity)
    spin = -0.05 * torch.sum(torso_angular_velocity**2, dim=-1)
    return forward + spin, {"forward": forward, "spin": spin}


def reward_09(forward_velocity, joint_velocity, action):
    forward = 2.0 * forward_velocity
    power = -0.002 * torch.sum(torch.abs(action * joint_velocity), dim=-1)
    return forward + power, {"forward": forward, "power": power}


def reward_10(forward_velocity, up_projection, torso_position):
    gate = torch.where(up_projection > 0.5, torch.ones_like(up_projection), torch.zeros_like(up_projection))
    forward = forward_velocity * gate
    height = -torch.abs(torso_position[:, 2] - 0.55)
    return forward + height, {"forward": forward, "height": height}


def reward_11(torso_linear_velocity):
    speed = torch.norm(torso_linear_velocity[:, :2], dim=-1)
    return speed, {"speed": speed}


def reward_12(forward_velocity, action, contact_wrench):
    forward = forward_velocity
    control = -0.1 * torch.sum(action**2, dim=-1)
    contact = -5e-4 * torch.sum(torch.clamp(contact_wrench, -1.0, 1.0) ** 2, dim=(1, 2))
    return forward + control + contact, {"forward": forward, "control": control, "contact": contact}


def reward_13(forward_velocity):
    target_speed = 1.5
    tracking_temperature = 0.5
    tracking = torch.exp(-((forward_velocity - target_speed) ** 2) / tracking_temperature)
    return tracking, {"tracking": tracking}


def reward_14(forward_velocity, joint_velocity):
    forward = 0.2 * forward_velocity
    motion = 0.05 * torch.mean(torch.abs(joint_velocity), dim=-1)
    return forward + motion, {"forward": forward, "motion": motion}


def reward_15(forward_velocity, lateral_velocity, up_projection, action):
    forward = torch.where(forward_velocity > 0, forward_velocity**1.0, 0.5 * forward_velocity)
    stability = 0.2 * up_projection - 0.1 * lateral_velocity**2
    effort = -0.05 * torch.mean(action**2, dim=-1)
    return forward + stability + effort, {"forward": forward, "stability": stability, "effort": effort}


def reward_16(forward_velocity, action):
    forward = forward_velocity
    effort = -1.5 * torch.sum(action**2, dim=-1)
    return forward + effort, {"forward": forward, "effort": effort}
