"""`llm=program_search`: the embedded default proposer, a typed search over reward programs without a language model.

It reads the same typed facts as a model (`PromptFacts`), never the task's sentence or the environment's source.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from eureka.config import ProposerConfig, RunConfig
from eureka.core.errors import ProposerError
from eureka.core.ids import sample_of
from eureka.core.types import Completion, Prompt, PromptFacts, Reflection
from eureka.proposers.base import Proposer, ProposerCapabilities
from eureka.proposers.program_search.draw import Library, draw_program, library, plain_program
from eureka.proposers.program_search.mutate import Proposal, mutate
from eureka.proposers.program_search.source import Program, Term, parse, render
from eureka.proposers.provider import Provider

_SIBLINGS = 16
"""Number of samples of a generation that a further proposal must differ from."""


@dataclass(frozen=True)
class ProgramSearchConfig(ProposerConfig):
    """`llm=program_search`: a typed search over reward programs, no language model."""

    name: str = "program_search"
    """The choice."""
    use_probe: bool = True
    """Whether it may see which State columns move with the metric on sampled states (printed and stored)."""


class ProgramSearch:
    """Proposes sums of shaped State quantities, chosen by unit, shape and frame.

    A repair of a candidate is a new proposal in its place.

    With `use_probe` it prefers quantities correlated with the task metric on sampled states (`PromptFacts.probe`).
    Every proposal is a function of the seed, the candidate id and the prompt's facts: a resumed run proposes the same,
    whichever ids it still has to ask for.
    """

    name = "program_search"

    def __init__(self, seed: int, use_probe: bool) -> None:
        self._seed = seed
        self.capabilities = ProposerCapabilities(uses_metric=use_probe, can_repair=True, varies=True, reads=_reads)

    @property
    def description(self) -> str:
        """One sentence for the user."""
        metric = (
            "it is told which State quantities move with the task metric"
            if self.capabilities.uses_metric
            else "it has no access to the task metric but through training results"
        )
        return (
            "program_search is not a language model: it searches over reward programs made from the task's State table "
            f"by unit, shape and frame, and cannot read the task's sentence; {metric}."
        )

    def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
        """One program for each id, in order. Raises ProposerError for a State without a quantity to reward."""
        for facts, ids in _by_facts(prompts):
            yield from self._generation(facts, ids)

    def _generation(self, facts: PromptFacts, candidate_ids: Sequence[str]) -> Iterator[Completion]:
        probe = facts.probe.correlation if facts.probe and self.capabilities.uses_metric else {}
        lib = library(facts.state, probe)
        if not lib.features:
            raise ProposerError(
                f"The State of task {facts.task} has no field that program_search can make a reward from; give its "
                "fields shapes and units such as m, m/s, rad or 1, or choose a language model (llm=...)."
            )
        generation = _Generation(self._seed, facts, lib)
        for candidate_id in candidate_ids:
            index = sample_of(candidate_id)
            proposal = generation.again(index, facts.attempt) if facts.attempt else generation.first(index)
            yield Completion(candidate_id, _answer(proposal, lib, facts), model=self.name)


def _reads(source: str) -> bool:
    """Whether a source is a sum of simple terms, the only form that it can change."""
    return parse(source) is not None


def _by_facts(prompts: Mapping[str, Prompt]) -> list[tuple[PromptFacts, list[str]]]:
    """The ids grouped by equal facts: the proposals of a group are drawn together, so that no two are alike."""
    groups: list[tuple[PromptFacts, list[str]]] = []
    for candidate_id, prompt in prompts.items():
        ids = next((ids for facts, ids in groups if facts == prompt.facts), None)
        if ids is None:
            groups.append((prompt.facts, [candidate_id]))
        else:
            ids.append(candidate_id)
    return groups


class _Generation:
    """The proposals of a generation: no two the same program, and none the parent."""

    def __init__(self, seed: int, facts: PromptFacts, lib: Library) -> None:
        self._seed = seed
        self._facts = facts
        self._lib = lib
        self._parent = _own_program(facts.reflection, lib) if facts.reflection else None
        self._seen = {self._parent} if self._parent else set()
        self._proposals: list[Proposal] = []

    def first(self, index: int) -> Proposal:
        """The first proposal for sample `index`, counted from 1."""
        while len(self._proposals) < index:
            number = len(self._proposals) + 1
            self._proposals.append(self._drawn(number, str(number)))
        return self._proposals[index - 1]

    def again(self, index: int, attempt: int) -> Proposal:
        """Another proposal for a sample whose earlier ones were not usable."""
        self.first(max(index, _SIBLINGS))
        return self._drawn(index + attempt, f"{index}/again{attempt}")

    def _drawn(self, index: int, key: str) -> Proposal:
        reflection = self._facts.reflection
        for attempt in itertools.count():
            rng = Random(f"{self._seed}/{self._facts.generation}/{key}/{attempt}")
            if self._parent and reflection:
                # A rule that keeps proposing known programs is replaced by the next one.
                proposal = mutate(self._parent, reflection, self._lib, index + attempt // 4, rng)
            else:
                proposal = _first(self._facts, self._lib, index + attempt, rng)
            if proposal.program not in self._seen:
                self._seen.add(proposal.program)
                return proposal
        raise AssertionError("itertools.count ended")


def _own_program(reflection: Reflection, lib: Library) -> Program | None:
    """The parent, if it is a program of this search on this State."""
    program = parse(reflection.source)
    if program is None:
        return None
    return program if lib.fields.issuperset(program.fields) else None


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
        judged = "a task metric" if facts.has_metric else "a preference score"
        lines.insert(0, f"The parent {r.candidate_id} ended at {judged} of {r.metric_final:.3g}.")
    if facts.feedback:
        lines.insert(0, _feedback_sentence(facts))
    lines += [sentence for term in proposal.program.terms if (sentence := _correlation_sentence(term, lib))]
    return "\n".join(lines) + f"\n\n```python\n{render(proposal.program)}```\n"


def _feedback_sentence(facts: PromptFacts) -> str:
    said = facts.feedback[0]
    if facts.reflection is not None and said.best == facts.reflection.candidate_id:
        chose = f"A person chose the parent, {said.best}."
    elif said.best is not None:
        chose = f"A person chose {said.best}, and I go on from another, which I can read."
    else:
        chose = "A person judged the policies and chose none of them as the parent."
    return f"{chose} I cannot read what they wrote." if said.text else chose


def _correlation_sentence(term: Term, lib: Library) -> str:
    feature = lib.feature_of(term.quantity)
    correlation = lib.correlation_of(feature) if feature else 0.0
    if not correlation or not feature or feature.role != "drive":
        return ""
    return f"On sampled states {term.name} has a correlation of {correlation:.2f} with the task metric."


def _make(config: RunConfig) -> Proposer:
    assert isinstance(config.llm, ProgramSearchConfig)
    return ProgramSearch(config.seed, config.llm.use_probe)


def _without_probe(llm: ProgramSearchConfig) -> ProgramSearchConfig:
    return replace(llm, use_probe=False)


PROVIDER = Provider(
    config=ProgramSearchConfig,
    make=_make,
    without_metric=_without_probe,
    fallback=ProgramSearchConfig(use_probe=False),
)
