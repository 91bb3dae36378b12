"""Asking again: repairs, answers that were cut off, prompts that are too long, and kills at any point of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from loop_fakes import BROKEN, GOOD, FakeObserver, Make, MakeRun, ScriptedTrainer, Stopped, build_run, prompt_of

import eureka.tasks
from eureka.app.configs import compose_config
from eureka.config import SearchConfig
from eureka.core.errors import ContextTooLong, ProposerError
from eureka.core.ids import candidate_id
from eureka.core.types import AnswerKind, Completion, Prompt, Sample, Stage
from eureka.proposers.base import FakeProposer
from eureka.proposers.replay import Replay
from eureka.search.history import History
from eureka.search.loop import evolve
from eureka.search.methods.base import Services
from eureka.search.methods.best_of_n import BestOfN
from eureka.search.outcomes import outcomes
from eureka.search.run import Run
from eureka.store import RunStore
from eureka.tasks import load_task
from eureka.ui.report.reading import read_run

PROSE = "Reward the angle."
FIRST, SECOND = "g01-c01", "g01-c02"
SCORES = {candidate_id(generation, sample): 1.0 for generation in (1, 2, 3) for sample in range(1, 6)}


def _attempt(prompts: Mapping[str, Prompt]) -> int:
    return next(iter(prompts.values())).facts.attempt


@pytest.fixture
def make_run(tmp_path: Path, make_result: Make) -> MakeRun:
    def make(answers: dict[str, str | tuple[str, ...]] | None = None, **changes: object) -> Run:
        defaults: dict[str, object] = {
            "proposer": FakeProposer(answers or {}),
            "trainer": ScriptedTrainer(make_result, SCORES),
            "generations": 1,
            "repairs": 2,
        }
        return build_run(tmp_path / "run", make_result, **{**defaults, **changes})

    return make


# ---- repairs -----------------------------------------------------------------------------------------------------


def test_a_rejected_candidate_is_repaired_in_its_generation(make_run: MakeRun) -> None:
    run = make_run({FIRST: (PROSE, BROKEN, GOOD), SECOND: GOOD})
    with run.store as store:
        evolve(run)
        assert [outcome.candidate.id for outcome in outcomes(store)] == [FIRST, SECOND]
        assert store.rejections() == []
        assert [(r.candidate_id, r.stage) for r in store.rejections(every_attempt=True)] == [
            (FIRST, Stage.EXTRACT),
            (FIRST, Stage.VERIFY),
        ]
        assert [(c.attempt, c.text) for c in store.completions()[FIRST]] == [(0, PROSE), (1, BROKEN), (2, GOOD)]
        assert store.calls_in_flight() == []
        assert store.calls_without_answer() == 0
        place = store.candidate_folder(FIRST)
        assert sorted(path.name for path in place.iterdir()) == [
            "graph.json",
            "policy_seed7.pt",
            "rejected_attempt0.txt",
            "rejected_attempt1.txt",
            "response.md",
            "response_attempt1.md",
            "response_attempt2.md",
            "source.py",
        ]
        assert "broken" not in (place / "source.py").read_text()
    seen = run.observe.seen  # type: ignore[attr-defined]
    assert [what for what in seen if "g01" in what] == [
        f"{FIRST}/0",
        f"{SECOND}/0",
        f"{FIRST} extract",
        f"{FIRST}/1",
        f"{FIRST} verify",
        f"{FIRST}/2",
    ]


def test_a_repair_is_shown_its_own_code_and_exact_error(make_run: MakeRun) -> None:
    run = make_run({FIRST: ("<think>\nso many thoughts\n</think>" + PROSE, BROKEN, GOOD), SECOND: GOOD})
    with run.store:
        evolve(run)
    first, _, prose, broken = run.proposer.prompts  # type: ignore[attr-defined]
    assert [prompt.facts.attempt for prompt in (first, prose, broken)] == [0, 1, 2]
    assert prose.messages[:2] == broken.messages[:2] == first.messages
    assert prose.messages[2].content == PROSE
    assert "holds no Python code" in prose.messages[3].content
    assert broken.messages[2].content.startswith("```python\ndef compute_reward(pole_angle):\n    return broken(")
    assert "line 2: it is broken." in broken.messages[3].content


@pytest.mark.parametrize("repairs", [0, 1, 3])
def test_repairs_are_counted_and_end(make_run: MakeRun, repairs: int) -> None:
    run = make_run({FIRST: (PROSE,), SECOND: GOOD}, repairs=repairs)
    with run.store as store:
        evolve(run)
        assert len(store.completions()[FIRST]) == 1 + repairs
        assert [r.candidate_id for r in store.rejections()] == [FIRST]
        assert [o.candidate.id for o in outcomes(store)] == [SECOND]


def test_who_cannot_repair_is_not_asked_again(make_run: MakeRun) -> None:
    run = make_run({FIRST: PROSE, SECOND: GOOD})
    assert not run.proposer.capabilities.can_repair
    with run.store as store:
        evolve(run)
        assert len(store.completions()[FIRST]) == 1


def test_what_failed_in_training_is_not_repaired(make_run: MakeRun, make_result: Make) -> None:
    run = make_run({FIRST: (PROSE, GOOD), SECOND: GOOD}, trainer=ScriptedTrainer(make_result, SCORES, bad=[FIRST]))
    with run.store as store:
        evolve(run)
        assert len(store.completions()[FIRST]) == 2
        assert [r.stage for r in store.rejections()] == [Stage.TRAIN]
        assert (store.candidate_folder(FIRST) / "rejected.txt").read_text().startswith("train: it blew up")
        assert [o.candidate.id for o in outcomes(store)] == [SECOND]


def test_mended_errors_are_told_to_later_generations_too(make_run: MakeRun) -> None:
    answers = {FIRST: (BROKEN, GOOD), SECOND: GOOD, "g02-c01": GOOD, "g02-c02": GOOD, "g03-c01": GOOD, "g03-c02": GOOD}
    run = make_run(answers, generations=3)
    with run.store as store:
        evolve(run)
        prompts = [prompt_of(store, generation) for generation in (2, 3)]
    for prompt in prompts:
        assert prompt
        assert [r.feedback for r in prompt.facts.rejected] == ["line 2: it is broken."]
        assert "- it is broken." in prompt.messages[-1].content


def test_replay_gives_the_repairs_again(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run({FIRST: (PROSE, GOOD), SECOND: (BROKEN,)})
    with run.store as store:
        evolve(run)
        recorded = store.completions()
    (tmp_path / "run").rename(tmp_path / "recorded")
    again = make_run(proposer=Replay(recorded, uses_metric=False))
    with again.store as store:
        evolve(again)
        assert store.completions() == recorded


# ---- kills -------------------------------------------------------------------------------------------------------


def test_no_answer_is_bought_twice_whenever_it_stops(make_run: MakeRun) -> None:
    """Stop at the first sign of life, go on and stop at the next, and so on."""
    bought: list[tuple[str, int]] = []

    class Counting(FakeProposer):
        def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
            for identity, prompt in prompts.items():
                bought.append((identity, prompt.facts.attempt))
                yield from super().sample_each({identity: prompt})

    for stops in range(100):
        run = make_run(
            proposer=Counting({FIRST: (PROSE, BROKEN, GOOD), SECOND: (BROKEN, GOOD)}),
            observe=FakeObserver(stop_after=stops % 4 + 1),
        )
        with run.store as store:
            try:
                evolve(run)
            except Stopped:
                continue
            assert store.calls_in_flight() == []
            break
    assert stops > 4
    assert sorted(bought) == [(FIRST, 0), (FIRST, 1), (FIRST, 2), (SECOND, 0), (SECOND, 1)]
    assert [o.candidate.id for o in outcomes(RunStore.open(run.store.folder, read_only=True))] == [FIRST, SECOND]


def test_a_repair_in_flight_is_reported_and_asked_again(make_run: MakeRun) -> None:
    class Killed(FakeProposer):
        def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
            if _attempt(prompts):
                raise Stopped
            yield from super().sample_each(prompts)

    answers: dict[str, str | tuple[str, ...]] = {FIRST: (PROSE, GOOD), SECOND: GOOD}
    for _ in range(2):
        run = make_run(proposer=Killed(answers))
        with run.store as store:
            with pytest.raises(Stopped):
                evolve(run)
            assert [str(call) for call in store.calls_in_flight()] == ["g01-c01 (attempt 1)"]
    run = make_run(answers)
    with run.store as store:
        assert store.calls_without_answer() == 2
        evolve(run)
        assert store.calls_in_flight() == []
        assert store.calls_without_answer() == 2  # both killed calls may have been billed
        assert len(store.completions()[FIRST]) == 2


# ---- answers that were cut off -----------------------------------------------------------------------------------


class Cut(FakeProposer):
    """Says of the answers in `cut` (by their text) that they ended at the token limit."""

    def __init__(self, answers: dict[str, str | tuple[str, ...]], *cut: str) -> None:
        super().__init__(answers)
        self._cut = cut

    def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
        for completion in super().sample_each(prompts):
            yield replace(completion, finish="length" if completion.text in self._cut else "stop")


def test_a_cut_off_answer_is_asked_to_go_on_and_that_is_no_repair(make_run: MakeRun) -> None:
    half, rest = GOOD[:60], GOOD[60:]
    proposer = Cut({FIRST: (half, rest), SECOND: GOOD}, half)
    run = make_run(proposer=proposer, repairs=0)
    with run.store as store:
        evolve(run)
        assert [(c.text, c.continues) for c in store.completions()[FIRST]] == [(half, False), (rest, True)]
        assert store.candidates()[0].source.strip() in GOOD
        assert store.rejections() == []
    assert proposer.prompts[2].messages[2].content == half
    assert "cut off" in proposer.prompts[2].messages[3].content
    assert f"{FIRST}/1+" in run.observe.seen  # type: ignore[attr-defined]


def test_it_is_asked_to_go_on_once_and_then_repaired(make_run: MakeRun) -> None:
    half, more = GOOD[:40], GOOD[40:60]
    run = make_run(proposer=Cut({FIRST: (half, more, PROSE, GOOD), SECOND: GOOD}, half, more))
    with run.store as store:
        evolve(run)
        assert [c.continues for c in store.completions()[FIRST]] == [False, True, False, False]
        assert [o.candidate.id for o in outcomes(store)] == [FIRST, SECOND]


def test_an_answer_that_was_all_thinking_is_repaired_at_once(make_run: MakeRun) -> None:
    run = make_run(proposer=Cut({FIRST: ("", GOOD), SECOND: GOOD}, ""))
    with run.store as store:
        evolve(run)
        assert [c.continues for c in store.completions()[FIRST]] == [False, False]
        assert "all tokens went into thinking" in store.rejections(every_attempt=True)[0].reason
    assert run.proposer.prompts[2].messages[2].content == "(no text)"  # type: ignore[attr-defined]


class Notes(BestOfN):
    """Asks for one reward, and for a text as the second sample."""

    def propose(self, history: History) -> Sequence[Sample]:
        return [replace(s, answer=AnswerKind.TEXT) if s.id == SECOND else s for s in super().propose(history)]


def test_a_text_that_was_cut_off_goes_on_and_is_no_candidate(make_run: MakeRun) -> None:
    run = make_run(proposer=Cut({FIRST: GOOD, SECOND: ("Keep the pole ", "upright.")}, "Keep the pole "))
    run = replace(run, method=Notes(SearchConfig(), Services(lambda: run.proposer.capabilities)))
    with run.store as store:
        evolve(run)
        assert [c.continues for c in store.completions()[SECOND]] == [False, True]
        assert run.history().text(SECOND) == "Keep the pole upright."
        shown = read_run(store)
    assert [candidate.id for candidate in shown.candidates] == [FIRST]
    assert [answer.text for answer in shown.generations[0].texts] == ["Keep the pole ", "upright."]


# ---- prompts that are too long -----------------------------------------------------------------------------------


class Small(FakeProposer):
    """Takes prompts of at most `longest` characters that are not repairs."""

    longest = 0
    tried: Sequence[Prompt] = ()

    def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
        prompt = next(iter(prompts.values()))
        self.tried = [*self.tried, prompt]
        if sum(len(message.content) for message in prompt.messages) > self.longest:
            raise ContextTooLong("the prompt is longer than the model takes")
        yield from super().sample_each(prompts)


def long_history(make_run: MakeRun) -> tuple[Run, int]:
    """A run before its second generation, with four errors, and the length of the prompt that comes next."""
    texts = ["```js\nx\n```", "```cpp\nx\n```", PROSE, "I'm sorry.", GOOD]
    first = {candidate_id(1, i): text for i, text in enumerate(texts, 1)}
    run = make_run(first, samples=5, generations=2)
    with run.store, pytest.raises(ProposerError, match="no answer for candidate g02"):
        evolve(run)
    second = dict.fromkeys([candidate_id(2, i) for i in range(1, 6)], GOOD)
    run = make_run(proposer=Small({**first, **second}), samples=5, generations=2)
    prompt = prompt_of(run.store, 2)
    assert prompt
    return run, sum(len(message.content) for message in prompt.messages)


@pytest.mark.parametrize(("left_out", "errors"), [(0, 4), (1, 2), (150, 0)])
def test_a_prompt_that_is_too_long_is_shortened(make_run: MakeRun, left_out: int, errors: int) -> None:
    run, length = long_history(make_run)
    run.proposer.longest = length - left_out  # type: ignore[attr-defined]
    with run.store as store:
        evolve(run)
        recorded = prompt_of(store, 2)
    assert recorded
    assert len(recorded.facts.rejected) == errors
    assert recorded.messages == run.proposer.tried[-1].messages  # type: ignore[attr-defined]


def test_after_the_last_shortening_the_error_stands(make_run: MakeRun) -> None:
    run, _ = long_history(make_run)
    with run.store as store:
        with pytest.raises(ContextTooLong):
            evolve(run)
        assert len(run.proposer.tried) == 5  # type: ignore[attr-defined]
        assert [call.candidate_id for call in store.calls_in_flight()] == [candidate_id(2, i) for i in range(1, 6)]


def test_a_repair_that_is_too_long_leaves_the_candidate_rejected(make_run: MakeRun) -> None:
    class NoRepairs(FakeProposer):
        def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
            if _attempt(prompts):
                raise ContextTooLong("too long")
            yield from super().sample_each(prompts)

    run = make_run(proposer=NoRepairs({FIRST: (PROSE,), SECOND: GOOD}))
    with run.store as store:
        assert evolve(run).candidate.id == SECOND
        assert [r.candidate_id for r in store.rejections()] == [FIRST]


def test_a_proposer_that_keeps_silent_is_an_error(make_run: MakeRun) -> None:
    class Silent(FakeProposer):
        def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
            if not _attempt(prompts):
                yield from super().sample_each(prompts)

    run = make_run(proposer=Silent({FIRST: (PROSE,), SECOND: GOOD}))
    with run.store, pytest.raises(ProposerError, match="fake gave no answer for candidate g01-c01"):
        evolve(run)


# ---- any language ------------------------------------------------------------------------------------------------


def test_korean_from_config_to_prompt_and_store(make_run: MakeRun, make_result: Make, tmp_path: Path) -> None:
    sentence = "막대를 수레 위에 똑바로 세워 두세요 — “오래” & <끝까지> {{ 균형 }}."
    hint = "수레를 가운데에 두세요: 50%만 {천천히}"
    folder = tmp_path / "tasks" / "막대"
    folder.mkdir(parents=True)
    original = Path(eureka.tasks.__file__).parent / "cartpole"
    (folder / "env.py").write_bytes((original / "env.py").read_bytes())
    lines = (original / "task.yaml").read_text(encoding="utf-8").split("\n")
    lines[1] = f"  {sentence}"
    (folder / "task.yaml").write_text("\n".join(lines), encoding="utf-8")

    config = compose_config(["task=막대", f"search.hint={hint}"], [folder.parent])
    assert config.search.hint == hint
    task = load_task(config.task, [folder.parent])
    korean = GOOD.replace("pole_angle):", "pole_angle):\n    기울기 = pole_angle").replace("'a'", "'기울기'")
    trainer = ScriptedTrainer(make_result, SCORES)
    trainer.spec = task.spec
    run = make_run({FIRST: korean, SECOND: GOOD}, trainer=trainer, hint=config.search.hint)
    with run.store:
        evolve(run)
    with RunStore.open(run.store.folder, read_only=True) as store:
        prompt = prompt_of(store, 1)
        assert prompt
        assert prompt.facts.hint == hint
        assert sentence in prompt.messages[1].content
        assert hint in prompt.messages[1].content
        assert store.completions()[FIRST][0].text == korean
        assert "기울기 = pole_angle" in store.candidates()[0].source
        assert "기울기" in (store.candidate_folder(FIRST) / "source.py").read_text(encoding="utf-8")
