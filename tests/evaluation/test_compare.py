"""Who is called best, what is trained for it, and what the scores say together; trainings are stood in for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from comparison_fakes import LENGTH, Listening, ScoreTrainer, graph, record_searched
from fake_trainer import cartpole_spec
from in_process import examiner

from eureka.core.errors import StoreError
from eureka.core.training import OwnReward, TrainingJob
from eureka.evaluation import ComparedMethod, Comparison, Role, read_comparison
from eureka.evaluation.compare import ComparisonInputs, choose_and_compare, compare
from eureka.evaluation.data import Choice, Contender, Estimate
from eureka.evaluation.record import write_comparison
from eureka.evaluation.trainings import Trainings, fresh_seeds
from eureka.search.outcomes import outcomes
from eureka.search.outcomes import ranked as best_first
from eureka.store import RunStore
from eureka.tasks import load_task
from eureka.trainers.base import TrainingEvent
from eureka.trainers.population.recording import record
from eureka.trainers.recording import Recording

Scores = Mapping[str, Callable[[int], float | None]]


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record(load_task("cartpole"), num=64, steps=20)


@pytest.fixture
def make_inputs(store: RunStore, recording: Recording) -> Callable[..., ComparisonInputs]:
    """A inputs of the rewards in the store against -1 x and -2 x the pole's angle, with two fresh seeds."""

    def make(scores: Scores, seeds: int = 2, **changes: object) -> ComparisonInputs:
        defaults: dict[str, object] = {
            "spec": cartpole_spec(),
            "baselines": {Role.HUMAN: graph(1.0), Role.SPARSE: graph(2.0)},
            "graphs": {reward.candidate_id: reward.graph for reward in store.rewards()},
            "examiner": examiner(recording.state),
            "trainings": Trainings(
                store,
                ScoreTrainer(scores),
                store.checkpoint_folder,
                LENGTH,
                fresh_seeds(store, seeds),
                Listening(),
                cache=None,
            ),
            "search_steps": 200,
        }
        return ComparisonInputs(**{**defaults, **changes})  # type: ignore[arg-type]

    return make


def constant(score: float | None) -> Callable[[int], float | None]:
    return lambda seed: score


BASELINES = {"human": constant(3.0), "sparse": constant(1.0)}


def ranked(store: RunStore) -> list[object]:
    return list(best_first(outcomes(store)))


def trained(inputs: ComparisonInputs) -> list[tuple[str, int]]:
    trainer = inputs.trainings.trainer
    assert isinstance(trainer, ScoreTrainer)
    return trainer.trained


def method(comparison: Comparison, role: Role) -> ComparedMethod:
    found = comparison.method(role)
    assert found is not None
    return found


def test_a_clear_winner_is_compared_at_once(store: RunStore, make_inputs: Callable[..., ComparisonInputs]) -> None:
    record_searched(store, "g01-c01", graph(3.0), [9.0, 9.1, 9.2])
    record_searched(store, "g01-c02", graph(4.0), [1.0, 1.1, 1.2])
    inputs = make_inputs({**BASELINES, "g01-c01": constant(5.0)})
    found = choose_and_compare(inputs, ranked(store))
    assert sorted(trained(inputs)) == [(n, s) for n in ("g01-c01", "human", "sparse") for s in (1000, 1001)]
    assert found.choice is None
    assert [m.role for m in found.methods] == [Role.BEST, Role.HUMAN, Role.SPARSE]
    best = method(found, Role.BEST)
    assert (best.name, best.seeds, best.scores) == ("g01-c01", (1000, 1001), (5.0, 5.0))
    assert best.iqm == Estimate(5.0, (5.0, 5.0))
    assert best.improvement == Estimate(1.0, (1.0, 1.0))
    # (5 - 1) / |3 - 1|; all three rewards are multiples of the angle.
    assert best.normalised == Estimate(2.0, (2.0, 2.0))
    assert best.correlation == pytest.approx(1.0)
    assert method(found, Role.SPARSE).normalised == Estimate(0.0, (0.0, 0.0))
    assert method(found, Role.SPARSE).improvement == Estimate(0.0, (0.0, 0.0))
    assert method(found, Role.HUMAN).improvement is None
    assert found.gap == Estimate(2.0, (2.0, 2.0))
    assert (found.task, found.unit, found.steps, found.search_steps) == ("cartpole", "s", 100, 200)
    assert (found.eval_episodes, found.transitions) == (4, 64)


