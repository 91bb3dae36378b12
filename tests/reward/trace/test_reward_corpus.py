"""Sane rewards of many styles convert, and compute what their Python computes, for any number of environments."""

import pytest
import torch
from reward_corpus import SANE
from reward_helpers import candidate, eager, states

from eureka.core.types import Reward
from eureka.reward.graph.format import format_graph
from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.runtime import compile_graph

#: Composite functions (einsum, cosine_similarity) may be summed in another order: a few roundings of 2^-24 each,
#: relative to the largest value. Everything else is bitwise equal, as `test_most_are_bitwise_equal` shows.
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def rewards(verifier):
    return {name: verifier.verify(candidate(source, name)) for name, source in SANE.items()}


def test_corpus_is_wide_enough():
    assert len(SANE) >= 60


@pytest.mark.parametrize("name", SANE)
def test_converts_and_matches_python(rewards, name):
    reward = rewards[name]
    assert isinstance(reward, Reward), reward
    function = compile_graph(reward.graph)
    for num_envs in (1, 2, 96, 700):
        # Python's own `x.squeeze()` is wrong for one environment: two, of which the first is compared.
        state = states(max(num_envs, 2), seed=num_envs)
        total, components = function({name: value[:num_envs].clone() for name, value in state.items()})
        wanted, parts = eager(SANE[name], state)
        wanted, parts = wanted[:num_envs], {key: value[:num_envs] for key, value in parts.items()}
        assert total.shape == (num_envs,)
        assert total.dtype == torch.float32
        assert list(components) == list(parts) == list(reward.components)
        for got, want in [(total, wanted), *((components[k], parts[k]) for k in parts)]:
            assert got.dtype == torch.float32
            scale = want.abs().max().item()
            torch.testing.assert_close(got, want, rtol=0.0, atol=TOLERANCE * scale, equal_nan=True)


def test_most_are_bitwise_equal(rewards):
    state = states(300, seed=5)
    equal = [
        torch.equal(compile_graph(reward.graph)(state)[0], eager(SANE[name], state)[0])
        for name, reward in rewards.items()
    ]
    assert sum(equal) >= 0.9 * len(equal)


@pytest.mark.parametrize("name", SANE)
def test_text_is_canonical(rewards, name):
    text = rewards[name].graph
    assert format_graph(parse_graph(text)) == text
    assert text.isascii()


@pytest.mark.parametrize("name", SANE)
def test_state_is_never_written(rewards, name):
    state = states(33, seed=9)
    before = {key: value.clone() for key, value in state.items()}
    compile_graph(rewards[name].graph)(state)
    assert all(torch.equal(state[key], before[key]) for key in state)


def test_tracing_twice_gives_the_same_text(verifier, rewards):
    for name in ("module_constants", "legged_gym_tracking"):
        assert verifier.verify(candidate(SANE[name], name)) == rewards[name]
