"""The two proposers that only give back what they were given."""

from dataclasses import replace
from pathlib import Path

import pytest

from eureka.app.configs import compose_config
from eureka.core.costs import Usage
from eureka.core.errors import ConfigError, ProposerError
from eureka.core.types import Completion, Prompt, PromptFacts
from eureka.proposers.base import FakeProposer, Proposer
from eureka.proposers.program_search.proposer import ProgramSearch
from eureka.proposers.replay import PROVIDER, Replay

PROMPT = Prompt((), PromptFacts("none", 0, 1, ()))


def test_all_of_them_are_proposers() -> None:
    proposers: list[Proposer] = [FakeProposer({}), Replay({}, uses_metric=False), ProgramSearch(0, use_probe=True)]
    assert [(p.name, p.capabilities.uses_metric) for p in proposers] == [
        ("fake", False),
        ("replay", False),
        ("program_search", True),
    ]
    assert all(p.description.endswith(".") for p in proposers)


def test_fake_answers_by_id_and_remembers_prompts() -> None:
    fake = FakeProposer({"g01-c01": "one", "g01-c02": "two"})
    answers = list(fake.sample_each(dict.fromkeys(["g01-c02", "g01-c01"], PROMPT)))
    assert [(c.candidate_id, c.text) for c in answers] == [("g01-c02", "two"), ("g01-c01", "one")]
    assert fake.prompts == [PROMPT, PROMPT]
    with pytest.raises(ProposerError, match="g01-c03"):
        list(fake.sample_each(dict.fromkeys(["g01-c03"], PROMPT)))


def test_replay_gives_back_the_record_until_it_ends() -> None:
    recorded = Completion("g01-c01", "text", "some-model", Usage(10, 20))
    replay = Replay({"g01-c01": (recorded,)}, uses_metric=False)
    answers = replay.sample_each(dict.fromkeys(["g01-c01", "g02-c01"], PROMPT))
    assert next(answers) is recorded
    assert not replay.capabilities.can_repair
    with pytest.raises(ProposerError, match=r"no answer for candidate g02-c01 \(it has 1\); ask for no more"):
        next(answers)


def test_replay_gives_back_repairs_by_attempt() -> None:
    first, second = Completion("g01-c01", "bad", "m"), Completion("g01-c01", "good", "m", attempt=1)
    replay = Replay({"g01-c01": (first, second)}, uses_metric=False)
    assert replay.capabilities.can_repair
    again = replace(PROMPT, facts=replace(PROMPT.facts, attempt=1))
    assert list(replay.sample_each(dict.fromkeys(["g01-c01"], again))) == [second]
    once_more = replace(PROMPT, facts=replace(PROMPT.facts, attempt=2))
    with pytest.raises(ProposerError, match=r"gave 2 answers for candidate g01-c01.*search\.repairs"):
        next(replay.sample_each(dict.fromkeys(["g01-c01"], once_more)))


def test_fake_answers_by_attempt() -> None:
    fake = FakeProposer({"g01-c01": ("bad", "good"), "g01-c02": "one"})
    assert fake.capabilities.can_repair
    assert not FakeProposer({"g01-c02": "one"}).capabilities.can_repair
    texts = [
        [
            c.text
            for c in fake.sample_each(
                dict.fromkeys(["g01-c01", "g01-c02"], replace(PROMPT, facts=replace(PROMPT.facts, attempt=n)))
            )
        ]
        for n in (0, 1, 2)
    ]
    assert texts == [["bad", "one"], ["good", "one"], ["good", "one"]]


def test_a_folder_of_answers_is_replayed(tmp_path: Path) -> None:
    for name in ("g01-c01", "g01-c02"):
        (tmp_path / f"{name}.md").write_text(f"answer of {name}", encoding="utf-8")
    (tmp_path / "g01.md").write_text("no candidate's", encoding="utf-8")
    given = ["task=cartpole", "llm=replay", f"llm.run={tmp_path}", "search.generations=1"]
    replay = PROVIDER.make(compose_config([*given, "search.samples=2"]))
    answers = replay.sample_each(dict.fromkeys(["g01-c02", "g01-c01"], PROMPT))
    assert [answer.text for answer in answers] == ["answer of g01-c02", "answer of g01-c01"]
    assert not replay.capabilities.can_repair
    with pytest.raises(ConfigError, match="has answers for 2 candidates and none for g01-c03"):
        PROVIDER.make(compose_config([*given, "search.samples=3"]))
    (tmp_path / "g01-c02.md").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"g01-c02\.md cannot be read as text"):
        PROVIDER.make(compose_config([*given, "search.samples=2"]))
