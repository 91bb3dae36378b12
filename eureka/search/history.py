"""The input of a search method: an immutable snapshot of the run, made once for each step of the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random

from eureka.core.errors import StoreError
from eureka.core.ids import generation_of
from eureka.core.training import TrainingLength, TrainingResult
from eureka.core.types import (
    Candidate,
    Completion,
    Feedback,
    Origin,
    Phase,
    Rejected,
    Reward,
    Sample,
    Selection,
    TaskSpec,
)
from eureka.search.outcomes import Outcome, by_candidate, make_outcomes
from eureka.search.preferences import bradley_terry, comparisons
from eureka.store import RunStore

SEED_STRIDE = 100
"""The seeds of a generation lie so far above those of the one before."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Limits on what a search may spend.

    Attributes:
        generations, samples: generations, and candidates in each.
        length: of each candidate's complete training.
        training_seeds: number of trainings (seeds) of every candidate.
        seed_stride: the difference between the seeds of a generation and those of the one before; 0: all have the same.
        retrained: number of leading candidates that are trained again, with as many further seeds, before the next
            generation builds on them.
        finalists, confirmation_seeds: number of candidates trained again after the last generation, and with how many
            further seeds.
        repairs: how often one rejected candidate may be asked about again in its generation.
        target: a score that is good enough: after it was reached, no further generation is started.
    """

    generations: int
    samples: int
    length: TrainingLength
    training_seeds: int = 1
    seed_stride: int = 0
    retrained: int = 0
    finalists: int = 1
    confirmation_seeds: int = 0
    repairs: int = 0
    target: float | None = None


@dataclass(frozen=True, kw_only=True)
class History:
    """Everything recorded of a run so far, by candidate id.

    Attributes:
        samples: requests to the proposer, and sources given by a person, each candidate's attempts in order.
        answers: the proposer's answers, each candidate's attempts in order.
        candidates, rejections, rewards: the result of each candidate's newest answer, by stage.
        every_rejection: all rejections, including those of earlier attempts, in order of ids and attempts.
        results: trainings in order of seeds, without their policies.
        hint: a person's hint, added to every prompt.
        start: source of the reward that a person gave to start from; empty if none was given.
    """

    spec: TaskSpec
    budget: Budget
    seed: int
    phase: Phase
    samples: Mapping[str, tuple[Sample, ...]]
    answers: Mapping[str, tuple[Completion, ...]]
    candidates: Mapping[str, Candidate]
    rejections: Mapping[str, Rejected]
    every_rejection: tuple[Rejected, ...]
    rewards: Mapping[str, Reward]
    results: Mapping[str, tuple[TrainingResult, ...]]
    feedback: tuple[Feedback, ...] = ()
    selections: tuple[Selection, ...] = ()
    hint: str = ""
    start: str = ""

    @cached_property
    def generation(self) -> int:
        """The number of the current generation, or of the next one if none is in progress."""
        return max((s.generation for s in self.selections if s.phase is Phase.SEARCH), default=0) + 1

    def first_seed(self, candidate_id: str) -> int:
        """The first of the seeds that a candidate is trained with during the search.

        Every generation has seeds of its own (but for runs of versions that had the same in all). Otherwise a reward
        whose high score is the luck of a seed is mutated into rewards with the same luck.
        """
        return self.seed + self.budget.seed_stride * (generation_of(candidate_id) - 1)

    def seeds(self, candidate_id: str) -> range:
        """The seeds that a candidate is trained with during the search."""
        first = self.first_seed(candidate_id)
        return range(first, first + self.budget.training_seeds)

    @property
    def leader_seeds(self) -> range:
        """The seeds that the current generation's leading candidates are trained again with."""
        budget = self.budget
        first = self.seed + budget.seed_stride * (self.generation - 1)
        first += budget.training_seeds + 2 * budget.confirmation_seeds
        return range(first, first + budget.training_seeds)

    @property
    def further_seeds(self) -> range:
        """The seeds that all finalists are trained with after the last generation.

        No candidate was trained with them before: those of a race (`eureka.search.racing`) are lower.
        """
        first = self.seed + self.budget.training_seeds + self.budget.confirmation_seeds
        return range(first, first + self.budget.confirmation_seeds)

    @property
    def is_over(self) -> bool:
        """Whether no further generation is wanted."""
        stopped = any(selection.stop for selection in self.selections if selection.phase is Phase.SEARCH)
        return stopped or self.generation > self.budget.generations

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every candidate that has been trained and not been rejected since, in order of ids."""
        return make_outcomes(self.candidates, self.results, self.rejections, self.preferences)

    @cached_property
    def preferences(self) -> Mapping[str, float] | None:
        """Scores by a person's preferences, for a task without a metric; None where it has one."""
        return None if self.spec.has_metric else bradley_terry(comparisons(self.feedback))

    def is_tuned(self, name: str) -> bool:
        """Whether a candidate was made from another one by changing its constants."""
        return any(sample.origin is Origin.TUNED for sample in self.samples.get(name, ())[:1])

    def of_generation(self, generation: int) -> list[Outcome]:
        """The outcomes of one generation."""
        return [outcome for outcome in self.outcomes if generation_of(outcome.candidate.id) == generation]

    def outcome(self, candidate_id: str | None) -> Outcome | None:
        """The outcome of one candidate; None where it has none."""
        return next((outcome for outcome in self.outcomes if outcome.candidate.id == candidate_id), None)

    def parents(self, candidate_id: str) -> tuple[str, ...]:
        """The candidates that a candidate's first prompt built on."""
        samples = self.samples.get(candidate_id, ())
        return samples[0].parents if samples else ()

    def text(self, candidate_id: str) -> str:
        """The complete answer to a sample, joined with its continuation if it was cut off; empty without an answer."""
        return "".join(answer.text for answer in self.answers.get(candidate_id, ()))

    def unanswered(self) -> list[Sample]:
        """Samples without an answer, in order of ids: either all first attempts, or all further ones.

        A reward given by a person or made by tuning is among them until its source is recorded as its answer.
        """
        waiting = [
            attempts[-1]
            for name, attempts in self.samples.items()
            if len(self.answers.get(name, ())) <= attempts[-1].attempt and not attempts[-1].given_up
        ]
        first = [sample for sample in waiting if sample.attempt == 0]
        return first or waiting

    def rng(self, key: str) -> Random:
        """A random generator for the method's use, the same in every process for the same seed and key."""
        return Random(f"{self.seed}/{key}")


