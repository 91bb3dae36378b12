"""Sixteen rewards for Cartpole in the styles that models write, good and bad; `benchmarks/race.py` chooses among them.

Read as text: every function becomes a candidate's `compute_reward`, and takes the same path as a model's answer.
"""

import torch


def reward_01(pole_angle):
    alive = torch.ones_like(pole_angle)
    return alive, {"alive": alive}


def reward_02(pole_angle):
    upright = 1.0 - pole_angle**2
    return upright, {"upright": upright}


def reward_03(pole_angle, cart_position):
    upright = torch.exp(-(pole_angle**2) / 0.01)
    centred = torch.exp(-(cart_position**2) / 0.5)
    return upright + 0.5 * centred, {"upright": upright, "centred": 0.5 * centred}


def reward_04(pole_angle, pole_angular_velocity, action):
    upright = torch.cos(pole_angle)
    damping = -0.1 * pole_angular_velocity**2
    effort = -0.01 * torch.sum(action**2, dim=-1)
    return upright + damping + effort, {"upright": upright, "damping": damping, "effort": effort}


def reward_05(pole_angle):
    tilt = -10.0 * pole_angle**2
    return tilt, {"tilt": tilt}


def reward_06(cart_velocity):
    still = -torch.abs(cart_velocity)
    return still, {"still": still}


def reward_07(action):
    effort = -torch.sum(action**2, dim=-1)
    return effort, {"effort": effort}


def reward_08(pole_angle, cart_position):
    upright = torch.where(pole_angle.abs() < 0.1, torch.ones_like(pole_angle), torch.zeros_like(pole_angle))
    rail = -(cart_position**2)
    return upright + rail, {"upright": upright, "rail": rail}


def reward_09(pole_angle, pole_angular_velocity):
    falling = -pole_angle * pole_angular_velocity
    alive = 0.2 * torch.ones_like(pole_angle)
    return falling + alive, {"falling": falling, "alive": alive}


def reward_10(cart_position):
    centred = 1.0 - torch.abs(cart_position)
    return centred, {"centred": centred}


def reward_11(pole_angle, cart_velocity):
    upright = torch.cos(pole_angle)
    speed = 0.5 * torch.abs(cart_velocity)
    return upright + speed, {"upright": upright, "speed": speed}


def reward_12(pole_angle, pole_angular_velocity, cart_position, cart_velocity):
    cost = pole_angle**2 + 0.1 * pole_angular_velocity**2 + 0.1 * cart_position**2 + 0.01 * cart_velocity**2
    regulator = torch.exp(-cost)
    return regulator, {"regulator": regulator}


def reward_13(pole_angular_velocity):
    damping = -torch.abs(pole_angular_velocity)
    return damping, {"damping": damping}


def reward_14(pole_angle, action):
    alive = torch.ones_like(pole_angle)
    effort = -2.0 * torch.sum(action**2, dim=-1)
    return alive + effort, {"alive": alive, "effort": effort}


def reward_15(pole_angle):
    lean = torch.tanh(5.0 * pole_angle)
    return lean, {"lean": lean}


def reward_16(pole_angle, pole_angular_velocity):
    upright = torch.exp(-pole_angle.abs() / 0.05)
    calm = torch.exp(-pole_angular_velocity.abs())
    return upright * calm, {"upright": upright, "calm": calm}
