"""`llm=program_search`: the embedded default proposer. Not a language model: a typed search over reward programs.

It reads the same typed facts as a model would (`PromptFacts`), never the task's sentence or the environment's source.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from random import Random

from eureka.errors import ProposerError
from eureka.llm.program_search_draw import Library, draw_program, library, plain_program
from eureka.llm.program_search_mutate import Proposal, mutate
from eureka.llm.program_search_source import Program, Term, parse, render
from eureka.types import Completion, Prompt, PromptFacts, Reflection

_SAMPLE = re.compile(r"g\d+-c(\d+)")


class ProgramSearch:
    """Proposes sums of shaped State quantities, chosen by unit, shape and frame.

    With `use_probe` it prefers quantities that move with the task metric on sampled states (`PromptFacts.probe`).
    Every proposal is a function of the seed, the candidate id and the prompt's facts: a resumed run proposes the same,
    whichever ids it still has to ask for.
    """

    name = "program_search"
    can_repair = False

    def __init__(self, seed: int, use_probe: bool) -> None:
        self._seed = seed
        self.uses_metric = use_probe

    @property
    def description(self) -> str:
        """One sentence for the user."""
        metric = (
            "it is told which State quantities move with the task metric"
            if self.uses_metric
            else "it has no access to the task metric but through training results"
        )
        return (
            "program_search is not a language model: it searches over reward programs made from the task's State table "
            f"by unit, shape and frame, and cannot read the task's sentence; {metric}."
        )

    def sample(self, prompt: Prompt, candidate_ids: Sequence[str]) -> Iterator[Completion]:
        """One program for each id, in order. Raises ProposerError for a State with nothing that it could reward."""
        facts = prompt.facts
        probe = facts.probe.correlation if facts.probe and self.uses_metric else {}
        lib = library(facts.state, probe)
        if not lib.features:
            raise ProposerError(
                f"The State of task {facts.task} has no field that program_search can make a reward from; give its "
                "fields shapes and units such as m, m/s, rad or 1, or choose a language model (llm=...)."
            )
        proposals: list[Proposal] = []
        generation = self._generation(facts, lib)
        for candidate_id in candidate_ids:
            index = _sample_number(candidate_id)
            proposals += itertools.islice(generation, max(index - len(proposals), 0))
            yield Completion(candidate_id, _answer(proposals[index - 1], lib, facts), model=self.name)

    def _generation(self, facts: PromptFacts, lib: Library) -> Iterator[Proposal]:
        """All candidates of a generation in order, no two the same program and none the parent."""
        reflection = facts.reflection
        parent = _own_program(reflection, lib) if reflection else None
        seen = {parent} if parent else set()
        for index in itertools.count(1):
            for attempt in itertools.count():
                rng = Random(f"{self._seed}/{facts.generation}/{index}/{attempt}")
                if parent and reflection:
                    # A rule that keeps giving a known program makes way for the next one.
                    proposal = mutate(parent, reflection, lib, index + attempt // 4, rng)
                else:
                    proposal = _first(facts, lib, index + attempt, rng)
                if proposal.program not in seen:
                    break
            seen.add(proposal.program)
            yield proposal


def _sample_number(candidate_id: str) -> int:
    match = _SAMPLE.fullmatch(candidate_id)
    if match is None or int(match[1]) < 1:
        raise ProposerError(f"{candidate_id!r} is not a candidate id: expected the form g02-c05, counted from 1.")
    return int(match[1])


def _own_program(reflection: Reflection, lib: Library) -> Program | None:
    """The parent, where it is a program of this search on this State."""
    program = parse(reflection.source)
    if program is None:
        return None
    fields = {f for t in program.terms for f in (t.quantity.field, t.quantity.other) if f}
    return program if fields <= lib.fields else None


def _first(facts: PromptFacts, lib: Library, index: int, rng: Random) -> Proposal:
    if index == 1 and facts.generation == 1:
        return Proposal(plain_program(lib, rng), ("I begin with the plainest reward that this State suggests.",))
    if facts.reflection:
        reason = f"I could not read {facts.reflection.candidate_id} as a sum of simple terms, so I start afresh."
    elif facts.rejected:
        reason = "No earlier candidate could be used, so I start afresh."
    else:
        reason = "I try another combination of terms."
    return Proposal(draw_program(lib, rng), (reason,))


def _answer(proposal: Proposal, lib: Library, facts: PromptFacts) -> str:
    lines = list(proposal.reasons)
    if facts.reflection:
        r = facts.reflection
        lines.insert(0, f"The parent {r.candidate_id} ended at a task metric of {r.metric_final:.3g}.")
    lines += [sentence for term in proposal.program.terms if (sentence := _correlation_sentence(term, lib))]
    return "\n".join(lines) + f"\n\n```python\n{render(proposal.program)}```\n"


def _correlation_sentence(term: Term, lib: Library) -> str:
    feature = lib.feature_of(term.quantity)
    correlation = lib.correlation_of(feature) if feature else 0.0
    if not correlation or not feature or feature.role != "drive":
        return ""
    return f"On sampled states {term.name} has a correlation of {correlation:.2f} with the task metric."
