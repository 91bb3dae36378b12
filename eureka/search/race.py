"""Choosing the best of a generation under noise: a race for training steps.

One training of one seed says little: the spread over seeds is as large as that over rewards. So every candidate first
gets a short training, the better half a longer one, and so on (successive halving, Jamieson & Talwalkar 2016); those
that reach the full length and are not clearly worse than the leader get further seeds (a race in the sense of Maron &
Moore 1997), until the generation's budget of steps is spent or one is left. Trainings are continued, not repeated
(`eureka.trainers.population.continuing`), so a winning candidate costs one full training per seed.

Steps may be counted in any unit; the search counts evaluations, which are evenly spaced (`eureka.search.racing`).

A race keeps no state: what to train next follows from the recorded trainings, so a killed run continues with the same
decisions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from types import MappingProxyType

Evidence = Mapping[str, Mapping[int, Mapping[int, float]]]
"""Scores by candidate, seed and number of training steps."""


@dataclass(frozen=True)
class RaceTraining:
    """A training that the race asks for: `steps` in total, of which `new_steps` are still to be trained."""

    candidate: str
    seed: int
    steps: int
    new_steps: int


@dataclass(frozen=True)
class Champion:
    """The candidate that leads after a race, and the number of its seeds."""

    candidate: str
    num_seeds: int


@dataclass(frozen=True)
class RaceState:
    """The state of a race.

    `trainings` are to be run next, together; empty if the race is over. `ranked` are the candidates with the longest
    training that do not clearly differ by `num_seeds` seeds at `steps`, best first.
    """

    trainings: tuple[RaceTraining, ...]
    ranked: tuple[str, ...]
    steps: int
    num_seeds: int


@dataclass(frozen=True)
class Race:
    """The rules of a race. The recorded trainings are passed to each call.

    Args:
        rungs: lengths of training in steps, rising; the last is the full one.
        seeds: the seeds of every candidate, in order.
        budget: steps to be spent on all candidates, further seeds included.
        kept: the share of candidates that continues from one rung to the next.
        width: how many standard errors a mean may be off, for two candidates to count as not clearly different.
        first_seeds: how many of the seeds every candidate has on the rungs.
    """

    rungs: tuple[int, ...]
    seeds: tuple[int, ...]
    budget: int
    kept: float = 0.5
    width: float = 1.0
    first_seeds: int = 1

    def state(self, field: Sequence[str], evidence: Evidence, champion: Champion | None = None) -> RaceState:
        """The next trainings and the leading candidates, given the trainings so far.

        Args:
            field: the candidates that started the race and have not been rejected since.
            evidence: every training so far; a longer one also has the scores at the rungs that it passed.
            champion: the winner of an earlier race, which joins the candidates that reach the full length. Its mean
                is over all the seeds that it was trained with there, so that no single lucky or unlucky seed decides;
                these trainings cost this race nothing.
        """
        running, spent, before, first = sorted(field), 0, 0, self.first_seeds
        known = {champion.candidate: champion.num_seeds} if champion is not None else {}
        for steps in self.rungs:
            kept = max(2, math.ceil(self.kept * len(running)))
            if steps != self.rungs[-1] and kept >= len(running):
                continue  # with one rung, no candidate would be stopped early
            wanted = self._missing(running, evidence, self.seeds[:first], steps, steps - before)
            if wanted:
                return RaceState(wanted, tuple(running), before, first)
            spent += (steps - before) * len(running) * first
            running = self._ranked(running, evidence, steps, first)
            if steps != self.rungs[-1]:
                running, before = running[:kept], steps
        if champion is not None:
            running = self._ranked([*running, champion.candidate], evidence, self.rungs[-1], first, known)
        return self._further_seeds(running, evidence, self.budget - spent, known)

    def _further_seeds(self, running: list[str], evidence: Evidence, left: int, known: Mapping[str, int]) -> RaceState:
        """One more seed for each candidate that is not clearly worse than the leader, repeated while the budget lasts.

        If it does not last for all of them, the best ones get a seed.
        """
        full = self.rungs[-1]
        for number in range(self.first_seeds, len(self.seeds)):
            contenders = self._contenders(running, evidence, number, known)
            free = {name for name in contenders if number < known.get(name, 0)}
            paid = [name for name in contenders if name not in free][: max(left // full, 0)]
            contenders = [name for name in contenders if name in free or name in paid]
            if len(contenders) < 2:
                return RaceState((), tuple(running), full, number)
            new = self._missing(contenders, evidence, self.seeds[number : number + 1], full, full)
            left -= full * len(paid)
            if new:
                return RaceState(new, tuple(contenders), full, number)
            running = self._ranked(contenders, evidence, full, number + 1, known)
        return RaceState((), tuple(running), full, len(self.seeds))

    def _missing(
        self, names: Sequence[str], evidence: Evidence, seeds: Sequence[int], steps: int, new_steps: int
    ) -> tuple[RaceTraining, ...]:
        return tuple(
            RaceTraining(name, seed, steps, new_steps)
            for name in names
            for seed in seeds
            if steps not in evidence.get(name, {}).get(seed, {})
        )

    def _rows(
        self, name: str, evidence: Evidence, num_seeds: int, known: Mapping[str, int]
    ) -> list[Mapping[int, float]]:
        """A candidate's scores by steps, for each seed that counts: the first `num_seeds`, or all that are known."""
        return [evidence[name][seed] for seed in self.seeds[: max(num_seeds, known.get(name, 0))]]

    def _ranked(
        self,
        names: Sequence[str],
        evidence: Evidence,
        steps: int,
        num_seeds: int,
        known: Mapping[str, int] = MappingProxyType({}),
    ) -> list[str]:
        """`names` by mean score, best first; ties go to the candidate with the higher scores earlier in training."""

        def key(name: str) -> tuple[float, float, str]:
            rows = self._rows(name, evidence, num_seeds, known)
            on_the_way = fmean(score for row in rows for at, score in row.items() if at <= steps)
            return -fmean(row[steps] for row in rows), -on_the_way, name

        return sorted(names, key=key)

    def _contenders(
        self, ranked: Sequence[str], evidence: Evidence, num_seeds: int, known: Mapping[str, int]
    ) -> list[str]:
        """The candidates of `ranked` whose mean is not clearly below the leader's.

        The noise of one seed is pooled over all of them, with a prior of 15% of the leader's score that weighs as much
        as two trainings (about the spread measured for Ant).
        """
        full = self.rungs[-1]
        scores = {name: [row[full] for row in self._rows(name, evidence, num_seeds, known)] for name in ranked}
        means = {name: fmean(row) for name, row in scores.items()}
        best = means[ranked[0]]
        squares = sum((score - means[name]) ** 2 for name, row in scores.items() for score in row)
        degrees = sum(len(row) - 1 for row in scores.values())
        noise = math.sqrt((2 * (0.15 * best) ** 2 + squares) / (2 + degrees))
        # The difference of two means has twice the variance of one.
        reach = self.width * noise * math.sqrt(2 / num_seeds)
        return [name for name in ranked if means[name] >= best - reach]
