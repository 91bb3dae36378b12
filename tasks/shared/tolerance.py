"""The control suite's `tolerance` around 0 (Tassa et al. 2018), and MetaWorld's product of such (Yu et al. 2020).

Every tolerance is 1 within bounds, and falls off to 0.1 (the quadratic to 0) at a margin beyond them.
"""

from __future__ import annotations

import math

import torch

VALUE_AT_MARGIN = 0.1


def gaussian_tolerance(
    value: torch.Tensor, margin: float | torch.Tensor, within: float | torch.Tensor = 0.0
) -> torch.Tensor:
    """1 where `value` is at most `within` from 0, falling off as a Gaussian to 0.1 at `margin` beyond that."""
    beyond = torch.clamp(value.abs() - within, min=0.0)
    return torch.exp(math.log(VALUE_AT_MARGIN) * torch.square(beyond / margin))


def long_tail_tolerance(
    value: torch.Tensor, margin: float | torch.Tensor, within: float | torch.Tensor = 0.0
) -> torch.Tensor:
    """Likewise, falling off as 1 / (1 + 9 x^2) in x = distance / margin."""
    beyond = torch.clamp(value.abs() - within, min=0.0)
    return 1 / (1 + (1 / VALUE_AT_MARGIN - 1) * torch.square(beyond / margin))


def quadratic_tolerance(value: torch.Tensor, margin: float) -> torch.Tensor:
    """1 at 0, falling off as a parabola to 0 at the margin."""
    return torch.clamp(1 - torch.square(value / margin), min=0.0)


def hamacher_product(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """a b / (a + b - a b), both in [0, 1]; 0 where both are."""
    below = first + second - first * second
    return torch.where(below > 0, first * second / torch.where(below > 0, below, torch.ones_like(below)), 0.0)
