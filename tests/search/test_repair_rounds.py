"""Repairs of one round are asked side by side: what is recorded before, what fits, and what is told of failures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from loop_fakes import BROKEN, GOOD, IDS, Make, MakeRun, ScriptedTrainer, Stopped, build_run, prompt_of

from eureka.core.errors import ContextTooLong, ProposerError
from eureka.core.ids import candidate_id
from eureka.core.training import TrainingJob
from eureka.core.types import Completion, Prompt, Rejected, Stage
from eureka.proposers.base import FakeProposer
from eureka.search.loop import evolve
from eureka.search.outcomes import outcomes
from eureka.search.run import Run
from eureka.store import RunStore
from eureka.trainers.base import TrainingEvent

PROSE = "Reward the angle."
NAMES = [candidate_id(1, sample) for sample in range(1, 4)]
SCORES = dict.fromkeys([*NAMES, *IDS], 1.0)


class Together(FakeProposer):
    """Remembers what is asked side by side; refuses conversations that hold one of `too_long`."""

    def __init__(self, answers: Mapping[str, str | tuple[str, ...]], too_long: Sequence[str] = ()) -> None:
        super().__init__(answers)
        self.too_long = too_long
        self.rounds: list[list[str]] = []

    def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
        self.rounds.append(list(prompts))
        for name, prompt in prompts.items():
            if any(text in message.content for message in prompt.messages for text in self.too_long):
                raise ContextTooLong("the prompt is longer than the model takes")
            yield from super().sample_each({name: prompt})


@pytest.fixture
def make_run(tmp_path: Path, make_result: Make) -> MakeRun:
    def make(proposer: Together) -> Run:
        trainer = ScriptedTrainer(make_result, SCORES)
        return build_run(
            tmp_path / "run", make_result, proposer=proposer, trainer=trainer, generations=1, samples=3, repairs=2
        )

    return make


def test_a_round_is_asked_at_once_each_with_its_own_conversation(make_run: MakeRun) -> None:
    proposer = Together({NAMES[0]: (PROSE, BROKEN, GOOD), NAMES[1]: GOOD, NAMES[2]: (BROKEN, GOOD)})
    run = make_run(proposer)
    with run.store as store:
        evolve(run)
        assert [outcome.candidate.id for outcome in outcomes(store)] == NAMES
        assert store.calls_in_flight() == []
        assert store.calls_without_answer() == 0
    assert proposer.rounds == [NAMES, [NAMES[0], NAMES[2]], [NAMES[0]]]
    *_, first, second, last = proposer.prompts
    assert first.messages[2].content == PROSE
    assert "broken(" in second.messages[2].content
    assert "broken(" in last.messages[2].content


def test_every_call_of_a_round_is_recorded_before_the_first_is_made(make_run: MakeRun) -> None:
    class Killed(Together):
        def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
            if not next(iter(prompts.values())).facts.attempt:
                yield from super().sample_each(prompts)
                return
            yield next(super().sample_each(prompts))
            raise Stopped

    run = make_run(Killed(dict.fromkeys(NAMES, (PROSE, GOOD))))
    with run.store as store:
        with pytest.raises(Stopped):
            evolve(run)
        assert [str(call) for call in store.calls_in_flight()] == [f"{name} (attempt 1)" for name in NAMES[1:]]
        assert len(store.completions()[NAMES[0]]) == 2


def test_what_does_not_fit_is_left_rejected_and_the_others_are_mended(make_run: MakeRun) -> None:
    long = "def compute_reward(): # long"
    proposer = Together({NAMES[0]: (BROKEN, GOOD), NAMES[1]: (long, GOOD), NAMES[2]: (BROKEN, GOOD)}, [long])
    run = make_run(proposer)
    with run.store as store:
        evolve(run)
        assert [outcome.candidate.id for outcome in outcomes(store)] == [NAMES[0], NAMES[2]]
        assert [len(given) for given in store.completions().values()] == [2, 1, 2]


def test_a_provider_that_is_gone_ends_the_round(make_run: MakeRun) -> None:
    class Gone(Together):
        def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
            if not next(iter(prompts.values())).facts.attempt:
                yield from super().sample_each(prompts)
                return
            yield next(super().sample_each(prompts))
            raise ProposerError("it is gone")

    run = make_run(Gone(dict.fromkeys(NAMES, (PROSE, GOOD))))
    with run.store as store:
        with pytest.raises(ProposerError, match="it is gone"):
            evolve(run)
        assert [len(given) for given in store.completions().values()] == [2, 1, 1]
    again = Together(dict.fromkeys(NAMES, (PROSE, GOOD)))
    run = make_run(again)
    with run.store as store:
        evolve(run)
        assert [outcome.candidate.id for outcome in outcomes(store)] == NAMES
    assert again.rounds == [NAMES[1:]]


def test_a_worker_that_died_is_no_mistake_of_the_code(tmp_path: Path, make_result: Make) -> None:
    class Dying(ScriptedTrainer):
        def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
            yield Rejected(IDS[0], Stage.TRAIN, "its training was stopped twice", "")
            yield from super().train([job for job in jobs if job.candidate_id != IDS[0]], folder)

    trainer = Dying(make_result, dict.fromkeys(IDS, 1.0), bad=[IDS[1]])
    run = build_run(tmp_path / "run", make_result, trainer=trainer, generations=2)
    with run.store:
        evolve(run)
    with RunStore.open(tmp_path / "run", read_only=True) as store:
        prompt = prompt_of(store, 2)
        assert [rejected.candidate_id for rejected in store.rejections(1)] == IDS[:2]
    assert prompt
    assert [rejected.candidate_id for rejected in prompt.facts.rejected] == [IDS[1]]
    assert "stopped twice" not in prompt.messages[-1].content


def test_a_call_that_was_never_sent_is_none(make_run: MakeRun) -> None:
    """Samples are asked one after the other at first: where that fails, only one can have been billed."""

    class Busy(FakeProposer):
        on_call: Callable[[str], None]

        def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
            self.on_call(next(iter(prompts)))
            raise Stopped
            yield

    busy = Busy(dict.fromkeys(NAMES, GOOD))
    busy.on_call = NAMES[0].startswith  # what it is before anybody listens
    run = make_run(busy)
    with run.store as store:
        with pytest.raises(Stopped):
            evolve(run)
        assert set(store.prompts(1)) == {(name, 0) for name in NAMES}
        assert store.calls_without_answer() == 1
        assert [str(call) for call in store.calls_in_flight()] == ["g01-c01"]
