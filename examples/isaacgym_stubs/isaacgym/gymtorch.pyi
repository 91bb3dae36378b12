"""Hand-written: what the example uses of `isaacgym.gymtorch`, which the package `isaacgym-stubs` does not have."""

import torch
from isaacgym import gymapi

def wrap_tensor(gym_tensor: gymapi.Tensor) -> torch.Tensor: ...
def unwrap_tensor(torch_tensor: torch.Tensor) -> gymapi.Tensor: ...
