"""Islands of rewards that evolve apart, with crossover and migration, after REvolve (Hazra et al. 2024, section 4).

Every sample belongs to an island and has its parents from that island alone: one to mutate, or two to combine. Every
few generations the best reward of all becomes a possible parent on every island. Parents are chosen by tournament: the
best of a few rewards drawn uniformly.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from eureka.core.ids import INIT_ID, candidate_id
from eureka.core.types import Sample
from eureka.search.history import History
from eureka.search.methods.base import Method
from eureka.search.outcomes import Outcome, incumbent, ranked

ISLANDS = 3
MIGRATION_EVERY = 2
"""Number of generations between migrations."""
CROSSOVER_SHARE = 0.5
"""Share of crossovers among the samples of an island that has at least two rewards."""
TOURNAMENT = 2
"""Tournament size: number of rewards drawn for each parent."""
ISLAND = "island"
"""Name of the note that says which island a sample belongs to, counted from 1."""


class Islands(Method):
    """Gives each sample of a generation parents from its own island, and so a prompt of its own."""

    def propose(self, history: History) -> Sequence[Sample]:
        """A person's reward to start from, then a generation's samples, distributed over the islands."""
        if given := self.given(history):
            return given
        if self.has_asked(history):
            return []
        return [self._sample(history, number) for number in range(1, history.budget.samples + 1)]

    def _sample(self, history: History, number: int) -> Sample:
        island = (number - 1) % min(ISLANDS, history.budget.samples) + 1
        parents = self._parents(history, island, history.rng(f"islands/{history.generation}/{number}"))
        return Sample(
            id=candidate_id(history.generation, number),
            facts=self.facts(history, parents),
            template="crossover.jinja2" if len(parents) > 1 else "user.jinja2",
            parents=tuple(parent.candidate.id for parent in parents),
            ending=self.vary(number, history.budget.samples),
            notes={ISLAND: str(island)},
        )

    def _parents(self, history: History, island: int, rng: Random) -> list[Outcome]:
        """The parents of one sample: none if the island has no reward yet, else one, or two different ones."""
        residents = self.residents(history, island)
        if not residents:
            return []
        first = _tournament(residents, rng)
        others = [resident for resident in residents if resident is not first]
        if others and rng.random() < CROSSOVER_SHARE:
            return [first, _tournament(others, rng)]
        return [first]

    def residents(self, history: History, island: int) -> list[Outcome]:
        """The possible parents of an island: its own rewards, a person's reward, and after a migration the best of
        all."""
        found = self.readable(history)
        own = [o for o in found if o.candidate.id == INIT_ID or self._island(history, o) == island]
        best = incumbent(found)
        migrates = history.generation > 1 and (history.generation - 1) % MIGRATION_EVERY == 0
        if migrates and best is not None and best not in own:
            own.append(best)
        return own

    def _island(self, history: History, outcome: Outcome) -> int:
        return int(history.samples[outcome.candidate.id][0].notes.get(ISLAND, "0"))


def _tournament(outcomes: Sequence[Outcome], rng: Random) -> Outcome:
    drawn = rng.sample(list(outcomes), min(TOURNAMENT, len(outcomes)))
    return ranked(drawn)[0]
