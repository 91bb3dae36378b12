"""A trained policy as a torch module, for use outside of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from eureka.core.errors import TrainingError
from eureka.trainers.population.normalise import normalise
from eureka.trainers.population.policy import Policies, load_policy

_LAYERS: dict[str, type[nn.Module]] = {"elu": nn.ELU, "relu": nn.ReLU, "tanh": nn.Tanh}


class PolicyModule(nn.Module):
    """The deterministic policy of a `policy.pt`.

        policy = eureka.load_policy("best/policy.pt")
        action = policy.act(observation)

    The observation is that of the task's `observe`: (num_observations,), or (n, num_observations) for several.
    """

    def __init__(self, policies: Policies) -> None:
        super().__init__()
        network = policies.network
        *values, _ = (
            network.views(policies.parameters) if network.extra else [*network.views(policies.parameters), None]
        )
        layers: list[nn.Module] = []
        for weight, bias in zip(values[0::2], values[1::2], strict=True):
            assert weight is not None
            assert bias is not None
            linear = nn.Linear(weight.shape[1], weight.shape[2])
            linear.weight.data.copy_(weight[0].T)
            linear.bias.data.copy_(bias[0, 0])
            layers += [linear, _LAYERS[network.activation]()]
        self.layers = nn.Sequential(*layers[:-1])
        self.offset = nn.Buffer(policies.offset[0, 0].clone())
        self.scale = nn.Buffer(policies.scale[0, 0].clone())

    @property
    def num_observations(self) -> int:
        """The number of values in an observation."""
        return len(self.offset)

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        """Actions for observations: (..., num_observations) -> (..., num_actions) in [-1, 1]."""
        action: torch.Tensor = self.layers(normalise(observation, self.offset, self.scale))
        return action.clamp(-1, 1)

    @torch.no_grad()
    def act(self, observation: Any) -> np.ndarray:
        """The action in [-1, 1] for an observation, as arrays: (num_observations,) or (n, num_observations).

        Raises:
            TrainingError: the observation has another size.
        """
        given = torch.as_tensor(np.asarray(observation, dtype=np.float32))
        if given.dim() not in (1, 2) or given.shape[-1] != self.num_observations:
            raise TrainingError(
                f"this policy takes observations of {self.num_observations} numbers (the task's `observe`), and got an "
                f"array of shape {tuple(given.shape)}"
            )
        return np.asarray(self(given))


def read_policy_module(path: str | Path) -> PolicyModule:
    """The policy in a file such as `best/policy.pt` of a run folder.

    Raises:
        TrainingError: the file cannot be read, or is not a policy of a task.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise TrainingError(f"{path}: the policy cannot be read: {error.strerror}") from error
    try:
        return PolicyModule(load_policy(data))
    except TrainingError as error:
        raise TrainingError(f"{path}: {error}") from error
