"""Training on a CUDA device: from recordings it is what it is kernel by kernel, and it learns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

pytest.importorskip("mujoco_warp", reason="needs mujoco-warp and warp-lang: pip install -e '.[gpu]'")

from eureka.physics import Engine, device_graphs
from eureka.tasks import load_task
from eureka.tasks.info import Push, Randomisation
from eureka.trainers.population.group import GroupJob
from eureka.trainers.population.population import Population

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
CUDA = Engine("warp", "cuda:0")


@pytest.mark.parametrize("randomised", [False, True])
def test_a_training_from_recordings_is_the_same(
    randomised: bool, make_job: Callable[..., GroupJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = load_task("cartpole")
    if randomised:
        push = Push(speed_m_s=0.1, every_s=task.control_timestep_s * 4)
        task.info = replace(task.info, randomisation=Randomisation({"body_mass": (0.8, 1.2)}, push))
    jobs = [make_job(f"g01-c0{k + 1}", seed=k) for k in range(2)]

    def trained() -> Population:
        population = Population(task, jobs, engine=CUDA)
        while not population.finished:  # the last evaluation looks closely at its episodes
            population.advance()
        assert all(result.episodes for result in population.results())
        return population

    replayed = trained()
    stages = (replayed._collecting, replayed._rewarding, replayed._learning)
    assert all(stage._parts for stage in stages)
    monkeypatch.setattr(device_graphs, "recorder_for", lambda device: None)
    launched = trained()
    for mine, theirs in zip(launched.records, replayed.records, strict=True):
        assert mine.metric == pytest.approx(theirs.metric, rel=1e-3)
        assert mine.checkpoint_scores == pytest.approx(theirs.checkpoint_scores, rel=1e-2)
    for one, other in zip(launched.optimiser.parameters, replayed.optimiser.parameters, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-3)
