"""Preferences to Bradley-Terry scores, against what can be computed otherwise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq, minimize

from eureka.core.types import Feedback, Verdict
from eureka.search.preferences import PRIOR, PairwiseChoice, bradley_terry, comparisons


def said(verdict: Verdict, shown: str, best: str | None = None, worst: str | None = None) -> Feedback:
    return Feedback(generation=1, verdict=verdict, shown=tuple(shown), best=best, worst=worst)


def test_what_an_answer_decides() -> None:
    both = comparisons([said(Verdict.CHOICE, "abcd", "b", "d")])
    assert sorted(both) == [("a", "d", 1.0), ("b", "a", 1.0), ("b", "c", 1.0), ("b", "d", 1.0), ("c", "d", 1.0)]
    assert comparisons([said(Verdict.CHOICE, "abc", worst="a")]) == [("b", "a", 1.0), ("c", "a", 1.0)]
    assert sorted(comparisons([said(Verdict.TIE, "ab")])) == [("a", "b", 0.5), ("b", "a", 0.5)]
    assert comparisons([said(Verdict.NONE_GOOD, "ab"), said(Verdict.NO_ANSWER, "ab"), said(Verdict.CHOICE, "ab")]) == []


def test_two_players_have_the_odds_of_their_games() -> None:
    """Without a prior the difference of the scores is log(wins / losses); the prior pulls it together a little."""
    pairs = [PairwiseChoice("a", "b")] * 6 + [PairwiseChoice("b", "a")] * 2
    scores = bradley_terry(pairs, prior=1e-9)
    assert scores["a"] - scores["b"] == pytest.approx(math.log(3), abs=1e-6)
    assert scores["a"] == pytest.approx(-scores["b"], abs=1e-6)
    # With the prior p: x = score of a = -score of b solves 6 s(-2x) - 2 s(2x) = p x.
    found = bradley_terry(pairs, prior=0.5)["a"]
    root = brentq(lambda x: 6 / (1 + math.exp(2 * x)) - 2 / (1 + math.exp(-2 * x)) - 0.5 * x, 0, 5)
    assert found == pytest.approx(root, abs=1e-9)
    # Who always wins has a finite score.
    assert 0 < bradley_terry([PairwiseChoice("a", "b")] * 50)["a"] < 10


def test_several_players_against_a_general_optimiser() -> None:
    rng = np.random.default_rng(3)
    names = "abcdef"
    pairs = [PairwiseChoice(*rng.choice(list(names), 2, replace=False), weight=w) for w in rng.choice([0.5, 1.0], 60)]

    def loss(scores: np.ndarray) -> float:
        of = dict(zip(names, scores, strict=True))
        games = sum(p.weight * np.log1p(np.exp(of[p.loser] - of[p.winner])) for p in pairs)
        return float(games + PRIOR / 2 * (scores**2).sum())

    best = minimize(loss, np.zeros(len(names)), method="BFGS", options={"gtol": 1e-8}).x
    assert list(bradley_terry(pairs).values()) == pytest.approx(best.tolist(), abs=1e-5)


def test_ties_are_equal_and_nothing_is_nothing() -> None:
    tie = bradley_terry(comparisons([said(Verdict.TIE, "abc")]))
    assert tie == pytest.approx({"a": 0.0, "b": 0.0, "c": 0.0})
    assert bradley_terry([]) == {}


def test_a_parent_that_is_shown_again_joins_the_generations() -> None:
    first = said(Verdict.CHOICE, "abc", "a", "c")
    better = bradley_terry(comparisons([first, said(Verdict.CHOICE, "ade", "d")]))
    assert max(better, key=better.__getitem__) == "d"
    kept = bradley_terry(comparisons([first, said(Verdict.CHOICE, "ade", "a")]))
    assert max(kept, key=kept.__getitem__) == "a"
    assert min(kept, key=kept.__getitem__) == "c"