def test_fresh_seeds_choose_nothing(store: RunStore, make_inputs: Callable[..., ComparisonInputs]) -> None:
    """The second would do better on them, and is not trained."""
    record_searched(store, "g01-c01", graph(3.0), [5.0, 5.2])
    record_searched(store, "g01-c02", graph(4.0), [4.9, 5.1])
    inputs = make_inputs({**BASELINES, "g01-c01": constant(3.0), "g01-c02": constant(6.0)})
    found = choose_and_compare(inputs, ranked(store))
    assert method(found, Role.BEST).name == "g01-c01"
    assert {name for name, _ in trained(inputs)} == {"human", "sparse", "g01-c01"}


def test_no_normalised_score_without_a_gap(store: RunStore, make_inputs: Callable[..., ComparisonInputs]) -> None:
    record_searched(store, "g01-c01", graph(3.0), [5.0])
    scores = {"human": lambda seed: float(seed % 2), "sparse": lambda seed: float((seed + 1) % 2)}
    found = choose_and_compare(make_inputs({**scores, "g01-c01": constant(5.0)}), ranked(store))
    assert found.gap == Estimate(0.0, (-1.0, 1.0))
    assert all(m.normalised is None for m in found.methods)
    assert method(found, Role.BEST).improvement == Estimate(1.0, (1.0, 1.0))


def test_what_is_the_same_function_is_trained_once(
    store: RunStore, make_inputs: Callable[..., ComparisonInputs]
) -> None:
    record_searched(store, "g01-c01", graph(1.0).replace("angle", "angle"), [5.0])
    inputs = make_inputs({"human": constant(3.0)}, baselines={Role.HUMAN: graph(1.0), Role.SPARSE: graph(1.0)})
    found = choose_and_compare(inputs, ranked(store))
    assert {name for name, _ in trained(inputs)} == {"human"}
    for role in (Role.BEST, Role.SPARSE):
        same = method(found, role)
        assert (same.same_as, same.scores, same.improvement) == ("human", (3.0, 3.0), None)
    assert found.gap is None


def test_a_task_without_a_sparse_reward(store: RunStore, make_inputs: Callable[..., ComparisonInputs]) -> None:
    record_searched(store, "g01-c01", graph(3.0), [5.0])
    inputs = make_inputs({**BASELINES, "g01-c01": constant(5.0)}, baselines={Role.HUMAN: graph(1.0)})
    found = choose_and_compare(inputs, ranked(store))
    assert [m.role for m in found.methods] == [Role.BEST, Role.HUMAN]
    assert found.gap is None


def test_one_that_fails_gives_way_to_the_next(store: RunStore, make_inputs: Callable[..., ComparisonInputs]) -> None:
    record_searched(store, "g01-c01", graph(3.0), [9.0, 9.0])
    record_searched(store, "g01-c02", graph(4.0), [5.0, 5.0])
    record_searched(store, "g01-c03", graph(5.0), [1.0, 1.0])
    scores = {**BASELINES, "g01-c01": lambda seed: 9.0 if seed == 1000 else None, "g01-c02": constant(4.0)}
    found = choose_and_compare(make_inputs(scores), ranked(store))
    assert method(found, Role.BEST).name == "g01-c02"


def test_failures_are_shown_where_nothing_else_is_left(
    store: RunStore, make_inputs: Callable[..., ComparisonInputs]
) -> None:
    record_searched(store, "g01-c01", graph(3.0), [9.0])
    found = choose_and_compare(
        make_inputs({"g01-c01": constant(None), "human": constant(None), "sparse": constant(1.0)}), ranked(store)
    )
    best, human = method(found, Role.BEST), method(found, Role.HUMAN)
    assert (best.scores, best.iqm, best.improvement, best.failed) == ((), None, None, "it became NaN")
    assert human.failed == "it became NaN"
    assert method(found, Role.SPARSE).improvement is None
    assert found.gap is None


