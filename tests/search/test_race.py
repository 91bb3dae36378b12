"""The race, by hand: four candidates, rungs of 1, 2 and 4 steps."""

from eureka.search.race import Champion, Race, RaceState, RaceTraining

RACE = Race(rungs=(1, 2, 4), seeds=(0, 1, 2), budget=100)
FIELD = ["a", "b", "c", "d"]


def evidence(scores: dict[str, list[dict[int, float]]]) -> dict[str, dict[int, dict[int, float]]]:
    """{candidate: [scores by steps of seed 0, of seed 1, ...]}."""
    return {name: dict(enumerate(rows)) for name, rows in scores.items()}


def test_everybody_starts_with_a_short_training() -> None:
    assert RACE.state(FIELD, {}).trainings == tuple(RaceTraining(name, 0, 1, 1) for name in FIELD)


def test_the_better_half_goes_on() -> None:
    first = evidence({"a": [{1: 0.1}], "b": [{1: 0.4}], "c": [{1: 0.3}], "d": [{1: 0.2}]})
    # Two are never halved, one alone would be no race: so these need not stop at the next rung.
    assert RACE.state(FIELD, first).trainings == (RaceTraining("b", 0, 4, 3), RaceTraining("c", 0, 4, 3))
    more = first | evidence({name: [{1: 0.0}] for name in "efgh"})
    assert RACE.state([*FIELD, *"efgh"], more).trainings == tuple(RaceTraining(name, 0, 2, 1) for name in "bcda")


def test_two_train_to_the_end_at_once() -> None:
    assert RACE.state(["a", "b"], {}).trainings == (RaceTraining("a", 0, 4, 4), RaceTraining("b", 0, 4, 4))


def finished(b: list[float], c: list[float]) -> dict[str, dict[int, dict[int, float]]]:
    low = {1: 0.0}
    return evidence(
        {"a": [low], "d": [low]}
        | {name: [{1: 1.0, 2: 1.0, 4: row[0]}] + [{4: x} for x in row[1:]] for name, row in (("b", b), ("c", c))}
    )


def test_a_clear_leader_ends_the_race() -> None:
    # The noise of one seed is taken as 0.15 * 2, and that of the difference of two means as sqrt(2) times it: 0.42.
    over = RACE.state(FIELD, finished([1.5], [2.0]))
    assert over == RaceState((), ("c", "b"), 4, 1)
    close = RACE.state(FIELD, finished([1.6], [2.0]))
    assert close == RaceState((RaceTraining("c", 1, 4, 4), RaceTraining("b", 1, 4, 4)), ("c", "b"), 4, 1)


def test_those_that_cannot_be_told_apart_get_further_seeds() -> None:
    again = RACE.state(FIELD, finished([2.1, 1.9], [2.0, 2.1]))
    assert [(w.candidate, w.seed) for w in again.trainings] == [("c", 2), ("b", 2)]
    assert RACE.state(FIELD, finished([2.1, 1.9, 2.0], [2.0, 2.1, 2.2])) == RaceState((), ("c", "b"), 4, 3)


def test_a_round_that_was_stopped_halfway_goes_on_alike() -> None:
    # b's second seed came in and is bad enough to drop it, but c's was decided on before that was known.
    halfway = RACE.state(FIELD, finished([2.0, 0.1], [2.0]))
    assert halfway.trainings == (RaceTraining("c", 1, 4, 4),)


def test_the_budget_ends_it() -> None:
    # 4 + 2 + 2 * 2 steps for the rungs, 8 for two further seeds.
    scores = finished([2.0], [2.0])
    assert RACE.state(FIELD, scores).trainings
    assert Race((1, 2, 4), (0, 1, 2), budget=18).state(FIELD, scores).trainings
    assert not Race((1, 2, 4), (0, 1, 2), budget=17).state(FIELD, scores).trainings


