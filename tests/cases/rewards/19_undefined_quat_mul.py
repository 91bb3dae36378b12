# source: JiaheXu/Eureka (GPT-4 ShadowHand run), 3DAlgoLab/Eureka: 19 of 229 call a helper that they do not define
# expect: accept
import torch
from typing import Dict, Tuple


@torch.jit.script
def compute_reward(torso_orientation: torch.Tensor, forward_velocity: torch.Tensor) -> Tuple[torch.Tensor, Dict[str, torch.Tensor]]:
    goal = torch.tensor([1.0, 0.0, 0.0, 0.0])
    difference = quat_mul(torso_orientation, quat_conjugate(goal))
    angle = 2.0 * torch.asin(torch.clamp(torch.norm(difference[:, 1:4], p=2, dim=-1), max=1.0))
    return forward_velocity - angle, {"angle": -angle}
