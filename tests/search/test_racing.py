"""The race in the loop, with fakes: who trains how far, who leads, and going on after a stop at any step."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fake_trainer import FakeTrainer
from loop_fakes import GOOD, FakeObserver, Make, MakeRun, Stopped, build_run, prompt_of

from eureka.core.ids import candidate_id
from eureka.core.training import TrainingJob, TrainingLength
from eureka.core.types import Rejected, Stage
from eureka.proposers.base import FakeProposer
from eureka.search.loop import evolve
from eureka.search.outcomes import outcomes
from eureka.search.race import Race
from eureka.search.racing import Racing, evidence_of, late_mean, make_race
from eureka.search.run import Run
from eureka.search.status import candidate_statuses, in_words
from eureka.trainers.base import TrainingEvent

LENGTH = TrainingLength(steps=4000, evaluations=4, eval_episodes=1)
RACE = Race(rungs=(1, 2, 4), seeds=(0, 1), budget=100)
IDS = [candidate_id(generation, sample) for generation in (1, 2) for sample in (1, 2, 3, 4)]
LOW = (0.0, 0.1, 0.1, 0.1)
SCORES: Mapping[tuple[str, int], tuple[float, ...]] = {
    ("g01-c02", 7): (0.5, 0.6, 0.9, 1.1),
    ("g01-c02", 8): (0.5, 0.5, 0.5, 0.5),
    ("g01-c03", 7): (0.6, 0.7, 0.95, 0.95),
    ("g01-c03", 8): (0.6, 0.7, 0.9, 0.9),
    ("g02-c01", 7): (0.6, 0.7, 0.96, 0.96),
    ("g02-c01", 8): (0.6, 0.7, 0.85, 0.85),
}
"""Of the last two, the later half, `g01-c02` has 1 and then 0.5, the others what they end with."""


@dataclass
class RacingTrainer(FakeTrainer):
    """Gives every job the beginning of its scores; `trained` is who was trained with which seed, to which evaluation.

    Those of `bad` are rejected.
    """

    make: Make
    bad: Sequence[tuple[str, int]] = ()
    trained: list[tuple[str, int, int]] = field(default_factory=list)

    def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
        for job in jobs:
            if (job.candidate_id, job.seed) in self.bad:
                yield Rejected(job.candidate_id, Stage.TRAIN, "it blew up", "clamp it")
                continue
            evaluated = len(self.evaluated_after(job.length))
            scores = SCORES.get((job.candidate_id, job.seed), LOW)[:evaluated]
            self.trained.append((job.candidate_id, job.seed, evaluated))
            yield replace(
                self.make(job.candidate_id, scores[-1:], seed=job.seed, metric=scores), checkpoint_scores=scores
            )


@pytest.fixture
def make_run(tmp_path: Path, make_result: Make) -> MakeRun:
    def make(**changes: object) -> Run:
        defaults: dict[str, object] = {
            "proposer": FakeProposer(dict.fromkeys(IDS, GOOD)),
            "trainer": RacingTrainer(make_result),
            "length": LENGTH,
            "race": RACE,
            "generations": 2,
            "samples": 4,
        }
        return build_run(tmp_path / "run", make_result, **{**defaults, **changes})

    return make


def test_the_better_half_trains_on_and_close_ones_get_another_seed(make_run: MakeRun, make_result: Make) -> None:
    trainer = RacingTrainer(make_result)
    run = make_run(trainer=trainer, generations=1)
    with run.store:
        best = evolve(run)
    assert trainer.trained == [
        *((f"g01-c0{sample}", 7, 1) for sample in (1, 2, 3, 4)),
        *((f"g01-c0{sample}", 7, 4) for sample in (3, 2)),
        # 0.95 is less than a standard error of a difference, 0.15 * sqrt(2), below 1.
        *((f"g01-c0{sample}", 8, 4) for sample in (2, 3)),
    ]
    assert best.candidate.id == "g01-c03"
    assert best.score == pytest.approx(0.925)  # and not the 1.1 of the other's first seed


def test_the_next_generation_is_shown_who_won_and_must_beat_it(make_run: MakeRun) -> None:
    run = make_run()
    with run.store:
        evolve(run)
        assert run.store.finished_generations() == {1: "g01-c03", 2: "g01-c03"}
        prompt = prompt_of(run.store, 2)
        found = {outcome.candidate.id: outcome for outcome in outcomes(run.store)}
        said = {status.candidate_id: in_words(status, "m/s") for status in candidate_statuses(run.store)}
    assert prompt
    assert prompt.facts.reflection
    assert prompt.facts.reflection.candidate_id == "g01-c03"
    # By its first seed the challenger is ahead, 0.96 to 0.95; by both it is behind, 0.905 to 0.925.
    assert found["g02-c01"].score == pytest.approx(0.905)
    assert [len(result.checkpoint_scores) for result in found["g02-c01"].results] == [4, 4]
    assert said["g01-c01"] == "trained for 100 steps: 0 m/s"
    assert said["g01-c03"] == "trained: 0.925 m/s"


def test_who_blows_up_with_a_further_seed_is_out_and_its_race_is_decided_again(
    make_run: MakeRun, make_result: Make
) -> None:
    trainer = RacingTrainer(make_result, bad=[("g01-c03", 8)])
    run = make_run(trainer=trainer, generations=1)
    with run.store:
        assert evolve(run).candidate.id == "g01-c02"
        assert [rejected.candidate_id for rejected in run.store.rejections()] == ["g01-c03"]
    # Of three the better two go on: so one that had been left behind is carried on.
    assert trainer.trained[-1] == ("g01-c01", 7, 4)


def test_going_on_after_a_stop_at_any_step_decides_alike(make_run: MakeRun, make_result: Make) -> None:
    whole = RacingTrainer(make_result)
    best, stops = None, 0
    while best is None:
        run = make_run(observe=FakeObserver(stop_after=stops), trainer=whole)
        with run.store, suppress(Stopped):
            best = evolve(run)
        stops += best is None
    assert stops > 5
    assert best.candidate.id == "g01-c03"
    # A result that was recorded just before the stop is not trained again.
    assert len(whole.trained) == len(set(whole.trained))


def test_finalists_have_the_leader_among_them(make_run: MakeRun) -> None:
    observe = FakeObserver()
    run = make_run(observe=observe, finalists=2, confirmation_seeds=1, generations=1)
    with run.store:
        assert evolve(run).candidate.id == "g01-c03"
    assert "finalists g01-c03 g01-c02" in observe.seen


def test_whom_the_race_left_behind_is_no_finalist(make_run: MakeRun, make_result: Make) -> None:
    trainer = RacingTrainer(make_result)
    run = make_run(trainer=trainer, finalists=4, confirmation_seeds=2, generations=1)
    with run.store:
        assert evolve(run).candidate.id == "g01-c03"
    assert [seed for name, seed, _ in trainer.trained if name in ("g01-c01", "g01-c04")] == [7, 7]
    # Begun, trained to the end, and with two further seeds.
    assert sorted(seed for name, seed, _ in trainer.trained if name == "g01-c02") == [7, 7, 8, 10, 11]


def test_a_target_is_reached_by_all_seeds_of_the_race(make_run: MakeRun) -> None:
    """By the first seed the leader has 0.95, by both 0.925."""
    for target, generations in ((0.94, {1, 2}), (0.92, {1})):
        run = make_run(target=target)
        with run.store:
            evolve(run)
            assert set(run.store.finished_generations()) == generations, target
        shutil.rmtree(run.store.folder)


def test_the_race_of_a_search() -> None:
    assert make_race(4, range(7, 10), 1, samples=8) == Race((2, 4), (7, 8, 9), budget=32)
    assert make_race(8, [0], 1, samples=2).rungs == (4, 8)
    # With fewer updates than evaluations there are fewer rungs, with one evaluation there is none to stop at.
    assert make_race(1, [0, 1], 2, samples=3) == Race((1,), (0, 1), budget=6, first_seeds=2)


def test_the_later_half_of_the_evaluations_counts(make_run: MakeRun, make_result: Make) -> None:
    assert [late_mean(scores) for scores in ((3.0,), (1.0, 3.0), (9.0, 1.0, 3.0), (9.0, 9.0, 1.0, 3.0))] == [3, 3, 2, 2]
    run = make_run()
    with run.store:
        result = make_result("g01-c01", (3.0,), seed=7)
        run.store.record_result(replace(result, checkpoint_scores=(9.0, 9.0, 1.0, 3.0)))
        assert evidence_of(run.history().results) == {"g01-c01": {7: {1: 9.0, 2: 9.0, 3: 5.0, 4: 2.0}}}


def test_nothing_is_wanted_of_nobody(make_run: MakeRun) -> None:
    run = make_run()
    with run.store:
        racing, history = Racing(RACE), run.history()
        assert racing.jobs(history) == []


def test_each_generation_trains_with_seeds_of_its_own_and_the_champion_keeps_its_scores(
    make_run: MakeRun, make_result: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = {("g02-c01", seed + 100): scores for (name, seed), scores in SCORES.items() if name == "g02-c01"}
    monkeypatch.setattr(f"{__name__}.SCORES", {**SCORES, **later})
    trainer = RacingTrainer(make_result)
    run = make_run(trainer=trainer, seed_stride=100)
    with run.store:
        best = evolve(run)
    seeds = {name[:3]: {seed for other, seed, _ in trainer.trained if other[:3] == name[:3]} for name in IDS}
    assert seeds == {"g01": {7, 8}, "g02": {107, 108}}
    # By two seeds each `g01-c03` has 0.925 and `g02-c01` 0.905: the same decision as with the same seeds in both.
    assert best.candidate.id == "g01-c03"
