"""A `policy.pt` as a torch module, against the policies that wrote it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import eureka
from eureka.core.errors import TrainingError
from eureka.trainers.population.networks import StackedMLP
from eureka.trainers.population.policy import Policies


@pytest.mark.parametrize("activation", ["elu", "relu", "tanh"])
def test_it_acts_as_the_policy_that_was_trained(tmp_path: Path, activation: str) -> None:
    network = StackedMLP((3, 8, 2), activation, extra=2)
    generator = torch.Generator().manual_seed(0)
    parameters = torch.randn(2, network.num_parameters, generator=generator)
    policies = Policies(network, parameters, torch.randn(2, 1, 3, generator=generator), torch.full((2, 1, 3), 0.5))
    path = tmp_path / "policy.pt"
    path.write_bytes(policies.dump(1))
    policy = eureka.load_policy(str(path))
    observation = torch.randn(2, 5, 3, generator=generator)
    expected = policies(observation)[1]
    np.testing.assert_allclose(policy.act(observation[1].numpy()), expected.numpy(), atol=1e-6)
    np.testing.assert_allclose(policy.act(observation[1, 0].tolist()), expected[0].numpy(), atol=1e-6)
    torch.testing.assert_close(policy(observation[1]), expected)


def test_by_hand(tmp_path: Path) -> None:
    # One input, standardised as (x - 1) * 2, one layer: 0.25 * x + 0.1.
    network = StackedMLP((1, 1), "tanh", extra=1)
    row = torch.tensor([[0.25, 0.1, -1.0]])
    path = tmp_path / "policy.pt"
    path.write_bytes(Policies(network, row, torch.ones(1, 1, 1), torch.full((1, 1, 1), 2.0)).dump(0))
    policy = eureka.load_policy(path)
    assert policy.act([2.0]).tolist() == pytest.approx([0.6])
    assert policy.act([[2.0], [9.0]]).ravel().tolist() == pytest.approx([0.6, 1.0])
    with pytest.raises(TrainingError, match=r"takes observations of 1 numbers .* array of shape \(2,\)"):
        policy.act([1.0, 2.0])


def test_what_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"none\.pt: the policy cannot be read: No such file"):
        eureka.load_policy(tmp_path / "none.pt")
    (tmp_path / "other.pt").write_bytes(b"no policy")
    with pytest.raises(TrainingError, match=r"other\.pt: the file is not a policy"):
        eureka.load_policy(tmp_path / "other.pt")
