"""A GL to draw with, and small policies made by hand."""

import os
from collections.abc import Callable

import pytest
import torch

from eureka.core.errors import RenderingUnavailable
from eureka.trainers.population.networks import StackedMLP
from eureka.trainers.population.policy import Policies
from eureka.ui.video.gl import find_gl


@pytest.fixture(scope="session")
def gl() -> str:
    """The value of MUJOCO_GL that works here."""
    try:
        return find_gl(os.environ)
    except RenderingUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def constant_policy() -> Callable[[int, int, float], bytes]:
    """`policy.pt` of a policy with so many observations and actions that always gives the same action."""

    def make(observations: int, actions: int, action: float) -> bytes:
        network = StackedMLP((observations, actions), "relu")
        parameters = torch.cat([torch.zeros(observations * actions), torch.full((actions,), action)])[None]
        zeros, ones = torch.zeros(1, 1, observations), torch.ones(1, 1, observations)
        return Policies(network, parameters, zeros, ones).dump(0)

    return make
