"""What a part of a prompt is worth: the table of sets of answers, by hand, and what is recorded of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from eureka.core.serialize import dumps, loads

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import prompt_parts  # noqa: E402
from prompt_parts import EVERYTHING, PARTS, Answers, PartsStudy, lines  # noqa: E402


def answers(task: str, part: str, *scores: tuple[float, ...]) -> Answers:
    return Answers(task, part, 1000, {f"g01-c{number:02d}": each for number, each in enumerate(scores, start=1)})


def test_a_part_is_worth_what_the_answers_lose_without_it() -> None:
    whole = answers("a", EVERYTHING, (2.0, 2.0), (2.0, 2.0))
    without = answers("a", "no-jobs", (0.5, 1.5), ())  # the second was rejected and counts as 0
    rows = lines(PartsStudy((whole, without)))
    assert rows[2] == "| a | nothing | 2.000 | 2.000 | |"
    # 2 less (1 + 0) / 2
    assert rows[3].startswith(f"| a | {PARTS['no-jobs']} | 0.500 | 1.000 | 1.50 [")
    assert len(rows) == 4  # one task: nothing to pool


def test_tasks_are_pooled_in_shares_of_their_best_answers() -> None:
    sets = (
        answers("a", EVERYTHING, (4.0,), (2.0,)),
        answers("a", "no-eyes", (2.0,), (2.0,)),
        answers("b", EVERYTHING, (0.1,), (0.1,)),
        answers("b", "no-eyes", (0.2,), (0.2,)),
    )
    pooled = lines(PartsStudy(sets))[-1]
    # Shares of 4 and 0.2: 1, 0.5, 0.5, 0.5 with it, and 0.5, 0.5, 1, 1 without.
    assert pooled.startswith(f"| all, in shares of the task's best answer | {PARTS['no-eyes']} | | | -0.12 [")


def test_a_study_is_kept() -> None:
    study = PartsStudy((answers("a", EVERYTHING, (1.0, 2.0), ()),))
    assert loads(PartsStudy, dumps(study)) == study


@pytest.mark.parametrize("task", prompt_parts.STEPS)
def test_every_set_has_eight_answers_and_what_was_asked(task: str) -> None:
    for part in (EVERYTHING, *PARTS):
        folder = prompt_parts.RECORDED / task / part
        names = {f"g01-c{number:02d}.md" for number in range(1, prompt_parts.ANSWERS + 1)}
        assert {path.name for path in folder.glob("*.md")} == names
        assert {path.name for path in (folder / "prompts").glob("*.md")} == {*names, "g01.md"}


@pytest.mark.parametrize("task", prompt_parts.STEPS)
def test_prompts_lack_their_part_and_nothing_else(task: str) -> None:
    def asked(part: str) -> str:
        return (prompt_parts.RECORDED / task / part / "prompts" / "g01.md").read_text()

    whole = asked(EVERYTHING)
    assert asked("no-jobs") == whole
    for part, told in (("no-eyes", "evaluation episodes of the trained"), ("no-advice", "What these numbers say.")):
        assert told in whole
        assert told not in asked(part)
        kept = iter(whole.splitlines())
        assert all(line in kept for line in asked(part).splitlines())  # in the same order
