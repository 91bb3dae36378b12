"""The method that gives each answer a job, and what its prompts tell of earlier generations."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from loop_fakes import GOOD, ScriptedTrainer, build_run

from eureka.core.ideas import JOB, STATE
from eureka.core.ids import candidate_id
from eureka.core.jobs import SampleJob
from eureka.core.training import TrainingResult
from eureka.proposers.base import FakeProposer, ProposerCapabilities
from eureka.search.loop import evolve
from eureka.search.run import Run
from eureka.store import RunStore

Make = Callable[..., TrainingResult]
IDS = [candidate_id(generation, sample) for generation in (1, 2, 3) for sample in range(1, 9)]
SCORES = {name: 0.1 + index % 8 / 10 for index, name in enumerate(IDS)}


def searched(folder: Path, make_result: Make, proposer: FakeProposer) -> Run:
    """A finished search of three generations of eight; one answer of the first generation has no code."""

    def make(name: str, scores: tuple[float, ...], *, seed: int = 0) -> TrainingResult:
        return replace(make_result(name, scores, seed=seed), checkpoint_scores=(0.0, *scores))

    run = build_run(
        folder, make, method="portfolio", samples=8, proposer=proposer, trainer=ScriptedTrainer(make, SCORES)
    )
    with run.store:
        evolve(run)
    return run


def test_each_answer_after_the_first_generation_has_a_job(tmp_path: Path, make_result: Make) -> None:
    run = searched(tmp_path / "run", make_result, FakeProposer({**dict.fromkeys(IDS, GOOD), "g01-c03": "no code"}))
    with RunStore.open(run.store.folder, read_only=True) as store:
        samples = {sample.id: sample for sample in store.samples()}
        prompts = {generation: store.prompts(generation) for generation in (1, 2, 3)}
    assert all(JOB not in samples[name].notes for name in IDS[:8])
    later = [samples[name] for name in IDS[8:]]
    assert all(sample.notes[JOB] in set(SampleJob) and sample.notes[STATE] for sample in later)
    for sample in later:
        text = prompts[int(sample.id[1:3])][sample.id, 0]
        assert f"Yours: {sample.notes[JOB]}." in text.ending
        assert all(parent in text.ending for parent in sample.parents)
        assert sample.parents or sample.notes[JOB] == SampleJob.EXPLORE
    exploring = [sample for sample in later if sample.notes[JOB] == SampleJob.EXPLORE]
    sent = [(sample.id[:3], prompts[int(sample.id[1:3])][sample.id, 0].ending) for sample in exploring]
    assert len(set(sent)) == len(sent) > 1  # each explorer of a generation in a direction of its own
    combined = [sample for sample in later if sample.notes[JOB] == SampleJob.COMBINE]
    assert combined
    assert all(len(set(sample.parents)) == 2 for sample in combined)


def test_a_generation_shares_a_prompt_that_tells_all_before_it(tmp_path: Path, make_result: Make) -> None:
    run = searched(tmp_path / "run", make_result, FakeProposer({**dict.fromkeys(IDS, GOOD), "g01-c03": "no code"}))
    with RunStore.open(run.store.folder, read_only=True) as store:
        prompts = store.prompts(3)
    assert len({prompt.messages for prompt in prompts.values()}) == 1
    assert len({prompt.ending for prompt in prompts.values()}) >= 5
    text = prompts["g03-c01", 0].messages[1].content
    assert all(f"- {name}" in text for name in IDS[:16])
    assert "- g01-c03: rejected: The answer holds no Python code" in text
    assert "g01-c08: 0.8, worth " in text
    assert "## The leading rewards" in text


def test_a_proposer_that_varies_by_itself_gets_one_parent(tmp_path: Path, make_result: Make) -> None:
    proposer = FakeProposer(dict.fromkeys(IDS, GOOD))
    proposer.capabilities = ProposerCapabilities(varies=True)
    run = searched(tmp_path / "run", make_result, proposer)
    with RunStore.open(run.store.folder, read_only=True) as store:
        samples = store.samples()
    assert all(JOB not in sample.notes and not sample.ending for sample in samples)
    assert {len(sample.parents) for sample in samples if sample.id.startswith("g02")} == {1}