def test_it_goes_on_where_it_was_stopped(store: RunStore, make_inputs: Callable[..., ComparisonInputs]) -> None:
    record_searched(store, "g01-c01", graph(3.0), [5.0])
    scores = {**BASELINES, "g01-c01": constant(5.0)}

    class Stopping(ScoreTrainer):
        def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
            yield from super().train(jobs[:3], folder)
            raise KeyboardInterrupt

    first = make_inputs(scores)
    with pytest.raises(KeyboardInterrupt):
        choose_and_compare(replace(first, trainings=replace(first.trainings, trainer=Stopping(scores))), ranked(store))
    again = make_inputs(scores)
    found = choose_and_compare(again, ranked(store))
    assert len(trained(again)) == 3
    undisturbed = method(found, Role.BEST), method(found, Role.HUMAN), method(found, Role.SPARSE)
    assert [m.scores for m in undisturbed] == [(5.0, 5.0), (3.0, 3.0), (1.0, 1.0)]


def test_more_seeds_add_to_those_there_are(store: RunStore, make_inputs: Callable[..., ComparisonInputs]) -> None:
    record_searched(store, "g01-c01", graph(3.0), [5.0])
    record_searched(store, "g01-c02", graph(4.0), [4.0])
    scores = {**BASELINES, "g01-c01": constant(5.0), "g01-c02": constant(4.0)}
    chosen = Choice((Contender("g01-c01", None), Contender("g01-c02", None)))  # as earlier versions had it
    earlier = replace(choose_and_compare(make_inputs(scores), ranked(store)), choice=chosen)
    inputs = make_inputs(scores, seeds=3)
    found = compare(inputs, "g01-c01", earlier)
    assert sorted(trained(inputs)) == [("g01-c01", 1002), ("human", 1002), ("sparse", 1002)]
    assert method(found, Role.BEST).seeds == (1000, 1001, 1002)
    assert found.choice == earlier.choice
    assert compare(make_inputs(scores, seeds=3), "g01-c02", earlier).choice is None


def test_it_is_read_back_as_it_was_written(store: RunStore, make_inputs: Callable[..., ComparisonInputs]) -> None:
    assert read_comparison(store.folder) is None
    record_searched(store, "g01-c01", graph(3.0), [5.0])
    found = choose_and_compare(make_inputs({**BASELINES, "g01-c01": constant(5.0)}), ranked(store))
    write_comparison(store, found)
    assert read_comparison(store.folder) == found
    path = store.folder / "evaluation.json"
    earlier = path.rename(store.folder / "comparison.json")
    assert read_comparison(store.folder) == found
    earlier.rename(path)
    path.write_text(path.read_text().replace('"version":1', '"version":99'))
    with pytest.raises(StoreError, match="has the form 99, and this eureka reads 1"):
        read_comparison(store.folder)
    path.write_text("[")
    with pytest.raises(StoreError, match="damaged, or changed by hand"):
        read_comparison(store.folder)


def test_rewards_that_are_no_graphs_are_trained_and_compared(
    store: RunStore, make_inputs: Callable[..., ComparisonInputs]
) -> None:
    record_searched(store, "g01-c01", graph(3.0), [5.0])
    inputs = make_inputs({**BASELINES, "g01-c01": constant(5.0)}, baselines={Role.HUMAN: OwnReward.OWN})
    found = choose_and_compare(inputs, ranked(store))
    best = method(found, Role.BEST)
    assert (best.scores, best.same_as, best.correlation) == ((5.0, 5.0), None, None)
    assert method(found, Role.HUMAN).scores == (3.0, 3.0)
    assert [job.reward for job in inputs.trainings.trainer.jobs if job.candidate_id == "human"] == [OwnReward.OWN] * 2
