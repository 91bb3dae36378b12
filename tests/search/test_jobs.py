"""Who gets which job, and which rewards it builds on."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from eureka.core.ideas import JOB
from eureka.core.jobs import SampleJob, SearchState
from eureka.core.training import TrainingLength, TrainingResult
from eureka.core.types import Candidate, MetricSpec, Phase, PromptFacts, Sample, Selection, TaskSpec
from eureka.search.estimates import WorthEstimate
from eureka.search.history import Budget, History
from eureka.search.jobs import MIXES, Assignment, assign, lost_at_the_end, promising, repaired, state_of
from eureka.search.outcomes import Outcome, estimated, ranked

Make = Callable[..., TrainingResult]


def outcome(make_result: Make, name: str, *curves: Sequence[float]) -> Outcome:
    """Trained with as many seeds as there are curves of evaluations, the last of each the final score."""
    results = tuple(
        replace(make_result(name, (curve[-1],), seed=seed), checkpoint_scores=tuple(curve), metric=tuple(curve))
        for seed, curve in enumerate(curves)
    )
    return Outcome(Candidate(name, "", ()), results)


def history(generation: int) -> History:
    metric = MetricSpec("distance", "m")
    spec = TaskSpec("t", "s", (), "", control_step_s=0.1, episode_steps=10, metric=metric)
    selections = tuple(Selection(generation=number, phase=Phase.SEARCH) for number in range(1, generation))
    none: dict[str, object] = {}
    return History(
        spec=spec,
        budget=Budget(generations=9, samples=8, length=TrainingLength(1000, 1, 1)),
        seed=0,
        phase=Phase.SEARCH,
        samples={},
        answers={},
        candidates={},
        rejections={},
        every_rejection=(),
        rewards={},
        results={},
        selections=selections,
        **none,  # type: ignore[arg-type]
    )


def test_the_state_of_a_search(make_result: Make) -> None:
    def state(generation: int, *outcomes: Outcome) -> SearchState:
        return state_of(history(generation), ranked(estimated(outcomes)))

    low = [outcome(make_result, f"g01-c0{i}", (0.1, 0.2)) for i in range(2, 8)]
    flat = outcome(make_result, "g01-c01", (0.0, 0.0005))
    assert state(2, flat) is SearchState.NOTHING_LEARNED
    assert state(2, outcome(make_result, "g01-c01", (0.5, 0.501))) is SearchState.NOTHING_LEARNED
    assert state(2, outcome(make_result, "g01-c01", *[(0.5, 1.0)] * 3), *low) is SearchState.ONE_LEADS
    assert state(2, outcome(make_result, "g01-c01", (0.1, 0.21)), *low) is SearchState.SEVERAL_LEAD
    assert state(3, outcome(make_result, "g01-c01", (0.1, 0.9)), *low) is SearchState.PLATEAU
    assert state(3, outcome(make_result, "g02-c01", *[(0.1, 0.9)] * 3), *low) is SearchState.ONE_LEADS


def test_late_learners_behind_the_leader_are_promising(make_result: Make) -> None:
    leader = outcome(make_result, "g01-c01", (0.4, 0.8, 0.9, 1.0))
    late = outcome(make_result, "g01-c02", (0.0, 0.0, 0.1, 0.5))
    lost = outcome(make_result, "g01-c03", (0.1, 0.6, 0.4, 0.2))
    dull = outcome(make_result, "g01-c04", (0.1, 0.1, 0.1, 0.1))
    near = outcome(make_result, "g01-c05", (0.0, 0.0, 0.5, 0.95))
    found = promising([leader, dull, lost, late, near], [leader])
    assert [each.candidate.id for each in found] == ["g01-c02", "g01-c03"]


def test_a_change_within_the_noise_of_seeds_is_not_promising(make_result: Make) -> None:
    """A mean gain of 0.5 by four seeds: noise of 0.8 leaves 0.4 in their mean, noise of 1.2 leaves 0.6."""
    leader = outcome(make_result, "g01-c01", (0.4, 0.8, 0.9, 1.0))
    late = outcome(make_result, "g01-c02", *[(0.0, 0.0, 0.1, 0.5)] * 4)
    assert promising([leader, late], [leader], 0.8) == [late]
    assert promising([leader, late], [leader], 1.2) == []


def test_a_curve_that_went_up_and_down_did_not_learn_late(make_result: Make) -> None:
    """From 0.5 by way of 0.3 to 0.55: the gain over the first half is 0.05, half of a tenth of the leader's score."""
    leader = outcome(make_result, "g01-c01", (0.4, 0.8, 0.9, 1.0))
    assert promising([leader, outcome(make_result, "g01-c02", (0.5, 0.3, 0.5, 0.55))], [leader]) == []


