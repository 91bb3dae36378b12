"""The loop with fakes: order, mistakes, hopeless searches, and going on after a stop at any step."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from loop_fakes import (
    GOOD,
    IDS,
    FakeObserver,
    FakeVerifier,
    Make,
    MakeRun,
    ScriptedTrainer,
    Stopped,
    build_run,
    prompt_of,
)

from eureka.core import events
from eureka.core.errors import ConfigError, SearchFailed, StoreError, TrainingError
from eureka.core.ids import candidate_id
from eureka.core.training import TrainingJob
from eureka.core.types import Completion, Feedback, MetricProbe, Prompt, PromptFacts, Sample, Stage
from eureka.proposers.base import FakeProposer, ProposerCapabilities
from eureka.search.loop import evolve
from eureka.search.outcomes import outcomes
from eureka.search.run import Run
from eureka.store import RunStore
from eureka.trainers.base import TrainingEvent


@pytest.fixture
def make_run(tmp_path: Path, make_result: Make) -> MakeRun:
    def make(**changes: object) -> Run:
        return build_run(tmp_path / "run", make_result, **changes)

    return make


def test_each_generation_is_shown_the_best_so_far(make_run: MakeRun) -> None:
    run = make_run()
    with run.store:
        best = evolve(run)
        assert best.candidate.id == "g03-c02"
        prompts = [prompt_of(run.store, generation) for generation in (1, 2, 3)]
    reflections = [prompt.facts.reflection for prompt in prompts if prompt]
    assert reflections[0] is None
    assert [r.candidate_id for r in reflections[1:] if r] == ["g01-c02", "g02-c02"]
    assert all(prompt.facts.seed == 7 and prompt.facts.probe is None for prompt in prompts if prompt)


def test_a_score_stays_with_its_candidate_when_others_fail(make_run: MakeRun, make_result: Make) -> None:
    trainer = ScriptedTrainer(make_result, {"g01-c01": 5.0, "g02-c01": 1.0, "g02-c02": 2.0}, bad=["g02-c01"])
    proposer = FakeProposer({"g01-c01": GOOD, "g01-c02": "no code, sorry", "g02-c01": GOOD, "g02-c02": GOOD})
    run = make_run(trainer=trainer, proposer=proposer, generations=2)
    with run.store:
        assert evolve(run).candidate.id == "g01-c01"
        assert {o.candidate.id: o.score for o in outcomes(run.store)} == {"g01-c01": 5.0, "g02-c02": 2.0}
        assert {(r.candidate_id, r.stage) for r in run.store.rejections()} == {
            ("g01-c02", Stage.EXTRACT),
            ("g02-c01", Stage.TRAIN),
        }
        second = prompt_of(run.store, 2)
    assert second
    assert [r.candidate_id for r in second.facts.rejected] == ["g01-c02"]


def test_a_failed_generation_counts_and_its_errors_are_told(make_run: MakeRun) -> None:
    run = make_run(verifier=FakeVerifier(bad=["g01-c01", "g01-c02"]), generations=2)
    with run.store:
        evolve(run)
        assert run.store.finished_generations() == {1: None, 2: "g02-c02"}
        prompt = prompt_of(run.store, 2)
    assert prompt
    assert "mistake of g01-c01" in prompt.messages[-1].content
    assert prompt.facts.reflection is None


def test_three_failed_generations_end_the_search(make_run: MakeRun) -> None:
    answers = {candidate_id(g, s): "nothing" for g in range(1, 6) for s in (1, 2)}
    run = make_run(proposer=FakeProposer(answers), generations=5)
    with (
        run.store,
        pytest.raises(SearchFailed, match=r"3 generations in a row gave no usable reward.*after generation 3"),
    ):
        evolve(run)
    run = make_run(proposer=FakeProposer(answers), generations=2)


def test_one_failed_generation_of_one_ends_with_the_reason(make_run: MakeRun) -> None:
    run = make_run(verifier=FakeVerifier(bad=IDS), generations=1)
    with run.store, pytest.raises(SearchFailed, match=r"none of the 1 generations .*g01-c02: it is bad"):
        evolve(run)


def test_no_generation_begins_after_the_target_is_reached(make_run: MakeRun, make_result: Make) -> None:
    trainer = ScriptedTrainer(make_result, dict(zip(IDS, [1.0, 2.0, 3.0, 5.0, 9.0, 9.0], strict=True)))
    run = make_run(trainer=trainer, target=5.0)
    with run.store:
        assert evolve(run).candidate.id == "g02-c02"
        assert run.store.finished_generations() == {1: "g01-c02", 2: "g02-c02"}
        assert evolve(run).candidate.id == "g02-c02"
    assert trainer.trained == IDS[:4]


def test_a_generation_that_was_broken_off_is_finished_though_it_has_reached_the_target(
    make_run: MakeRun, make_result: Make
) -> None:
    """As if nothing had happened: what comes after in that generation may be better."""
    scores = dict(zip(IDS, [5.0, 6.0, 9.0, 9.0, 9.0, 9.0], strict=True))

    class Stops(ScriptedTrainer):
        def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
            yield from super().train(jobs[:1], folder)
            raise Stopped

    run = make_run(trainer=Stops(make_result, scores), target=5.0)
    with run.store:
        with pytest.raises(Stopped):
            evolve(run)
        assert [outcome.candidate.id for outcome in outcomes(run.store)] == ["g01-c01"]
        run = replace(run, trainer=ScriptedTrainer(make_result, scores))
        assert evolve(run).candidate.id == "g01-c02"
        assert list(run.store.finished_generations()) == [1]


def test_further_seeds_do_not_take_the_target_back(make_run: MakeRun, make_result: Make) -> None:
    """A run that was stopped while it confirmed its finalists begins no other generation."""

    class Lucky(ScriptedTrainer):
        def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
            for job in jobs:
                self.trained.append(f"{job.candidate_id} {job.seed}")
                yield self.make(job.candidate_id, (5.0 if job.seed == 7 else 1.0,), seed=job.seed)

    trainer = Lucky(make_result, {})
    run = make_run(trainer=trainer, target=5.0, finalists=2, confirmation_seeds=1)
    with run.store:
        for _ in range(2):
            assert evolve(run).score == 3.0
    assert trainer.trained == ["g01-c01 7", "g01-c02 7", "g01-c01 9", "g01-c02 9"]


def test_nobody_is_asked_about_a_generation_that_reached_the_target(make_run: MakeRun) -> None:
    asked: list[int] = []

    class Reviewing:
        def review(self, generation: int, shown: Sequence[str], parent: str | None) -> Feedback | None:
            asked.append(generation)
            return None

    run = make_run(reviewer=Reviewing(), target=3.0)
    with run.store:
        evolve(run)
        assert list(run.store.finished_generations()) == [1, 2]
    assert asked == [1]


def test_several_seeds_are_pooled(make_run: MakeRun) -> None:
    run = make_run(training_seeds=3, generations=1)
    with run.store:
        assert [result.seed for result in evolve(run).results] == [7, 8, 9]


def test_finalists_are_trained_further_before_one_is_called_best(make_run: MakeRun, make_result: Make) -> None:
    lucky = {
        "g01-c01": {7: 9.0, 10: 1.0, 11: 1.0},
        "g01-c02": {7: 5.0, 10: 5.0, 11: 5.0},
        "g02-c01": {7: 4.0, 10: 9.0, 11: 9.0},
    }

    class Seeds(ScriptedTrainer):
        def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
            for job in jobs:
                self.trained.append(f"{job.candidate_id} {job.seed}")
                score = lucky.get(job.candidate_id, {}).get(job.seed, 0.0)
                yield self.make(job.candidate_id, (score,), seed=job.seed)

    class StopsInConfirmation(FakeObserver):
        def __call__(self, event: events.Event) -> None:
            super().__call__(event)
            if self.seen[-1] == "trained" and any(what.startswith("finalists") for what in self.seen):
                raise Stopped

    trainer = Seeds(make_result, {})
    for observe in (StopsInConfirmation(), FakeObserver()):
        run = make_run(trainer=trainer, observe=observe, finalists=2, confirmation_seeds=2, generations=2)
        with run.store:
            try:
                best = evolve(run)
            except Stopped:
                assert len(trainer.trained) == 5
                continue
            assert run.store.finished_generations() == {1: "g01-c01", 2: "g01-c02"}
    # g01-c01 led by one lucky seed; g02-c01 was third by the search's seed, so its luck afterwards does not count.
    assert best.candidate.id == "g01-c02"
    assert best.score == 5.0
    assert sorted(trainer.trained[4:]) == ["g01-c01 10", "g01-c01 11", "g01-c02 10", "g01-c02 11"]


def test_the_probe_is_for_proposers_that_declare_it(make_run: MakeRun) -> None:
    class Curious(FakeProposer):
        def __init__(self, answers: Mapping[str, str]) -> None:
            super().__init__(answers)
            self.capabilities = ProposerCapabilities(uses_metric=True)

    probe = MetricProbe({"pole_angle": -0.5})
    run = make_run(proposer=Curious(dict.fromkeys(IDS, GOOD)), probe=lambda: probe, generations=1)
    with run.store:
        evolve(run)
        prompt = prompt_of(run.store, 1)
    assert prompt
    assert prompt.facts.probe == probe


def test_goes_on_after_a_stop_at_every_step(make_run: MakeRun, tmp_path: Path) -> None:
    """Stop at the first sign of life, go on and stop at the next, and so on: nothing is asked or trained twice."""
    asked: list[str] = []

    class Counting(FakeProposer):
        def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
            for identity, prompt in prompts.items():
                asked.append(identity)
                yield from super().sample_each({identity: prompt})

    trained: list[str] = []
    stops = 0
    while True:
        run = make_run(proposer=Counting(dict.fromkeys(IDS, GOOD)), observe=FakeObserver(stop_after=stops % 5 + 1))
        run.trainer.trained = trained  # type: ignore[attr-defined]
        with run.store:
            try:
                best = evolve(run)
                break
            except Stopped:
                stops += 1
    assert stops > 6
    assert best.candidate.id == "g03-c02"
    assert asked == IDS
    assert sorted(set(trained)) == IDS
    assert trained == IDS


def test_a_reward_to_start_from_survives_a_kill_before_it_is_an_answer(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = GOOD.removeprefix("```python\n").removesuffix("\n```")

    def killed(self: RunStore, completion: Completion) -> None:
        raise Stopped

    scores = {"g01-c00": 9.0, **dict.fromkeys(IDS, 1.0)}
    run = make_run(start=source, generations=1)
    with run.store, monkeypatch.context() as patch:
        patch.setattr(RunStore, "record_completion", killed)
        with pytest.raises(Stopped):
            evolve(run)
    run = make_run(start=source, generations=1)
    run.trainer.scores = scores  # type: ignore[attr-defined]
    with run.store:
        assert evolve(run).candidate.id == "g01-c00"


def test_a_training_that_ends_without_a_word_ends_the_run(make_run: MakeRun, make_result: Make) -> None:
    class Silent(ScriptedTrainer):
        def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
            yield from super().train(jobs[:1], folder)

    run = make_run(trainer=Silent(make_result, dict.fromkeys(IDS, 1.0)))
    with run.store, pytest.raises(TrainingError, match="the training of g01-c02 with seed 7 ended without a result"):
        evolve(run)


def test_records_without_what_they_rest_on_are_refused(make_run: MakeRun) -> None:
    run = make_run()
    with run.store:
        run.store.record_completion(Completion("g01-c01", GOOD, "m"))
        with pytest.raises(StoreError, match=r"changed by hand: nobody asked for the answers of g01-c01"):
            evolve(run)


def test_a_template_that_a_run_folder_names_is_one_of_ours(make_run: MakeRun, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.jinja2"
    foreign.write_text("{{ 1 + 1 }}")
    for name in (str(foreign), "../foreign.jinja2", "render.py", "nothing.jinja2"):
        facts = PromptFacts("cartpole", 7, 1, ())
        run = make_run()
        with run.store:
            run.store.record_samples([Sample(id="g01-c01", facts=facts, template=name)])
            with pytest.raises(ConfigError, match="is none of the prompts' templates"):
                evolve(run)
        shutil.rmtree(run.store.folder)