def read_history(
    store: RunStore,
    spec: TaskSpec,
    budget: Budget,
    seed: int,
    *,
    phase: Phase = Phase.SEARCH,
    hint: str = "",
    start: str = "",
) -> History:
    """A snapshot of the run from the current content of its store.

    Raises:
        StoreError: the store cannot be read.
    """
    samples: dict[str, tuple[Sample, ...]] = {}
    for sample in store.samples():
        samples[sample.id] = (*samples.get(sample.id, ()), sample)
    answers = store.completions()
    rewards = {reward.candidate_id: reward for reward in store.rewards()}
    _require_whole(store, samples, answers, rewards)
    return History(
        spec=spec,
        budget=budget,
        seed=seed,
        phase=phase,
        samples=samples,
        answers=answers,
        candidates={candidate.id: candidate for candidate in store.candidates()},
        rejections={rejected.candidate_id: rejected for rejected in store.rejections()},
        every_rejection=tuple(store.rejections(every_attempt=True)),
        rewards=rewards,
        results=by_candidate(store.results()),
        feedback=tuple(store.feedback()),
        selections=tuple(store.selections()),
        hint=hint,
        start=start,
    )


def _require_whole(
    store: RunStore,
    samples: Mapping[str, tuple[Sample, ...]],
    answers: Mapping[str, tuple[Completion, ...]],
    rewards: Mapping[str, Reward],
) -> None:
    """Raise StoreError for records whose prerequisites are missing; a search always writes those first."""
    for name, given in answers.items():
        if name not in samples or [answer.attempt for answer in given] != list(range(len(given))) or given[0].continues:
            raise StoreError(f"{store.folder}: run.db was changed by hand: nobody asked for the answers of {name}")
    for name in rewards:
        if name not in answers:
            raise StoreError(f"{store.folder}: run.db was changed by hand: the reward of {name} has no answer")
