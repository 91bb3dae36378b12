"""The content of a report as typed data: read by `eureka.ui.report.reading`, laid out by the templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from eureka.core.diagnosis import Diagnosis
from eureka.core.training import TrainingResult
from eureka.core.types import Completion, Message, Prompt, Reflection, Rejected
from eureka.evaluation.data import Comparison
from eureka.search.outcomes import pooled_score
from eureka.store import RunFacts


@dataclass(frozen=True)
class Attempt:
    """One answer for a candidate.

    Attributes:
        asked: the messages after the generation's prompt that led to it: a repair's or a continuation's conversation.
        rejected: why the answer was rejected, None if it was usable.
    """

    answer: Completion
    asked: tuple[Message, ...]
    rejected: Rejected | None


@dataclass(frozen=True)
class Spending:
    """Tokens and money of answers; None if any answer lacks the figure."""

    input_tokens: int | None
    output_tokens: int | None
    usd: float | None
    calls: int

    @property
    def tokens(self) -> int | None:
        """The sum of input and output tokens."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, kw_only=True)
class CandidateView:
    """One candidate: its origin, its status, and its trainings.

    `parents` are the candidates that its prompt built on; `duplicate_of` an earlier one with the same reward.
    `diagnoses` are those before its training. `stopped_after` are the control steps after which its race stopped it;
    None if it was trained to the end. `given` is the display name of a reward that a person gave to start from;
    otherwise empty. `is_tuned` says whether it was made from its parent by changing constants. `notes` are the search
    method's own, such as the job that an answer had.
    """

    id: str
    generation: int
    parents: tuple[str, ...]
    source: str
    attempts: tuple[Attempt, ...]
    components: tuple[str, ...]
    rejected: Rejected | None
    duplicate_of: str | None
    results: tuple[TrainingResult, ...]
    reflection: Reflection | None
    spending: Spending
    diagnoses: tuple[Diagnosis, ...] = ()
    given: str = ""
    is_tuned: bool = False
    preference: float | None = None
    stopped_after: int | None = None
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def parent(self) -> str | None:
        """The first parent, if any."""
        return self.parents[0] if self.parents else None

    @property
    def was_asked(self) -> bool:
        """Whether a proposer wrote the candidate."""
        return not self.given and not self.is_tuned

    @property
    def called(self) -> str:
        """The id, with a display name if no proposer wrote the candidate."""
        return f"{self.id} ({self.given})" if self.given else self.id

    @property
    def status(self) -> str:
        """The status: trained, rejected, or pending."""
        if self.rejected is not None:
            return "rejected"
        return "trained" if self.results else "pending"

    @property
    def score(self) -> float | None:
        """The score in the search: the mean metric over every evaluation episode of every seed's final policy.

        For a task without a metric, the score by a person's preferences.
        """
        if self.status != "trained":
            return None
        return pooled_score(self.results) if self.preference is None else self.preference

    @property
    def best_score(self) -> float | None:
        """The best checkpoint's score; None for a task without a metric."""
        if self.status != "trained" or self.preference is not None:
            return None
        return max(result.best_score for result in self.results)

    @property
    def episode_length(self) -> float | None:
        """Mean length of the last training episodes, in control steps."""
        if self.reflection is None:
            return None
        return self.reflection.episode_length_points[-1]

    @property
    def wall_s(self) -> float:
        """The wall time of its trainings in seconds, all seeds together."""
        return sum(result.wall_s for result in self.results)

    @property
    def repairs(self) -> int:
        """The number of repairs that were asked for."""
        return sum(not attempt.answer.continues for attempt in self.attempts[1:])


@dataclass(frozen=True)
class GenerationView:
    """One generation: its prompt and its candidates.

    `texts` are answers that are not rewards but texts for later prompts.
    """

    number: int
    prompt: Prompt | None
    candidates: tuple[CandidateView, ...]
    is_finished: bool
    texts: tuple[Completion, ...] = ()

    @property
    def answers(self) -> tuple[Completion, ...]:
        """All answers of the generation."""
        return (*(attempt.answer for candidate in self.candidates for attempt in candidate.attempts), *self.texts)


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A whole run.

    Attributes:
        evaluations: trainings with fresh seeds, by their name in the store.
        settings: the config, flattened to `search.samples` and the like.
        facts: facts recorded by the run, such as versions and the layers of its sandbox.
        generations_wanted: as configured; 0 if unknown.
    """

    folder: Path
    name: str
    task: str
    sentence: str
    metric: str
    unit: str
    proposer: str
    is_finished: bool
    generations: tuple[GenerationView, ...]
    generations_wanted: int
    best: CandidateView | None
    evaluations: Mapping[str, tuple[TrainingResult, ...]]
    comparison: Comparison | None
    config_yaml: str
    settings: Mapping[str, object]
    facts: RunFacts
    calls_without_answer: int

    @property
    def has_metric(self) -> bool:
        """Whether scores come from a task metric rather than a person's preferences."""
        return self.facts.has_metric

    @property
    def candidates(self) -> tuple[CandidateView, ...]:
        """All candidates, in order of their ids."""
        return tuple(candidate for generation in self.generations for candidate in generation.candidates)

    @property
    def answers(self) -> tuple[Completion, ...]:
        """All answers, in order of generations."""
        return tuple(answer for generation in self.generations for answer in generation.answers)

    def best_until(self, generation: int) -> CandidateView | None:
        """The highest score after a generation, of candidates trained to the end where there are any."""
        trained = [c for c in self.candidates if c.generation <= generation and c.score is not None]
        whole = [c for c in trained if c.stopped_after is None]
        return max(whole or trained, key=lambda c: c.score or 0.0, default=None)

    @property
    def has_stopped(self) -> bool:
        """Whether a race stopped any candidates early."""
        return any(candidate.stopped_after is not None for candidate in self.candidates)


@dataclass(frozen=True)
class RunEntry:
    """One run in a list of runs: `name` is used in its address, `shown` is its display name."""

    name: str
    shown: str
    task: str
    state: str
    sentence: str
