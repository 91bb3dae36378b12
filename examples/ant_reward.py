"""A reward function that Eureka found, written from its verified graph.

Task: ant
Candidate: g01-c02
Sentence: Make the ant run forward, in the direction of the world's +x axis, as fast as possible.
Score: 1.446 m/s (progress along +x per second) in the search's own evaluation
Proposer: program_search is not a language model: it searches over reward programs made from the
    task's State table by unit, shape and frame, and cannot read the task's sentence; it is told
    which State quantities move with the task metric.
Had metric access: yes
Written by: eureka 0.1.0

It needs torch only and compiles under `torch.jit.script`.
"""

from typing import Dict, Tuple

import torch

# The task, the State fields that it reads, in the order of the parameters, and its components.
TASK: str = "ant"
INPUTS: Tuple[str, ...] = ("forward_velocity", "action")
COMPONENTS: Tuple[str, ...] = ("forward_velocity_reward", "action_squared", "alive")

# Constants: parameters with these defaults, because TorchScript reads no numbers of the module.
action_squared_weight: float = -0.05
alive_weight: float = 0.133
forward_velocity_reward_scale: float = 5.0
forward_velocity_reward_weight: float = 8.48


def compute_reward(
    forward_velocity: torch.Tensor,
    action: torch.Tensor,
    action_squared_weight: float = action_squared_weight,
    alive_weight: float = alive_weight,
    forward_velocity_reward_scale: float = forward_velocity_reward_scale,
    forward_velocity_reward_weight: float = forward_velocity_reward_weight,
) -> Tuple[torch.Tensor, Dict[str, torch.Tensor]]:
    """The total reward and its components, each of shape (num_envs,).

    Args:
        forward_velocity: (num_envs,), m/s, world frame; progress along +x during the step, divided
            by its duration
        action: (num_envs, 8), dimensionless, joint frame; torque command of this step as a share of
            the maximum, -1 to 1
    """
    num_envs = forward_velocity.shape[0]
    device = forward_velocity.device
    forward_velocity_reward = (
        forward_velocity_reward_weight
        * torch.tanh(forward_velocity / forward_velocity_reward_scale)
    )
    action_squared = action_squared_weight * (action ** 2).sum(dim=-1)
    alive = alive_weight * torch.full((num_envs,), 1.0, dtype=torch.float32, device=device)
    total = forward_velocity_reward + action_squared + alive
    components: Dict[str, torch.Tensor] = {
        "forward_velocity_reward": forward_velocity_reward,
        "action_squared": action_squared,
        "alive": alive,
    }
    return total, components


def compute_reward_from_state(
    state: Dict[str, torch.Tensor],
) -> Tuple[torch.Tensor, Dict[str, torch.Tensor]]:
    """The same from a dictionary of State fields; fields that are not read may be there."""
    return compute_reward(state["forward_velocity"], state["action"])
