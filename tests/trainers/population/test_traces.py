"""Evaluation episodes looked at closely, on steps written down by hand."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from eureka.core.types import FieldSpec
from eureka.trainers.population.traces import EpisodeTracer, as_plain, from_plain, moments

FIELDS = (
    FieldSpec("height", (), "float32", "m", "world", ""),
    FieldSpec("pair", (2,), "float32", "m", "world", ""),
    FieldSpec("forces", (40,), "float32", "N", "world", ""),
    FieldSpec("previous_pair", (2,), "float32", "m", "world", ""),
)


class Rise:
    """A reward of two components: the height, and a constant."""

    inputs = ("height",)

    def __call__(self, state):
        height = state["height"]
        return height, {"tensor": height, "alive": torch.ones_like(height)}


def recorded_steps():
    """Two worlds of one group for ten steps: the first runs to the limit, the second ends after four; and scores."""
    tracer = EpisodeTracer(
        FIELDS, ["height"], 1, 2, lambda state: {"too high": state.height > 5.5, "far": state.height > 20}
    )
    for t in range(10):
        height = torch.tensor([float(t), 2.0 * t])
        state = SimpleNamespace(
            height=height,
            pair=torch.stack([height, -height], 1),
            forces=torch.zeros(2, 40),
            previous_pair=torch.zeros(2, 2),
        )
        metric = torch.tensor([[max(t - 2.0, 0.0), 0.0]])
        terminated, truncated = torch.tensor([False, t == 3]), torch.tensor([t == 9, t == 9])
        tracer.step(state, metric, terminated, truncated, torch.zeros(2, dtype=torch.bool))
    return tracer, torch.tensor([[7.0, 0.0]])


def traced():
    tracer, scores = recorded_steps()
    (found,) = tracer.traces(scores, [Rise()])
    return found


def test_an_episode_ends_where_it_ended_first():
    long, short = traced().episodes
    assert (long.steps, long.ended, long.score) == (10, "time limit", 7.0)
    assert (short.steps, short.ended, short.condition) == (4, "terminated", "too high")
    assert long.first_metric_step == 4  # the metric is 1 at the fourth step
    assert short.first_metric_step is None
    assert (long.longest_metric_steps, short.longest_metric_steps) == (7, 0)


def test_the_longest_stretch_above_0_is_the_longest_in_a_row() -> None:
    tracer = EpisodeTracer(FIELDS, ["height"], 1, 1, lambda state: {})
    for t, metric in enumerate([0.0, 1.0, 1.0, -1.0, 0.0, 0.2, 0.1, 3.0, 0.0, 1.0]):
        height = torch.zeros(1)
        state = SimpleNamespace(
            height=height, pair=torch.zeros(1, 2), forces=torch.zeros(1, 40), previous_pair=torch.zeros(1, 2)
        )
        ended = torch.tensor([t == 9])
        tracer.step(state, torch.tensor([[metric]]), torch.tensor([False]), ended, torch.tensor([False]))
    (found,) = tracer.traces(torch.tensor([[1.0]]), [Rise()])
    assert found.episodes[0].longest_metric_steps == 3
    assert found.episodes[0].first_metric_step == 2


def test_what_was_seen_is_read_on_the_cpu_wherever_new_tensors_are_made() -> None:
    """An evaluation on a device runs where new tensors are the device's unless they say otherwise."""
    here = traced()
    tracer, scores = recorded_steps()
    with torch.device("meta"):
        (there,) = tracer.traces(scores, [Rise()])
    assert there == here


def test_components_are_means_over_the_episodes_own_steps():
    long, short = traced().episodes
    assert long.components == {"tensor": 4.5, "alive": 1.0}
    assert short.components == {"tensor": 3.0, "alive": 1.0}  # 0, 2, 4, 6


def test_state_is_shown_after_every_step_of_a_short_episode() -> None:
    long, short = traced().episodes
    # 40 forces are too many, and what a field was a step before says little.
    assert set(long.fields) == {
        "height",
        "pair[0]",
        "pair[1]",
    }
    assert long.shown_steps == tuple(range(1, 11))
    assert long.fields["height"] == (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
    assert short.shown_steps == (1, 2, 3, 4)
    assert short.fields["pair[1]"] == (0.0, -2.0, -4.0, -6.0)


def test_half_of_the_rows_lie_where_the_state_changes() -> None:
    """A column that rises from 0 to 6 over rows 20 to 26 of 101 and stays: its sixths are over after rows 21 to 25."""
    rising = torch.clamp(torch.arange(101.0) - 20.0, 0.0, 6.0)
    assert moments(torch.stack([rising, torch.ones(101)], dim=1)) == [0, 20, 21, 22, 23, 24, 25, 40, 60, 80, 100]


def test_rows_of_an_episode_without_change_lie_evenly_and_in_the_longest_gaps() -> None:
    assert moments(torch.zeros(101, 2)) == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]


def test_columns_count_by_their_own_range() -> None:
    """Of two columns that move at different times by the same share of their ranges each has as many of the rows."""
    early = torch.clamp(torch.arange(101.0) - 5.0, 0.0, 6.0)
    late = 1000.0 * torch.clamp(torch.arange(101.0) - 85.0, 0.0, 6.0)
    changing = set(moments(torch.stack([early, late], dim=1))) - {0, 20, 40, 60, 80, 100}
    assert changing == {7, 9, 11, 87, 89}


def test_the_rows_of_an_episode_of_one_step() -> None:
    assert moments(torch.ones(1, 3)) == [0]


def test_components_are_related_to_the_change_of_the_metric():
    found = traced().change_correlation
    # Changes of the first world are 0, 0, 1, ..., 1, of the second 0, 0, 0.
    changes = [0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]
    heights = [1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 4, 6]
    wanted = torch.corrcoef(torch.tensor([changes, heights], dtype=torch.float64))[0, 1]
    assert found["tensor"] == pytest.approx(float(wanted))
    assert found["alive"] is None


def test_a_trace_is_kept_as_plain_values():
    long, _ = traced().episodes
    assert from_plain(as_plain(long)) == long
    # Checkpoints of a version that did not record the steps that are shown.
    of_before = {name: value for name, value in as_plain(long).items() if name != "shown_steps"}
    assert from_plain(of_before) == replace(long, shown_steps=())
