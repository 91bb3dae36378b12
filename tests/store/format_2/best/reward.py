"""A reward function that Eureka found, written from its verified graph.

Task: cartpole
Candidate: g01-c01
Sentence: Keep the pole upright on the cart for as long as possible.
Score: 2.38 s (time upright) in the search's own evaluation
Proposer: program_search is not a language model: it searches over reward programs made from the
    task's State table by unit, shape and frame, and cannot read the task's sentence; it is told
    which State quantities move with the task metric.
Had metric access: yes
Written by: eureka 0.1.0

It needs torch only and compiles under `torch.jit.script`.
"""

import torch

# The task, the State fields that it reads, in the order of the parameters, and its components.
TASK: str = "cartpole"
INPUTS: tuple[str, ...] = ("cart_position", "action")
COMPONENTS: tuple[str, ...] = ("cart_position_reward", "action_squared", "alive")

# Constants: parameters with these defaults, because TorchScript reads no numbers of the module.
action_squared_weight: float = -0.05
alive_weight: float = 0.1
cart_position_reward_target: float = 0.0
cart_position_reward_temperature: float = 0.25
cart_position_reward_weight: float = 1.0


def compute_reward(
    cart_position: torch.Tensor,
    action: torch.Tensor,
    action_squared_weight: float = action_squared_weight,
    alive_weight: float = alive_weight,
    cart_position_reward_target: float = cart_position_reward_target,
    cart_position_reward_temperature: float = cart_position_reward_temperature,
    cart_position_reward_weight: float = cart_position_reward_weight,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The total reward and its components, each of shape (num_envs,).

    Args:
        cart_position: (num_envs,), m, world frame; position of the cart on its rail, -1 to 1
        action: (num_envs, 1), dimensionless, cart frame; force command as a share of the maximum,
            -1 to 1
    """
    num_envs = cart_position.shape[0]
    device = cart_position.device
    absolute = (cart_position - cart_position_reward_target).abs()
    cart_position_reward = cart_position_reward_weight * torch.exp(-absolute / cart_position_reward_temperature)
    action_squared = action_squared_weight * (action**2).sum(dim=-1)
    alive = alive_weight * torch.full((num_envs,), 1.0, dtype=torch.float32, device=device)
    total = cart_position_reward + action_squared + alive
    components: dict[str, torch.Tensor] = {
        "cart_position_reward": cart_position_reward,
        "action_squared": action_squared,
        "alive": alive,
    }
    return total, components


def compute_reward_from_state(
    state: dict[str, torch.Tensor],
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The same from a dictionary of State fields; fields that are not read may be there."""
    return compute_reward(state["cart_position"], state["action"])
