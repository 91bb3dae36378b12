import pytest
import torch
from reward_helpers import FIELDS, InProcess, states

from eureka.reward.trace.service import RewardVerifier


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def verifier():
    return RewardVerifier(FIELDS, states(256), InProcess())
