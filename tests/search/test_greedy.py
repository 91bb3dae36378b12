"""Which candidate is the parent of the next generation, and what its prompt warns of."""

from collections.abc import Callable
from dataclasses import replace

from histories import history_of

from eureka.config import Parent, SearchConfig
from eureka.core.training import TrainingResult
from eureka.core.types import Candidate, Feedback, Rejected, Stage, Verdict
from eureka.proposers.base import ProposerCapabilities
from eureka.search.history import History
from eureka.search.methods.base import MAX_MISTAKES, Services, mistakes
from eureka.search.methods.greedy import Greedy
from eureka.search.outcomes import Outcome, pooled_score, ranked
from eureka.tasks import load_task

Make = Callable[..., TrainingResult]
TASK = load_task("cartpole")


def outcome(*results: TrainingResult) -> Outcome:
    return Outcome(Candidate(results[0].candidate_id, "source", ("x",)), results)


def history(*results: TrainingResult, finished: int = 0, **changes: object) -> History:
    """A run with these trainings, after so many generations."""
    return history_of(TASK.spec, results, finished, **changes)


def greedy(parent: Parent = Parent.best_so_far, capabilities: ProposerCapabilities = ProposerCapabilities()) -> Greedy:  # noqa: B008
    return Greedy(SearchConfig(parent=parent), Services(lambda: capabilities))


def parent_of(method: Greedy, run: History) -> str | None:
    found = method.parent(run)
    return found.candidate.id if found else None


def test_score_pools_every_episode_of_every_seed(make_result: Make) -> None:
    results = [make_result("g01-c01", (1.0, 2.0)), make_result("g01-c01", (6.0, 7.0), seed=1)]
    assert pooled_score(results) == 4.0


def test_a_lucky_seed_does_not_win(make_result: Make) -> None:
    lucky = outcome(make_result("g01-c01", (9.0,)), make_result("g01-c01", (1.0,), seed=1))
    steady = outcome(make_result("g01-c02", (6.0,)), make_result("g01-c02", (6.0,), seed=1))
    assert ranked([lucky, steady])[0] is steady


def test_equals_go_to_the_faster_then_the_simpler_then_the_id(make_result: Make) -> None:
    slow = outcome(make_result("g01-c01", (5.0,), metric=(0.0, 5.0)))
    fast_two = outcome(make_result("g01-c02", (5.0,), metric=(4.6, 5.0), components=("a", "b")))
    fast_one_late = outcome(make_result("g01-c04", (5.0,), metric=(4.6, 5.0)))
    fast_one = outcome(make_result("g01-c03", (5.0,), metric=(4.6, 5.0)))
    # 4.6 is above 0.9 * 5 in the first update.
    assert ranked([slow, fast_two, fast_one_late, fast_one]) == [fast_one, fast_one_late, fast_two, slow]


def test_parent_is_the_best_so_far_or_of_the_last_generation(make_result: Make) -> None:
    run = history(make_result("g01-c01", (5.0,)), make_result("g02-c01", (4.0,)), finished=2)
    assert parent_of(greedy(), run) == "g01-c01"
    assert parent_of(greedy(Parent.best_of_generation), run) == "g02-c01"
    # Where the last generation gave nothing, the best so far stands in.
    assert (
        parent_of(greedy(Parent.best_of_generation), history(make_result("g01-c01", (5.0,)), finished=3)) == "g01-c01"
    )
    assert parent_of(greedy(), history()) is None


def test_candidates_that_were_stopped_early_come_last_and_are_no_parents(make_result: Make) -> None:
    stopped = replace(make_result("g01-c01", (9.0,)), checkpoint_scores=(9.0,))
    whole, better = make_result("g01-c02", (4.0,)), make_result("g01-c03", (5.0,))
    field = [outcome(result) for result in (stopped, whole, better)]
    assert [o.candidate.id for o in ranked(field)] == ["g01-c03", "g01-c02", "g01-c01"]

    capabilities = ProposerCapabilities()
    method = Greedy(SearchConfig(), Services(lambda: capabilities))
    run = history(stopped, whole, better, finished=1)
    assert parent_of(method, run) == "g01-c03"
    # A person's choice goes before it, though its training was stopped.
    said = (Feedback(generation=1, verdict=Verdict.CHOICE, shown=("g01-c01",), best="g01-c01"),)
    assert parent_of(method, replace(run, feedback=said)) == "g01-c01"
    # A parent is one that the proposer can read.
    capabilities = ProposerCapabilities(reads=lambda source: source.endswith("c02"))
    assert parent_of(method, run) == "g01-c02"


def rejection(identity: str, feedback: str) -> Rejected:
    return Rejected(identity, Stage.TRACE, "why", feedback)


def test_one_mistake_of_each_kind_is_told_the_newest_first() -> None:
    branches = rejection("g01-c01", "line 5: `if x.any():`: use torch.where.")
    noise = rejection("g01-c02", "line 9: `torch.rand(3)`: it draws random numbers.")
    again = rejection("g02-c01", "line 12: `if up > 0:`: use torch.where.")
    shape = rejection("g02-c02", "the total has a wrong shape.")
    same = rejection("g02-c03", "the total has a wrong shape.")
    now = rejection("g03-c01", "not yet known.")
    silent = rejection("g02-c04", "")
    every = (branches, noise, again, shape, same, silent, now)
    assert mistakes(history(finished=2, every_rejection=every)) == (again, shape, noise)
    assert mistakes(history(every_rejection=every)) == ()


def test_mistakes_are_capped() -> None:
    many = tuple(rejection(f"g01-c{i:02d}", f"mistake {chr(97 + i)}") for i in range(1, 20))
    assert mistakes(history(finished=1, every_rejection=many)) == many[:MAX_MISTAKES]
