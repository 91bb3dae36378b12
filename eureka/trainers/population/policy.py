"""One trained policy as a file: tensors and numbers only, loaded with `weights_only=True`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from eureka.core.errors import TrainingError
from eureka.physics import MujocoC
from eureka.tasks import Rng, Task
from eureka.tasks.ppo import PPOConfig
from eureka.trainers.population.networks import ACTIVATIONS, StackedMLP
from eureka.trainers.population.normalise import normalise
from eureka.trainers.tensor_file import TensorFileError, read_tensor_file

_FORMAT = 1
_MOST_UNITS = 1 << 20
_KEYS = {"format", "sizes", "activation", "extra", "parameters", "offset", "scale"}


@dataclass(frozen=True)
class Policies:
    """Deterministic policies of G groups, which return the means of their action distributions.

    `parameters` (G, P); `offset` and `scale` (G, 1, obs_dim) standardise observations.
    """

    network: StackedMLP
    parameters: torch.Tensor
    offset: torch.Tensor
    scale: torch.Tensor

    @torch.no_grad()
    def __call__(self, observation: torch.Tensor) -> torch.Tensor:
        """Actions for observations: (G, N, obs_dim) -> (G, N, A) in [-1, 1]."""
        x = normalise(observation, self.offset, self.scale)
        return self.network.forward(self.network.views(self.parameters), x).clamp(-1, 1)

    def action_std(self) -> torch.Tensor:
        """The standard deviation of the actions' noise in training, as a mean over the actions, (G,)."""
        return self.parameters[:, -self.network.extra :].exp().mean(dim=1)

    def dump(self, group: int) -> bytes:
        """One group's policy as the bytes of a `policy.pt`."""
        buffer = io.BytesIO()
        payload = {
            "format": _FORMAT,
            "sizes": list(self.network.sizes),
            "activation": self.network.activation,
            "extra": self.network.extra,
            "parameters": self.parameters[group].clone().cpu(),
            "offset": self.offset[group].clone().cpu(),
            "scale": self.scale[group].clone().cpu(),
        }
        torch.save(payload, buffer)
        return buffer.getvalue()


def policy_network(task: Task, ppo: PPOConfig) -> StackedMLP:
    """The architecture of a task's policies: the mean action of an observation; log standard deviations are extra."""
    start = task.reset(Rng.from_seed(0), 1)
    sim = MujocoC(task.model, 1, task.info.outputs)
    sim.reset(torch.arange(1), start.qpos, start.qvel)
    observation = task.observe(task.read_state(sim, start.carry, torch.zeros(1, task.num_actions)))
    return StackedMLP((observation.shape[1], *ppo.hidden, task.num_actions), ppo.activation, extra=task.num_actions)


def load_policy(data: bytes) -> Policies:
    """One policy from the bytes of a `policy.pt`, as a stack of one.

    Raises:
        TrainingError: the file is not a policy, or was written by another version.
    """
    payload = _read(data)
    if payload["format"] != _FORMAT:
        raise TrainingError(f"the policy has format {payload['format']}, this version reads {_FORMAT}")
    if not _is_policy(payload):
        raise TrainingError("the file is not a policy")
    network = StackedMLP(tuple(payload["sizes"]), payload["activation"], payload["extra"])
    return Policies(network, payload["parameters"][None], payload["offset"][None], payload["scale"][None])


def _read(data: bytes) -> Mapping[str, Any]:
    try:
        payload = read_tensor_file(data)
    except TensorFileError as error:
        raise TrainingError("the file is not a policy") from error
    if not isinstance(payload, dict) or "format" not in payload:
        raise TrainingError("the file is not a policy")
    return payload


def _is_policy(payload: Mapping[str, Any]) -> bool:
    """Whether a file has all entries, with the types and sizes that the network requires."""
    if payload.keys() != _KEYS:
        return False
    sizes, extra = payload["sizes"], payload["extra"]
    counts = [*sizes, extra] if isinstance(sizes, list) else []
    if len(counts) < 3 or not all(type(count) is int and 0 <= count <= _MOST_UNITS for count in counts):
        return False
    tensors = [payload[name] for name in ("parameters", "offset", "scale")]
    if payload["activation"] not in ACTIVATIONS or not all(isinstance(tensor, torch.Tensor) for tensor in tensors):
        return False
    network = StackedMLP(tuple(sizes), payload["activation"], extra)
    shapes = [(network.num_parameters,), (1, sizes[0]), (1, sizes[0])]
    are_floats = all(tensor.dtype == torch.float32 and not tensor.requires_grad for tensor in tensors)
    return are_floats and [tuple(tensor.shape) for tensor in tensors] == shapes