def test_a_failure_either_learned_late_or_lost_what_it_had(make_result: Make) -> None:
    """Late gains from half time to the end, losses from the best evaluation to the end, as means over the seeds."""
    assert not lost_at_the_end(outcome(make_result, "g01-c02", (0.0, 0.0, 0.1, 0.5)))
    assert lost_at_the_end(outcome(make_result, "g01-c03", (0.1, 0.6, 0.4, 0.2)))
    # Gains of 0.4 and -0.3, losses of 0 and 0.3: a mean gain of 0.05, a mean loss of 0.15.
    assert lost_at_the_end(outcome(make_result, "g01-c04", (0.0, 0.1, 0.2, 0.5), (0.2, 0.5, 0.6, 0.2)))
    assert not lost_at_the_end(outcome(make_result, "g01-c05", (0.3,)))


def test_a_reward_is_repaired_once() -> None:
    """Only by a generation that is over: a search that goes on asks as it did before it was stopped."""

    def asked(name: str, job: SampleJob, parent: str) -> tuple[Sample, ...]:
        return (Sample(id=name, facts=PromptFacts("t", 0, 2, ()), parents=(parent,), notes={JOB: job.value}),)

    samples = {
        "g02-c01": asked("g02-c01", SampleJob.REPAIR, "g01-c02"),
        "g02-c02": asked("g02-c02", SampleJob.EXPLOIT, "g01-c01"),
        "g03-c01": asked("g03-c01", SampleJob.REPAIR, "g01-c03"),
    }
    assert repaired(replace(history(3), samples=samples)) == {"g01-c02"}
    assert repaired(replace(history(4), samples=samples)) == {"g01-c02", "g01-c03"}


def test_a_reward_that_only_noise_puts_behind_is_not_repaired(make_result: Make) -> None:
    """The same late gain, 0.5 behind the leader: it is clearly behind with a deviation of 0.2, not with 0.3."""
    for std, expected in ((0.2, ["g01-c02"]), (0.3, [])):
        leader = outcome(make_result, "g01-c01", (0.4, 0.8, 0.9, 1.0))
        late = outcome(make_result, "g01-c02", (0.0, 0.0, 0.1, 0.5))
        leader, late = (replace(each, estimate=WorthEstimate(each.score, std, 1)) for each in (leader, late))
        assert [each.candidate.id for each in promising([leader, late], [leader])] == expected


def test_jobs_go_through_leaders_and_pairs() -> None:
    mix = MIXES[SearchState.SEVERAL_LEAD]
    given = assign(mix, 8, ["a", "b", "c"], ["f"], ["b"])
    assert given == [
        Assignment(SampleJob.EXPLOIT, ("a",)),
        Assignment(SampleJob.COMBINE, ("a", "b")),
        Assignment(SampleJob.EXPLORE),
        Assignment(SampleJob.EXPLOIT, ("b",)),
        Assignment(SampleJob.REPAIR, ("f",)),
        Assignment(SampleJob.COMBINE, ("a", "c")),
        Assignment(SampleJob.TUNE, ("b",)),
        Assignment(SampleJob.COMBINE, ("b", "c")),
    ]


@pytest.mark.parametrize("mix", MIXES.values(), ids=[state.value for state in MIXES])
def test_what_nothing_is_there_for_becomes_an_exploitation(mix: Sequence[SampleJob]) -> None:
    given = assign(mix, 20, ["a"], [], [])
    assert {each.job for each in given} <= {SampleJob.EXPLOIT, SampleJob.EXPLORE}
    assert all(each.parents == (() if each.job is SampleJob.EXPLORE else ("a",)) for each in given)
    assert len(set(mix)) >= 3
