"""Numbers about recorded transitions, on columns written down by hand."""

import pytest
import torch

from eureka.trainers.recording import Recording, random_ranges


def test_nine_of_ten_values_lie_in_the_range() -> None:
    """Of 0, 1, ..., 100 these are 5 to 95; a flag counts as 0 and 1."""
    rising = torch.arange(101.0)
    state = {
        "height": rising,
        "pair": torch.stack([rising, -2.0 * rising], dim=1),
        "held": rising >= 50.0,
        "count": rising.long(),
    }
    found = random_ranges(Recording(state, rising, rising > 200.0))
    assert found["height"] == (pytest.approx((5.0, 95.0)),)
    assert found["pair"] == (pytest.approx((5.0, 95.0)), pytest.approx((-190.0, -10.0)))
    assert found["held"] == ((0.0, 1.0),)
    assert found["count"] == (pytest.approx((5.0, 95.0)),)


def test_a_large_field_has_one_range_for_all_of_its_columns() -> None:
    values = torch.arange(101.0)[:, None] + torch.zeros(5)
    values[:, 0] = 50.0  # a fifth of all values, in the middle
    (found,) = random_ranges(Recording({"joints": values.view(101, 5, 1)}, values[:, 0], values[:, 0] > 200.0))[
        "joints"
    ]
    assert found == pytest.approx((6.0, 94.0), abs=0.5)


def test_a_field_without_columns_or_with_values_that_are_not_finite_has_none() -> None:
    rising = torch.arange(101.0)
    state = {"none": torch.zeros(101, 0), "far": rising.where(rising > 0.0, torch.inf), "height": rising}
    assert set(random_ranges(Recording(state, rising, rising > 200.0))) == {"height"}
