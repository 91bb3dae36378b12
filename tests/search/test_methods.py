"""Search methods by what they ask for: no feedback, and islands with parents of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from loop_fakes import GOOD, ScriptedTrainer, build_run, prompt_of

from eureka.config import SearchConfig
from eureka.core.errors import ConfigError
from eureka.core.ids import candidate_id
from eureka.core.training import TrainingResult
from eureka.proposers.base import FakeProposer, ProposerCapabilities
from eureka.search.loop import evolve
from eureka.search.methods import METHODS, make_method
from eureka.search.methods.base import Services
from eureka.search.methods.islands import ISLAND, Islands
from eureka.search.run import Run
from eureka.store import RunStore

Make = Callable[..., TrainingResult]
IDS = [candidate_id(generation, sample) for generation in (1, 2, 3) for sample in range(1, 7)]
SCORES = {name: float(index) for index, name in enumerate(IDS)}


def searched(folder: Path, make_result: Make, method: str) -> Run:
    """A finished search of three generations of six; later candidates score higher."""
    run = build_run(
        folder,
        make_result,
        method=method,
        samples=6,
        proposer=FakeProposer(dict.fromkeys(IDS, GOOD)),
        trainer=ScriptedTrainer(make_result, SCORES),
    )
    with run.store:
        assert evolve(run).candidate.id == "g03-c06"
    return run


def test_every_generation_of_best_of_n_is_asked_the_same(tmp_path: Path, make_result: Make) -> None:
    run = searched(tmp_path / "run", make_result, "best_of_n")
    with RunStore.open(run.store.folder, read_only=True) as store:
        prompts = [prompt_of(store, generation) for generation in (1, 2, 3)]
        assert {sample.parents for sample in store.samples()} == {()}
    assert len({prompt.messages for prompt in prompts if prompt}) == 1


def test_islands_have_parents_of_their_own_and_the_best_migrates(tmp_path: Path, make_result: Make) -> None:
    run = searched(tmp_path / "run", make_result, "islands")
    with RunStore.open(run.store.folder, read_only=True) as store:
        samples = {sample.id: sample for sample in store.samples()}
        prompts = store.prompts()
    home = {name: sample.notes[ISLAND] for name, sample in samples.items()}
    assert [home[candidate_id(1, number)] for number in range(1, 7)] == ["1", "2", "3", "1", "2", "3"]
    for number in range(1, 7):
        second, third = samples[candidate_id(2, number)], samples[candidate_id(3, number)]
        assert len(second.parents) in (1, 2)
        assert {home[parent] for parent in second.parents} == {home[second.id]}
        # Before the third generation the best of the first two, g02-c06, has come to every island.
        assert all(home[parent] == home[third.id] or parent == "g02-c06" for parent in third.parents)
    assert any("g02-c06" in samples[candidate_id(3, number)].parents for number in (1, 2, 4, 5))
    crossed = [sample for sample in samples.values() if len(sample.parents) == 2]
    assert crossed
    for sample in crossed:
        text = prompts[sample.id, 0].messages[1].content
        assert all(f"### {parent}" in text for parent in sample.parents)
        assert sample.template == "crossover.jinja2"


def test_a_stopped_search_of_islands_asks_the_same(tmp_path: Path, make_result: Make) -> None:
    """All that the method draws depends on the seed, the generation and the sample alone."""
    first = searched(tmp_path / "first", make_result, "islands")
    again = searched(tmp_path / "again", make_result, "islands")
    with (
        RunStore.open(first.store.folder, read_only=True) as one,
        RunStore.open(again.store.folder, read_only=True) as other,
    ):
        assert one.samples() == other.samples()


def test_methods_are_made_by_name() -> None:
    assert {"portfolio", "greedy", "best_of_n", "islands"} <= METHODS.keys()
    services = Services(ProposerCapabilities)
    assert isinstance(make_method(SearchConfig(method="islands"), services), Islands)
    with pytest.raises(ConfigError, match=r"search\.method=isles: there is no such method; there are portfolio, "):
        make_method(SearchConfig(method="isles"), services)


def test_a_prompt_without_a_parent_says_no_falsehood(tmp_path: Path, make_result: Make) -> None:
    """One candidate is rejected, and others are trained: nobody is told that every candidate has failed."""
    for method in ("best_of_n", "islands"):
        answers = {**dict.fromkeys(IDS, GOOD), "g01-c03": "no code", "g01-c06": "no code"}
        trainer = ScriptedTrainer(make_result, SCORES)
        run = build_run(
            tmp_path / method,
            make_result,
            method=method,
            samples=6,
            generations=2,
            proposer=FakeProposer(answers),
            trainer=trainer,
        )
        with run.store as store:
            evolve(run)
            texts = [prompt.messages[1].content for prompt in store.prompts(2).values()]
            third = store.samples(2)[2]
        assert third.parents == ()  # of the third island nobody is left
        assert not any("No reward so far could be used" in text for text in texts)
