"""What prompts cost by generation: as many ideas as there would be, and never more tokens than given."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import prompt_tokens  # noqa: E402


def test_ideas_of_all_generations_before_are_told() -> None:
    spec, facts, _ = prompt_tokens.read_run(prompt_tokens.RUN)
    assert prompt_tokens.facts_at(spec, facts, 1, 16).ideas == ()
    told = prompt_tokens.facts_at(spec, facts, 4, 3).ideas
    assert [idea.candidate_id for idea in told] == [f"g{g:02d}-c{c:02d}" for g in (1, 2, 3) for c in (1, 2, 3)]


def test_a_row_says_what_is_left_out() -> None:
    spec, facts, ending = prompt_tokens.read_run(prompt_tokens.RUN)
    row = prompt_tokens.row(spec, prompt_tokens.facts_at(spec, facts, 5, 16), 12_000, ending)
    cells = [cell.strip() for cell in row.split("|")]
    generation, ideas, would, is_ = (int(cell.replace(",", "")) for cell in cells[1:5])
    assert (generation, ideas) == (5, 64)
    assert is_ <= 12_000 < would
    assert int(cells[5]) < 64
