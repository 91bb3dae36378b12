"""K multi-layer perceptrons as one: stacked weights on one flat parameter, batched matrix products.

Results for a group are bitwise the same whatever other groups are stacked with it (tests/rl/test_population.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {"elu": F.elu, "relu": F.relu, "tanh": torch.tanh}


@dataclass(frozen=True)
class StackedMLP:
    """The architecture; parameters live outside, in a tensor of shape (num_groups, num_parameters).

    Args:
        sizes: layer widths from input to output.
        activation: a key of `ACTIVATIONS`, between layers.
        extra: free parameters at the end of the flat row, such as a log standard deviation.
    """

    sizes: tuple[int, ...]
    activation: str
    extra: int = 0

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Weight (inputs, outputs) and bias (1, outputs) of every layer in turn, then the extra row."""
        pairs = zip(self.sizes[:-1], self.sizes[1:], strict=True)
        shapes = [shape for a, b in pairs for shape in ((a, b), (1, b))]
        return [*shapes, (1, self.extra)] if self.extra else shapes

    @property
    def num_parameters(self) -> int:
        return sum(a * b for a, b in self.shapes)

    def initial(self, generator: torch.Generator, output_gain: float) -> torch.Tensor:
        """One group's parameters, (num_parameters,): orthogonal weights with gain sqrt(2), zero biases and extras."""
        parts = []
        layers = len(self.sizes) - 1
        for index, shape in enumerate(self.shapes):
            part = torch.zeros(shape)
            if index % 2 == 0 and index // 2 < layers:
                gain = output_gain if index // 2 == layers - 1 else math.sqrt(2)
                torch.nn.init.orthogonal_(part, gain=gain, generator=generator)
            parts.append(part.flatten())
        return torch.cat(parts)

    def views(self, flat: torch.Tensor) -> list[torch.Tensor]:
        """The layers of `flat` (num_groups, num_parameters), each (num_groups, rows, columns), without copies."""
        parts = torch.split(flat, [a * b for a, b in self.shapes], dim=1)
        return [part.view(-1, *shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def forward(self, layers: Sequence[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        """(num_groups, rows, inputs) -> (num_groups, rows, outputs)."""
        activation = ACTIVATIONS[self.activation]
        depth = len(self.sizes) - 1
        for layer in range(depth):
            weight, bias = layers[2 * layer], layers[2 * layer + 1]
            if weight.shape[2] == 1:
                # A product with one column takes another path for one group than for several: not bitwise the same.
                x = (x * weight.transpose(1, 2)).sum(dim=2, keepdim=True) + bias
            else:
                x = torch.baddbmm(bias, x, weight)
            if layer < depth - 1:
                x = activation(x)
        return x


class StackedAdam:
    """Adam (Kingma & Ba 2015) with a rate and a gradient-norm clip per group, on flat (num_groups, P) parameters."""

    def __init__(self, parameters: Sequence[torch.Tensor]) -> None:
        self.parameters = list(parameters)
        self.first = [torch.zeros_like(p) for p in parameters]
        self.second = [torch.zeros_like(p) for p in parameters]
        self.count = 0

    @torch.no_grad()
    def step(self, gradients: Sequence[torch.Tensor], rate: torch.Tensor, max_norm: float) -> None:
        """One step; `rate` (num_groups,). The norm that is clipped is over all of a group's parameters."""
        self.count += 1
        norm = torch.stack([g.square().sum(dim=1) for g in gradients]).sum(dim=0).sqrt()
        scale = (max_norm / (norm + 1e-6)).clamp(max=1.0)[:, None]
        bias = math.sqrt(1 - 0.999**self.count) / (1 - 0.9**self.count)
        step = (-bias * rate)[:, None]
        for p, g, m, v in zip(self.parameters, gradients, self.first, self.second, strict=True):
            g = g * scale
            m.lerp_(g, 0.1)
            v.mul_(0.999).addcmul_(g, g, value=0.001)
            p.addcdiv_(m * step, v.sqrt().add_(1e-8))
