"""What candidates are probably worth, by scores of few seeds."""

import pytest

from eureka.search.estimates import PRIOR_NOISE, estimates, seed_noise


def test_noise_is_pooled_over_candidates_with_a_weak_prior() -> None:
    # Squares about the means: 0.02 of `a`, 0 of the others; one degree of freedom; the prior is 0.15 of 2.
    scores = {"a": [0.9, 1.1], "b": [2.0], "c": [0.5]}
    assert seed_noise(scores) == pytest.approx(((2 * (PRIOR_NOISE * 2) ** 2 + 0.02) / 3) ** 0.5)


def test_scores_are_drawn_towards_the_heap_that_they_belong_to() -> None:
    scores = {"lucky": [0.9], **{f"good{i}": [0.7] for i in range(6)}, **{f"bad{i}": [0.02] for i in range(6)}}
    found = estimates(scores)
    assert 0.7 <= found["lucky"].mean < 0.85
    assert found["good0"].mean == pytest.approx(0.7, abs=0.05)
    assert found["bad0"].mean == pytest.approx(0.02, abs=0.05)


def test_more_seeds_are_drawn_less() -> None:
    others = {f"other{i}": [1.0] for i in range(8)}
    once, often = estimates({"a": [1.5], **others}), estimates({"a": [1.5] * 6, **others})
    assert once["a"].mean < often["a"].mean <= 1.5
    assert often["a"].std < once["a"].std
    assert (once["a"].num_seeds, often["a"].num_seeds) == (1, 6)


def test_one_candidate_or_equal_ones_keep_their_score() -> None:
    assert estimates({}) == {}
    assert estimates({"a": [3.0, 1.0]})["a"].mean == 2.0
    assert {each.mean for each in estimates({"a": [0.0], "b": [0.0]}).values()} == {0.0}


def test_with_equal_seeds_the_order_stays() -> None:
    scores = {str(i): [float(i) ** 1.5] for i in range(12)}
    means = [each.mean for each in estimates(scores).values()]
    assert means == sorted(means)
