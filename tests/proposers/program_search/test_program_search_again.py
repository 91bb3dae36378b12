"""Asked again about a candidate, program_search proposes another program, and always the same other one."""

from dataclasses import replace

from eureka.core.ids import candidate_id
from eureka.core.types import FieldSpec, Prompt, PromptFacts
from eureka.proposers.program_search.proposer import ProgramSearch

STATE = (
    FieldSpec("speed", (), "float32", "m/s", "world", ""),
    FieldSpec("height", (), "float32", "m", "world", ""),
    FieldSpec("action", (4,), "float32", "1", "joint", ""),
)
IDS = [candidate_id(1, sample) for sample in range(1, 9)]
FIRST = Prompt((), PromptFacts(task="t", seed=3, generation=1, state=STATE))


def again(identity: str, attempt: int) -> str:
    prompt = replace(FIRST, facts=replace(FIRST.facts, attempt=attempt))
    (completion,) = ProgramSearch(3, False).sample_each(dict.fromkeys([identity], prompt))
    assert completion.candidate_id == identity
    return completion.text.partition("```")[2]


def test_another_one_and_always_the_same() -> None:
    search = ProgramSearch(3, False)
    assert search.capabilities.can_repair
    first = {c.candidate_id: c.text.partition("```")[2] for c in search.sample_each(dict.fromkeys(IDS, FIRST))}
    second = {identity: again(identity, 1) for identity in IDS}
    third = {identity: again(identity, 2) for identity in IDS}
    assert not set(first.values()) & (set(second.values()) | set(third.values()))
    assert len(set(second.values()) | set(third.values())) == 2 * len(IDS)
    assert second == {identity: again(identity, 1) for identity in IDS}


def test_each_of_several_repairs_is_its_own() -> None:
    prompts = {name: replace(FIRST, facts=replace(FIRST.facts, attempt=1)) for name in IDS[:2]}
    answers = list(ProgramSearch(3, False).sample_each(prompts))
    assert [c.candidate_id for c in answers] == IDS[:2]
    assert [c.text.partition("```")[2] for c in answers] == [again(name, 1) for name in IDS[:2]]
