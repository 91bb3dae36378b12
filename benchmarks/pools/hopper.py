"""Sixteen rewards for Hopper in the styles that models write, good and bad; `benchmarks/race.py` chooses among them.

Read as text: every function becomes a candidate's `compute_reward`, and takes the same path as a model's answer.
"""

import torch


def reward_01(forward_velocity, action):
    forward = forward_velocity
    alive = torch.ones_like(forward)
    control = -1e-3 * torch.sum(action**2, dim=-1)
    return forward + alive + control, {"forward": forward, "alive": alive, "control": control}


def reward_02(forward_velocity):
    speed = 2.0 * forward_velocity
    return speed, {"speed": speed}


def reward_03(forward_velocity, torso_position):
    forward = forward_velocity
    height_temperature = 0.1
    height = torch.exp(-((torso_position[:, 1] - 1.25) ** 2) / height_temperature)
    return forward + height, {"forward": forward, "height": height}


def reward_04(forward_velocity, torso_pitch):
    forward = torch.clamp(forward_velocity, 0.0, 3.0)
    upright_temperature = 0.05
    upright = 0.5 * torch.exp(-(torso_pitch**2) / upright_temperature)
    return forward + upright, {"forward": forward, "upright": upright}


def reward_05(forward_velocity, torso_pitch, torso_pitch_rate):
    forward = 1.5 * forward_velocity
    lean = -2.0 * torch.abs(torso_pitch)
    rocking = -0.05 * torso_pitch_rate**2
    alive = 0.5 * torch.ones_like(forward)
    return forward + lean + rocking + alive, {"forward": forward, "lean": lean, "rocking": rocking, "alive": alive}


def reward_06(torso_velocity, action, previous_action):
    forward = torso_velocity[:, 0]
    smoothness = -0.1 * torch.sum((action - previous_action) ** 2, dim=-1)
    alive = torch.ones_like(forward)
    return forward + smoothness + alive, {"forward": forward, "smoothness": smoothness, "alive": alive}


def reward_07(torso_position, torso_pitch):
    height = torso_position[:, 1]
    upright = -torch.abs(torso_pitch)
    return height + upright, {"height": height, "upright": upright}


def reward_08(forward_velocity):
    target_speed = 2.0
    tracking_temperature = 1.0
    tracking = torch.exp(-((forward_velocity - target_speed) ** 2) / tracking_temperature)
    return tracking, {"tracking": tracking}


def reward_09(forward_velocity, torso_velocity):
    forward = forward_velocity
    hop = 0.3 * torch.clamp(torso_velocity[:, 1], min=0.0)
    return forward + hop, {"forward": forward, "hop": hop}


def reward_10(forward_velocity, torso_position, torso_pitch):
    healthy = ((torso_position[:, 1] > 0.8) & (torch.abs(torso_pitch) < 0.15)).float()
    forward = forward_velocity * healthy
    return forward + healthy, {"forward": forward, "healthy": healthy}


def reward_11(forward_velocity, joint_velocity, action):
    forward = 3.0 * forward_velocity
    power = -0.01 * torch.sum(torch.abs(action * joint_velocity), dim=-1)
    alive = torch.ones_like(forward)
    return forward + power + alive, {"forward": forward, "power": power, "alive": alive}


def reward_12(torso_velocity):
    speed = torch.norm(torso_velocity, dim=-1)
    return speed, {"speed": speed}


def reward_13(forward_velocity, action):
    forward = torch.tanh(forward_velocity)
    effort = -0.2 * torch.sum(action**2, dim=-1)
    alive = 0.2 * torch.ones_like(forward)
    return forward + effort + alive, {"forward": forward, "effort": effort, "alive": alive}


def reward_14(forward_velocity, torso_position):
    speed_temperature = 2.0
    speed = torch.exp(torch.clamp(forward_velocity, -4.0, 4.0) / speed_temperature) - 1.0
    height = 0.5 * torch.clamp(torso_position[:, 1], 0.7, 1.3)
    return speed + height, {"speed": speed, "height": height}


def reward_15(forward_velocity, joint_velocity):
    forward = 0.1 * forward_velocity
    still = 0.5 * torch.exp(-0.1 * torch.sum(joint_velocity**2, dim=-1))
    alive = 0.5 * torch.ones_like(forward)
    return forward + still + alive, {"forward": forward, "still": still, "alive": alive}


def reward_16(forward_velocity, joint_position):
    forward = forward_velocity
    posture = -0.2 * torch.sum(joint_position**2, dim=-1)
    alive = 0.5 * torch.ones_like(forward)
    return forward + posture + alive, {"forward": forward, "posture": posture, "alive": alive}
