"""The stacked program against torch's own modules and optimiser, one by one."""

import pytest
import torch

from eureka.trainers.population import networks
from eureka.trainers.population.networks import StackedAdam, StackedMLP
from eureka.trainers.population.normalise import RunningMoments, normalise


@pytest.mark.parametrize(("name", "module"), [("elu", torch.nn.ELU), ("tanh", torch.nn.Tanh), ("relu", torch.nn.ReLU)])
def test_forward_is_torchs_sequential(name: str, module: type[torch.nn.Module]) -> None:
    network = StackedMLP((5, 8, 3), name)
    flat = torch.stack([network.initial(torch.Generator().manual_seed(seed), 1.0) for seed in range(4)])
    x = torch.randn(4, 10, 5)
    for group in range(4):
        w1, b1, w2, b2 = [layer[group] for layer in network.views(flat)]
        reference = torch.nn.Sequential(torch.nn.Linear(5, 8), module(), torch.nn.Linear(8, 3))
        for linear, weight, bias in ((reference[0], w1, b1), (reference[2], w2, b2)):
            linear.weight.data, linear.bias.data = weight.T.clone(), bias[0].clone()
        torch.testing.assert_close(network.forward(network.views(flat), x)[group], reference(x[group]))


def test_initial_weights_are_orthogonal_with_gain() -> None:
    network = StackedMLP((6, 6, 2), "elu", extra=2)
    w1, b1, w2, _, extra = network.views(network.initial(torch.Generator().manual_seed(0), 0.01)[None])
    torch.testing.assert_close(w1[0] @ w1[0].T, 2 * torch.eye(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(w2[0].T @ w2[0], 1e-4 * torch.eye(2), atol=1e-8, rtol=0)
    assert not b1.any()
    assert not extra.any()


def test_adam_is_torchs_with_clipping_per_group() -> None:
    parameters = [torch.randn(3, 7), torch.randn(3, 2)]
    ours = StackedAdam([p.clone() for p in parameters])
    rates = torch.tensor([1e-3, 3e-3, 1e-2])
    theirs = []
    for group in range(3):
        single = [p[group].clone().requires_grad_() for p in parameters]
        theirs.append((single, torch.optim.Adam(single, lr=float(rates[group]))))
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        gradients = [torch.randn(p.shape, generator=generator) for p in parameters]
        ours.step(gradients, rates, max_norm=1.5)
        for group, (single, optimiser) in enumerate(theirs):
            for p, g in zip(single, gradients, strict=True):
                p.grad = g[group].clone()
            torch.nn.utils.clip_grad_norm_(single, 1.5)
            optimiser.step()
    for group, (single, _) in enumerate(theirs):
        for mine, reference in zip(ours.parameters, single, strict=True):
            torch.testing.assert_close(mine[group], reference, atol=1e-6, rtol=1e-5)


def test_running_moments_are_those_of_all_rows() -> None:
    moments = RunningMoments(2, 3)
    batches = [torch.randn(2, rows, 3) * 5 + 2 for rows in (10, 40, 7)]
    for batch in batches:
        moments.update(batch)
    everything = torch.cat(batches, dim=1).double()
    torch.testing.assert_close(moments.mean[:, 0], everything.mean(dim=1), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(moments.var[:, 0], everything.var(dim=1, unbiased=False), atol=1e-2, rtol=1e-3)
    offset, scale = moments.offset_and_scale()
    assert normalise(torch.full((2, 1, 3), 1e6), offset, scale).max() == 10.0


@pytest.mark.parametrize("activation", ["elu", "tanh", "relu"])
@pytest.mark.parametrize(("rows", "width"), [(3, 16), (1, 5), (7, 20), (8, 32)])
def test_forward_is_bitwise_the_same_in_any_company(activation: str, rows: int, width: int) -> None:
    network = StackedMLP((4, width, width, 1), activation)
    flat = torch.stack([network.initial(torch.Generator().manual_seed(seed), 1.0) for seed in range(7)])
    x = torch.randn(7, rows, 4, generator=torch.Generator().manual_seed(0))
    alone = [network.forward(network.views(flat[k : k + 1]), x[k : k + 1])[0] for k in range(7)]
    for groups in (2, 3, 7):
        company = network.forward(network.views(flat[:groups]), x[:groups])
        assert all(torch.equal(company[k], alone[k]) for k in range(groups))


def test_a_weight_gradient_in_parts_is_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    x, gradient = (torch.randn(2, 12, size, generator=generator, dtype=torch.float64) for size in (3, 5))
    whole = torch.einsum("gri,gro->gio", x, gradient)
    monkeypatch.setattr(networks, "_ROWS_AT_ONCE", 4)
    for in_parts in (False, True):
        monkeypatch.setattr(networks, "_taken_in_parts", lambda *_, answer=in_parts: answer)
        out = torch.empty(2, 3, 5, dtype=torch.float64)
        networks._weight_gradient(x, gradient, out)
        torch.testing.assert_close(out, whole)
