"""What does a prompt cost, generation by generation, and what does the budget of `search.prompt_tokens` leave out?

    python benchmarks/prompt_tokens.py [--samples 16] [--generations 5] [--tokens 12000]

The facts are those of a generation of a real search (tests/prompts/runs), whose ideas are told as often as a search of
so many samples would have had by then. Tokens are estimates, 3.5 bytes each. Prints the table of docs/results.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
from dataclasses import replace
from pathlib import Path

from eureka.core.serialize import read_data
from eureka.core.types import PromptFacts, TaskSpec
from eureka.prompts import render_prompt
from eureka.proposers.tokens import token_estimate
from eureka.search.telling import task_facts, within

RUN = Path(__file__).parents[1] / "tests" / "prompts" / "runs" / "swingup_generation_3.json"


def read_run(path: Path) -> tuple[TaskSpec, PromptFacts, str]:
    """The task, the facts of a generation's prompt, and the longest of its samples' endings."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    longest = max(kept["endings"].values(), key=len)
    return read_data(TaskSpec, kept["spec"]), read_data(PromptFacts, kept["facts"]), longest


def facts_at(spec: TaskSpec, facts: PromptFacts, generation: int, samples: int) -> PromptFacts:
    """The facts of a generation's prompt in a search with this number of samples: none at first, then all earlier
    ideas.
    """
    if generation == 1:
        return task_facts(spec, facts.seed, 1, facts.hint, facts.training_steps, facts.random_ranges)
    ids = (f"g{block:02d}-c{sample:02d}" for block in range(1, generation) for sample in range(1, samples + 1))
    ideas = tuple(
        replace(idea, candidate_id=name) for name, idea in zip(ids, itertools.cycle(facts.ideas), strict=False)
    )
    return replace(facts, generation=generation, ideas=ideas)


def row(spec: TaskSpec, whole: PromptFacts, tokens: int, ending: str) -> str:
    """One line of the table; a prompt that tells of earlier rewards ends with `ending`."""
    told = within(spec, whole, tokens)
    reflections = [r for r in (told.reflection, *told.further_parents, *told.failures) if r is not None]
    written = sum(any(idea.components.values()) for idea in told.ideas)
    with_tables = sum(any(episode.fields for episode in reflection.episodes) for reflection in reflections)
    ending = ending if told.ideas else ""
    would, is_ = (token_estimate(render_prompt(spec, facts, ending=ending).sent) for facts in (whole, told))
    left = f"{written} | {with_tables} of {len(reflections)}" if told.ideas else "- | -"
    return f"| {whole.generation} | {len(told.ideas)} | {would:,} | {is_:,} | {left} |"


def main() -> None:
    """Print the table, as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--generations", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=12_000, help="of search.prompt_tokens")
    options = parser.parse_args()
    spec, facts, ending = read_run(RUN)
    print("| generation | ideas told | would be | is | expressions left | episodes' tables left |")
    print("| --- | --- | --- | --- | --- | --- |")
    for generation in range(1, options.generations + 1):
        print(row(spec, facts_at(spec, facts, generation, options.samples), options.tokens, ending))


if __name__ == "__main__":
    main()
