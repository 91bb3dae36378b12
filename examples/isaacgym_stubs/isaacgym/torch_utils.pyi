"""Hand-written: what the example uses of `isaacgym.torch_utils`, which the package `isaacgym-stubs` does not have."""

import torch

def torch_rand_float(lower: float, upper: float, shape: tuple[int, int], device: str) -> torch.Tensor: ...
