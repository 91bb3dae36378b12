"""Rewards that use what torch has: types, devices, reductions, writes in place and rarer functions."""

TORCH = {
    "device_arguments": """
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
    "functional_zoo": """
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
    "reductions": """
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
    "elementwise_zoo": """
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
    "component_kinds": """
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
    "state_as_component": """
import torch

def compute_reward(base_height, up_proj):
    return base_height, {"height": base_height, "up": up_proj}
""",
    "in_place_on_fresh": """
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
    "writes_to_inputs": """
import torch

def compute_reward(actions, object_pos, goal_pos):
    actions[:, 0] = 0.0
    object_pos -= goal_pos
    reach = -object_pos.norm(dim=-1)
    effort = -actions.abs().sum(-1)
    return reach + 0.1 * effort, {"reach": reach, "effort": effort}
""",
    "type_juggling": """
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
    "numpy_constants": """
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
    "matrices": """
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
    "reshapes": """
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
    "rarer_functions": """
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
    "zero_dimensional_and_float": """
import torch

ALIVE = torch.tensor(0.5)
SCALE = torch.tensor([2.0])

def compute_reward(base_lin_vel, actions):
    speed = base_lin_vel[:, 0] * SCALE
    cost = torch.tensor(0.05) * actions.pow(2).sum(-1)
    total = speed - cost + ALIVE
    return total, {"speed": speed, "cost": -cost, "alive": ALIVE, "constant": 1.0, "flag": True, "one": torch.ones(())}
""",
    "devices_and_dtypes": """
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
    "boolean_logic": """
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
    "in_place_chain": """
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
    "squeezes": """
import torch

def compute_reward(object_pos, goal_pos, dof_pos):
    distance = torch.norm(object_pos - goal_pos, dim=-1, keepdim=True).squeeze()
    height = object_pos[:, 2:3].squeeze(-1)
    batched = torch.bmm(dof_pos.unsqueeze(1), dof_pos.unsqueeze(2)).squeeze()
    total = -distance + height.view(-1) - 0.01 * batched
    return total.squeeze(), {"distance": -distance, "height": height.reshape(-1), "posture": batched}
""",
    "numpy_scalars_and_linspace": """
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
    "torch_functions_as_methods": """
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
}
