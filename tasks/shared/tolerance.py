"""The control suite's `tolerance` around 0 (Tassa et al. 2018): 1 within bounds, falling off to a value at a margin."""

from __future__ import annotations

import math

import torch

VALUE_AT_MARGIN = 0.1


def gaussian_tolerance(value: torch.Tensor, margin: float, within: float = 0.0) -> torch.Tensor:
    """1 where `value` is at most `within` from 0, falling off as a Gaussian to 0.1 at `margin` beyond that."""
    beyond = torch.clamp(value.abs() - within, min=0.0)
    return torch.exp(math.log(VALUE_AT_MARGIN) * torch.square(beyond / margin))


def quadratic_tolerance(value: torch.Tensor, margin: float) -> torch.Tensor:
    """1 at 0, falling off as a parabola to 0 at the margin."""
    return torch.clamp(1 - torch.square(value / margin), min=0.0)
