"""Episode metrics and component statistics, by hand and by numpy."""

import numpy as np
import pytest
import torch

from eureka.tasks import Metric
from eureka.trainers.population.episodes import EpisodeTracker
from eureka.trainers.statistics import ComponentRecorder

VALUES = [1.0, 4.0, 2.0]


@pytest.mark.parametrize(
    ("reduce", "score"),
    # The episode's clock started at 1 of a limit of 4, so it had 3 of 4 steps: its sum is scaled by 4/3.
    [("sum", 7.0 * 4 / 3), ("mean", 7.0 / 3), ("max", 4.0), ("last", 2.0)],
)
def test_reductions(reduce: str, score: float) -> None:
    tracker = EpisodeTracker(Metric(lambda s: s, reduce, "1", ""), limit=4, num_groups=1, num_envs=1)  # type: ignore[arg-type]
    assert tracker.recent().tolist() == [[0.0, 0.0]]
    one = torch.ones(1, 1)
    for index, value in enumerate(VALUES):
        tracker.step(value * one, torch.tensor([[index == 2]]), torch.tensor([[index + 2]]), torch.tensor([[1]]))
    assert tracker.recent()[0].tolist() == pytest.approx([score, 3.0])


def test_the_sum_of_an_episode_that_ended_by_itself_is_whole_however_late_it_started() -> None:
    """Both start at 1 of a limit of 4 and collect 2 a step: one falls in its second step, the other lasts to the limit
    and would have collected 2 more in a whole episode."""
    tracker = EpisodeTracker(Metric(lambda s: s, "sum", "1", ""), limit=4, num_groups=1, num_envs=2)
    start = torch.ones(1, 2, dtype=torch.int64)
    for clock, done in ((2, [[False, False]]), (3, [[True, False]]), (4, [[False, True]])):
        tracker.step(torch.full((1, 2), 2.0), torch.tensor(done), torch.full((1, 2), clock), start)
    assert tracker.recent()[0].tolist() == pytest.approx([(4.0 + 8.0) / 2, 2.5])


def test_recent_keeps_the_last_episodes_of_each_group() -> None:
    tracker = EpisodeTracker(Metric(lambda s: s, "sum", "1", ""), limit=1, num_groups=2, num_envs=2)
    start = torch.zeros(2, 2, dtype=torch.int64)
    clock = torch.ones(2, 2, dtype=torch.int64)
    always = torch.ones(2, 2, dtype=torch.bool)
    only_second_world = torch.tensor([[False, True], [False, False]])
    tracker.step(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), always, clock, start)
    tracker.step(torch.tensor([[5.0, 6.0], [7.0, 8.0]]), only_second_world, clock, start)
    # group 0 finished 1, 2 and then 6, which takes the place of 1; group 1 finished 3 and 4
    assert tracker.recent()[0, 0] == 4.0
    assert tracker.recent()[1, 0] == 3.5


def test_component_statistics_against_numpy() -> None:
    rng = np.random.default_rng(0)
    recorder = ComponentRecorder(["a", "constant", "rare"])
    chunks = []
    for _ in range(3):
        a, metric = rng.standard_normal((2, 50)).astype(np.float32)
        rare = (rng.random(50) < 0.1).astype(np.float32)
        constant = np.full(50, 0.5, dtype=np.float32)
        total = 2 * a + constant + rare
        chunks.append((a, constant, rare, total, metric + a))
        tensors = [torch.from_numpy(x) for x in chunks[-1]]
        recorder.add(tensors[3], dict(zip(["a", "constant", "rare"], tensors, strict=False)), tensors[4])
    a, constant, rare, total, metric = (np.concatenate(column).astype(float) for column in zip(*chunks, strict=True))
    stats = recorder.statistics()
    assert stats["a"].mean == pytest.approx(a.mean(), abs=1e-6)
    assert stats["a"].std == pytest.approx(a.std(), rel=1e-5)
    assert (stats["a"].minimum, stats["a"].maximum) == (a.min(), a.max())
    assert stats["a"].metric_correlation == pytest.approx(np.corrcoef(a, metric)[0, 1], rel=1e-5)
    assert stats["a"].variance_share == pytest.approx(np.cov(a, total, bias=True)[0, 1] / total.var(), rel=1e-4)
    assert stats["rare"].active_fraction == pytest.approx(rare.mean())
    assert stats["constant"].active_fraction == 0.0
    assert stats["constant"].metric_correlation is None
    assert recorder.curve("total") == pytest.approx([chunk[3].mean() for chunk in chunks], rel=1e-4)
    assert len(recorder.curve("rare")) == 3
    again = ComponentRecorder(["a", "constant", "rare"])
    again.load_state_dict(recorder.state_dict())
    assert again.statistics() == stats