def test_the_champion_is_judged_by_the_same_seeds() -> None:
    lucky = finished([1.9, 1.9], [1.0]) | evidence({"z": [{4: 2.0}, {4: 0.6}, {4: 0.6}]})
    # By its first seed it leads; by two seeds it has 1.3 against 1.9. The noise: the prior's 2 * 0.285^2 and z's
    # 2 * 0.7^2 over 4 degrees of freedom are 0.53^2, and so is that of the difference of two means of two.
    assert RACE.state(FIELD, lucky, Champion("z", 1)) == RaceState((), ("b", "z"), 4, 2)


def test_the_champions_mean_is_over_all_its_seeds_which_cost_nothing() -> None:
    """By its unlucky first seed it would be dropped (1.2 against 1.6); by all three it leads with 2.0.

    Its squares, 0.96, and the prior's 2 * 0.3^2 over 4 make a noise of 0.53: 1.6 is not told apart, 1.0 is.
    """
    field = finished([1.6], [1.0]) | evidence({"z": [{4: 1.2}, {4: 2.4}, {4: 2.4}]})
    # 10 steps for the rungs and 4 for one further training: z's second is there.
    race = Race((1, 2, 4), (0, 1, 2), budget=14)
    found = race.state(FIELD, field, Champion("z", 3))
    assert found == RaceState((RaceTraining("b", 1, 4, 4),), ("z", "b"), 4, 1)
    better = finished([1.6, 2.8], [1.0]) | evidence({"z": [{4: 1.2}, {4: 2.4}, {4: 2.4}]})
    assert race.state(FIELD, better, Champion("z", 3)) == RaceState((), ("b", "z"), 4, 2)


def test_where_the_budget_does_not_last_for_all_the_best_go_on() -> None:
    """Of 24 steps four trainings took 16, so 8 are left: for two."""
    race = Race(rungs=(4,), seeds=(0, 1, 2), budget=24)
    close = evidence({"a": [{4: 1.0}], "b": [{4: 0.98}], "c": [{4: 0.99}], "d": [{4: 0.97}]})
    assert race.state(FIELD, close).trainings == (RaceTraining("a", 1, 4, 4), RaceTraining("c", 1, 4, 4))
    more = close | evidence({"a": [{4: 1.0}, {4: 0.9}], "c": [{4: 0.99}, {4: 1.0}]})
    assert race.state(FIELD, more) == RaceState((), ("c", "a"), 4, 2)


def test_rejected_ones_are_not_waited_for() -> None:
    first = evidence({"a": [{1: 0.1}], "b": [{1: 0.4}], "c": [{1: 0.3}]})
    assert [w.candidate for w in RACE.state(["a", "b", "c"], first).trainings] == ["b", "c"]


def test_every_seed_that_all_have_counts_on_the_rungs() -> None:
    race = Race(rungs=(1, 2), seeds=(0, 1, 2), budget=100, first_seeds=2)
    assert [(w.candidate, w.seed) for w in race.state(["a", "b", "c"], {}).trainings][:3] == [
        ("a", 0),
        ("a", 1),
        ("b", 0),
    ]
    # a leads by its first seed, b by the mean of both; two of three go on.
    first = evidence({"a": [{1: 1.0}, {1: 0.0}], "b": [{1: 0.6}, {1: 0.8}], "c": [{1: 0.0}, {1: 0.1}]})
    assert [(w.candidate, w.seed, w.steps) for w in race.state(["a", "b", "c"], first).trainings] == [
        ("b", 0, 2),
        ("b", 1, 2),
        ("a", 0, 2),
        ("a", 1, 2),
    ]


def test_of_equals_the_one_that_was_there_sooner_leads() -> None:
    equal = evidence({"a": [{1: 0.2, 2: 1.0}], "b": [{1: 0.9, 2: 1.0}], "c": [{1: 0.2}]})
    assert Race((1, 2), (0,), budget=100).state(["a", "b", "c"], equal) == RaceState((), ("b", "a"), 2, 1)
