"""Which candidate is the parent of the next generation."""

from collections.abc import Callable
from dataclasses import replace

from eureka.core.types import Candidate, Feedback, Rejected, Stage, TrainingResult, Verdict
from eureka.search.outcomes import Outcome, pooled_score
from eureka.search.methods.greedy import Greedy
from eureka.search.greedy import MAX_MISTAKES

Make = Callable[..., TrainingResult]


def outcome(*results: TrainingResult) -> Outcome:
    return Outcome(Candidate(results[0].candidate_id, "source", ("x",)), results)


def test_score_pools_every_episode_of_every_seed(make_result: Make) -> None:
    results = [make_result("g01-c01", (1.0, 2.0)), make_result("g01-c01", (6.0, 7.0), seed=1)]
    assert pooled_score(results) == 4.0


def test_a_lucky_seed_does_not_win(make_result: Make) -> None:
    lucky = outcome(make_result("g01-c01", (9.0,)), make_result("g01-c01", (1.0,), seed=1))
    steady = outcome(make_result("g01-c02", (6.0,)), make_result("g01-c02", (6.0,), seed=1))
    assert Greedy().best([lucky, steady]) is steady


def test_equals_go_to_the_faster_then_the_simpler_then_the_id(make_result: Make) -> None:
    slow = outcome(make_result("g01-c01", (5.0,), metric=(0.0, 5.0)))
    fast_two = outcome(make_result("g01-c02", (5.0,), metric=(4.6, 5.0), components=("a", "b")))
    fast_one_late = outcome(make_result("g01-c04", (5.0,), metric=(4.6, 5.0)))
    fast_one = outcome(make_result("g01-c03", (5.0,), metric=(4.6, 5.0)))
    assert Greedy().best([slow, fast_two]) is fast_two  # 4.6 is above 0.9 * 5 in the first update
    assert Greedy().best([slow, fast_two, fast_one_late]) is fast_one_late
    assert Greedy().best([fast_one_late, fast_one]) is fast_one
    assert Greedy().best([]) is None


def test_parent_is_the_best_so_far_or_of_the_last_generation(make_result: Make) -> None:
    first, second = outcome(make_result("g01-c01", (5.0,))), outcome(make_result("g02-c01", (4.0,)))

    def parent(method: Greedy) -> str:
        reflection = method.reflection(3, [first, second])
        assert reflection is not None
        return reflection.candidate_id

    assert parent(Greedy()) == "g01-c01"
    assert parent(Greedy(parent="best_of_generation")) == "g02-c01"
    # Where the last generation gave nothing, the best so far stands in.
    assert Greedy(parent="best_of_generation").reflection(4, [first]).candidate_id == "g01-c01"  # type: ignore[union-attr]
    assert Greedy().reflection(1, []) is None


def test_who_was_left_behind_comes_last_and_the_leader_of_a_race_is_the_parent(make_result: Make) -> None:
    stopped = replace(make_result("g01-c01", (9.0,)), checkpoint_scores=(9.0,))
    whole, better = make_result("g01-c02", (4.0,)), make_result("g01-c03", (5.0,))
    field = [outcome(result) for result in (stopped, whole, better)]
    assert [o.candidate.id for o in Greedy().ranked(field)] == ["g01-c03", "g01-c02", "g01-c01"]
    reflection = Greedy().reflection(2, field, leader="g01-c02")
    assert reflection is not None
    assert reflection.candidate_id == "g01-c02"
    # A person's choice goes before it; and without its source there is nothing to tell of a leader.
    said = [Feedback(generation=1, verdict=Verdict.CHOICE, shown=("g01-c01",), best="g01-c01")]
    assert Greedy().reflection(2, field, said, "g01-c02").candidate_id == "g01-c01"  # type: ignore[union-attr]
    assert Greedy().reflection(2, field[2:], leader="g01-c02").candidate_id == "g01-c03"  # type: ignore[union-attr]


def rejection(identity: str, feedback: str) -> Rejected:
    return Rejected(identity, Stage.TRACE, "why", feedback)


def test_one_mistake_of_each_kind_is_told_the_newest_first() -> None:
    branches = rejection("g01-c01", "line 5: `if x.any():`: use torch.where.")
    noise = rejection("g01-c02", "line 9: `torch.rand(3)`: it draws random numbers.")
    again = rejection("g02-c01", "line 12: `if up > 0:`: use torch.where.")
    shape = rejection("g02-c02", "the total has a wrong shape.")
    same = rejection("g02-c03", "the total has a wrong shape.")
    now = rejection("g03-c01", "not yet known.")
    every = [branches, noise, again, shape, same, now]
    assert Greedy().mistakes(3, every) == (again, shape, noise)
    assert Greedy().mistakes(1, every) == ()


def test_mistakes_are_capped() -> None:
    many = [rejection(f"g01-c{i:02d}", f"mistake {chr(97 + i)}") for i in range(1, 20)]
    assert Greedy().mistakes(2, many) == tuple(many[:MAX_MISTAKES])
