"""Sixteen rewards for the swing-up in the styles that models write, good and bad; `benchmarks/race.py` chooses.

Read as text: every function becomes a candidate's `compute_reward`, and takes the same path as a model's answer.
"""

import torch


def reward_01(pole_upright, cart_position, pole_angular_velocity):
    upright = (pole_upright + 1.0) / 2.0
    centred = 0.5 + 0.5 * torch.exp(-(cart_position**2))
    calm = 0.5 + 0.5 * torch.exp(-((pole_angular_velocity / 5.0) ** 2))
    total = upright * centred * calm
    return total, {"upright": upright, "centred": centred, "calm": calm}


def reward_02(pole_upright):
    upright = pole_upright
    return upright, {"upright": upright}


def reward_03(pole_upright, cart_position):
    upright = pole_upright
    off_centre = -0.3 * cart_position**2
    return upright + off_centre, {"upright": upright, "off_centre": off_centre}


def reward_04(tip_distance):
    distance_temperature = 0.5
    near = torch.exp(-tip_distance / distance_temperature)
    return near, {"near": near}


def reward_05(tip_distance):
    distance = -tip_distance
    return distance, {"distance": distance}


def reward_06(pole_angle, cart_position, action):
    angle = -(pole_angle**2)
    off_centre = -0.5 * torch.abs(cart_position)
    effort = -0.05 * torch.sum(action**2, dim=-1)
    return angle + off_centre + effort, {"angle": angle, "off_centre": off_centre, "effort": effort}


def reward_07(pole_upright, cart_position):
    upright = (pole_upright > 0.9).float()
    centred = (torch.abs(cart_position) < 0.5).float()
    return upright * centred, {"upright": upright, "centred": centred}


def reward_08(pole_upright, pole_angular_velocity):
    upright = 2.0 * pole_upright
    spin = -0.1 * pole_angular_velocity**2
    return upright + spin, {"upright": upright, "spin": spin}


def reward_09(pole_upright, pole_angular_velocity):
    # Energy of a thin rod of a metre about its joint, from upright and at rest.
    energy = pole_angular_velocity**2 / 6.0 + 9.81 * pole_upright / 2.0
    energy_temperature = 2.0
    right_energy = torch.exp(-torch.abs(energy - 9.81 / 2.0) / energy_temperature)
    upright = torch.clamp(pole_upright, min=0.0)
    return right_energy + upright, {"right_energy": right_energy, "upright": upright}


def reward_10(pole_upright, cart_position, cart_velocity):
    upright = torch.exp(3.0 * (pole_upright - 1.0))
    still = torch.exp(-(cart_velocity**2) - cart_position**2)
    return upright + 0.2 * upright * still, {"upright": upright, "still": still}


def reward_11(pole_angular_velocity):
    speed = torch.abs(pole_angular_velocity)
    return speed, {"speed": speed}


def reward_12(tip_distance, pole_angular_velocity, cart_velocity):
    near = 1.0 - torch.tanh(tip_distance)
    calm = -0.01 * (pole_angular_velocity**2 + cart_velocity**2)
    return near + calm, {"near": near, "calm": calm}


def reward_13(pole_upright, cart_position, action):
    upright = pole_upright**3
    off_centre = -0.2 * torch.abs(cart_position)
    effort = -0.5 * torch.sum(action**2, dim=-1)
    return upright + off_centre + effort, {"upright": upright, "off_centre": off_centre, "effort": effort}


def reward_14(pole_angle, pole_angular_velocity):
    angle_temperature = 0.3
    balanced = torch.exp(-(pole_angle**2) / angle_temperature) * torch.exp(-0.1 * pole_angular_velocity**2)
    swing = 0.05 * (1.0 - torch.cos(pole_angle))
    return balanced - swing, {"balanced": balanced, "swing": swing}


def reward_15(pole_upright, cart_position):
    upright = torch.where(pole_upright > 0.0, 1.0 + pole_upright, 0.2 * pole_upright)
    centred = torch.exp(-4.0 * cart_position**2)
    return upright + 0.5 * centred, {"upright": upright, "centred": centred}


def reward_16(cart_position, cart_velocity):
    centred = torch.exp(-(cart_position**2))
    still = -0.1 * cart_velocity**2
    return centred + still, {"centred": centred, "still": still}
