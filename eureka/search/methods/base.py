"""The interface of search methods: which prompts are sent, what is trained next, which candidate is best."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from eureka.config import SearchConfig
from eureka.core.ids import INIT_ID, candidate_id, generation_of
from eureka.core.training import TrainingJob
from eureka.core.types import (
    MetricProbe,
    Origin,
    Phase,
    PromptFacts,
    Ranges,
    Reflection,
    Rejected,
    Reward,
    Sample,
    Selection,
)
from eureka.prompts import render_variety
from eureka.proposers.base import ProposerCapabilities
from eureka.reward.analysis.parameters import RewardConstant
from eureka.search.estimates import seed_noise
from eureka.search.feedback import earlier_feedback, source_of_worst
from eureka.search.history import History
from eureka.search.ideas import contrasts, ideas
from eureka.search.outcomes import Outcome, estimated, incumbent, ranked
from eureka.search.racing import Racing
from eureka.search.reflection import reflect
from eureka.search.sampling import follow_up
from eureka.search.telling import task_facts, within

MAX_MISTAKES = 8
"""Maximum number of kinds of errors that a prompt warns about."""


class SearchMethod(Protocol):
    """Makes the decisions that the loop carries out.

    A method keeps no state except the notes in its samples, so that a killed run continues with the same decisions.
    """

    def propose(self, history: History) -> Sequence[Sample]:
        """The next samples to ask for. Called repeatedly; an empty result ends the generation."""
        ...

    def repair(self, history: History, rejected: Rejected) -> Sample | None:
        """Another attempt at a rejected candidate; None if it stays rejected."""
        ...

    def schedule(self, history: History) -> Sequence[TrainingJob]:
        """The next trainings, to be run together. Called repeatedly; an empty result means that all are done."""
        ...

    def review(self, history: History) -> Sequence[str]:
        """The candidates that a person is shown at the end of the generation; if empty, no person is asked."""
        ...

    def select(self, history: History) -> Selection:
        """The decision at the end of a generation or phase. It is recorded and never recomputed."""
        ...

    def finalists(self, history: History) -> Sequence[str]:
        """The candidates from which the final one is chosen at the end of the search, best first."""
        ...


@dataclass(frozen=True)
class Services:
    """Functions and objects that a method may use.

    Attributes:
        capabilities: capabilities of the proposer that answers the next prompts.
        probe: correlations of State columns with the task metric; None if the method must not use them.
        random_ranges: ranges of the State's fields under random actions, for prompts; None: not told.
        diagnose: adds findings from the reward's graph to a reflection.
        constants: the named constants of a reward, with what changing each does to its total.
        racing: decides which trainings are stopped early; None: all run to the end.
    """

    capabilities: Callable[[], ProposerCapabilities]
    probe: Callable[[], MetricProbe] | None = None
    random_ranges: Callable[[], Mapping[str, Ranges]] | None = None
    diagnose: Callable[[Reflection, Reward], Reflection] | None = None
    constants: Callable[[Reward], Sequence[RewardConstant]] | None = None
    racing: Racing | None = None


class Method:
    """Default decisions for methods. A subclass must define `propose`."""

    def __init__(self, config: SearchConfig, services: Services) -> None:
        self.config = config
        self.services = services

    # ---- shared decisions ----------------------------------------------------------------------------------------

    def repair(self, history: History, rejected: Rejected) -> Sample | None:
        """A continuation of an answer that was cut off, or a repair while the budget allows one, if the proposer
        supports it.
        """
        if not self.services.capabilities().can_repair:
            return None
        return follow_up(history, rejected)

    def schedule(self, history: History) -> Sequence[TrainingJob]:
        """The next trainings: successive halving or full trainings during the search, then further seeds for the
        finalists.
        """
        if history.phase is Phase.CONFIRM:
            finalists = self.finalists(history)
            return to_the_end(history, finalists, lambda _: history.further_seeds) if len(finalists) > 1 else []
        if self.services.racing is not None:
            return self.services.racing.jobs(history)
        usable = [n for n in history.rewards if generation_of(n) == history.generation and n not in history.rejections]
        return to_the_end(history, usable, history.seeds)

    def review(self, history: History) -> Sequence[str]:
        """The trained candidates of the generation and their parents, if another generation follows or if only a person
        can judge which is best; otherwise none.
        """
        trained = [outcome.candidate.id for outcome in history.of_generation(history.generation)]
        another_follows = history.generation < history.budget.generations and not self._reached_target(history)
        if not trained or not (another_follows or not history.spec.has_metric):
            return []
        asked = [name for name in history.samples if generation_of(name) == history.generation]
        parents = [parent for name in asked for parent in history.parents(name)]
        return list(dict.fromkeys([*parents, *trained]))

    def select(self, history: History) -> Selection:
        """The best by estimated worth; in the final phase, the best of the finalists."""
        if history.phase is Phase.SEARCH:
            best = incumbent(history.outcomes)
            stop = self._reached_target(history)
        else:
            finalists = self.finalists(history)
            best = incumbent(o for o in history.outcomes if o.candidate.id in finalists)
            stop = True
        number = history.generation - (history.phase is not Phase.SEARCH)
        return Selection(generation=number, phase=history.phase, best=best.candidate.id if best else None, stop=stop)

    def finalists(self, history: History) -> Sequence[str]:
        """The best of the candidates with the longest training.

        Scores of the confirmation seeds are ignored here, so that a run resumed during confirmation makes the same
        choice.
        """
        own = ranked(_without_confirmation(history))
        farthest = max((outcome.num_evaluations for outcome in own), default=0)
        return [o.candidate.id for o in own if o.num_evaluations == farthest][: history.budget.finalists]

    # ---- what subclasses build on --------------------------------------------------------------------------------

    def facts(self, history: History, parents: Sequence[Outcome] = (), failures: Sequence[Outcome] = ()) -> PromptFacts:
        """The facts of this generation's prompts: all earlier rewards, and the results of its parents and of some
        failures, shortened to `search.prompt_tokens`.
        """
        said = earlier_feedback(history)
        told = [self._reflection(history, parent) for parent in parents]
        noise = self._seed_noise(history)
        facts = replace(
            self.task_facts(history),
            reflection=told[0] if told else None,
            further_parents=tuple(told[1:]),
            # Without a parent, the prompt says that no earlier reward was usable; check that this is true.
            rejected=mistakes(history) if parents or not history.outcomes else (),
            feedback=said,
            worst_source=source_of_worst(history, said),
            ideas=ideas(history),
            contrasts=contrasts(history, history.outcomes, noise),
            failures=tuple(self._reflection(history, failure) for failure in failures),
            seed_noise=noise,
        )
        return within(history.spec, facts, self.config.prompt_tokens)

    def task_facts(self, history: History) -> PromptFacts:
        """The facts of a prompt that concern the task alone."""
        capabilities, has_metric = self.services.capabilities(), history.spec.has_metric
        probe = self.services.probe if capabilities.uses_metric and has_metric else None
        ranges = self.services.random_ranges() if self.services.random_ranges else {}
        steps = history.budget.length.steps
        facts = task_facts(history.spec, history.seed, history.generation, history.hint, steps, ranges)
        return replace(facts, probe=probe() if probe else None)

    def samples(self, history: History, facts: PromptFacts) -> list[Sample]:
        """A generation's samples with the same prompt, except for one line that differs between them."""
        parents = tuple(r.candidate_id for r in (facts.reflection, *facts.further_parents) if r is not None)
        count = history.budget.samples
        return [
            Sample(
                id=candidate_id(history.generation, number),
                facts=facts,
                parents=parents,
                ending=self.vary(number, count),
            )
            for number in range(1, count + 1)
        ]

    def vary(self, sample: int, count: int) -> str:
        """The sentence that asks one of `count` samples for a different approach; empty if the proposer varies by
        itself.
        """
        return "" if self.services.capabilities().varies else render_variety(sample, count)

    def given(self, history: History) -> list[Sample]:
        """The reward that a person gave to start from, in the first generation, if it is not recorded yet."""
        if not history.start or INIT_ID in history.samples or history.generation > 1:
            return []
        facts = replace(self.task_facts(history), probe=None, hint="")
        return [Sample(id=INIT_ID, facts=facts, origin=Origin.GIVEN, source=history.start)]

    def has_asked(self, history: History) -> bool:
        """Whether this generation's samples are recorded."""
        return any(generation_of(name) == history.generation and name != INIT_ID for name in history.samples)

    def readable(self, history: History) -> Sequence[Outcome]:
        """The trained candidates that the proposer can improve on; all of them if it can improve on none."""
        reads = self.services.capabilities().reads
        return [o for o in history.outcomes if reads(o.candidate.source)] or history.outcomes

    # ---- inside --------------------------------------------------------------------------------------------------

    def _reflection(self, history: History, parent: Outcome) -> Reflection:
        reflection = reflect(parent.candidate, parent.results, parent.preference)
        reflection = replace(reflection, estimate=parent.estimate.mean if parent.estimate else None)
        diagnose = self.services.diagnose
        return diagnose(reflection, history.rewards[parent.candidate.id]) if diagnose else reflection

    def _constants(self, history: History, name: str) -> Sequence[RewardConstant]:
        """The named constants of a candidate's reward, with the effect of changing each."""
        constants = self.services.constants
        return constants(history.rewards[name]) if constants else ()

    def _seed_noise(self, history: History) -> float | None:
        """The standard deviation of a score over seeds; None if nothing was trained twice, or a person judges."""
        judged = [outcome for outcome in history.outcomes if outcome.estimate is not None]
        if not any(len(outcome.results) > 1 for outcome in judged):
            return None
        return seed_noise({o.candidate.id: [result.score for result in o.results] for o in judged})

    def _reached_target(self, history: History) -> bool:
        """Whether the best score of the run so far has reached the target."""
        target = history.budget.target
        if target is None:
            return False
        best = incumbent(_without_confirmation(history))
        return best is not None and best.score >= target


def to_the_end(history: History, names: Iterable[str], seeds: Callable[[str], Iterable[int]]) -> list[TrainingJob]:
    """Full trainings of these candidates with each one's seeds, except those already recorded."""
    names = set(names)
    done = {(result.candidate_id, result.seed) for results in history.results.values() for result in results}
    return [
        TrainingJob(reward.candidate_id, reward.graph, seed, history.budget.length)
        for reward in history.rewards.values()
        for seed in seeds(reward.candidate_id)
        if reward.candidate_id in names and (reward.candidate_id, seed) not in done
    ]


def _without_confirmation(history: History) -> list[Outcome]:
    """All outcomes as they were before the confirmation seeds."""
    return estimated(outcome.without_seeds(history.further_seeds) for outcome in history.outcomes)


def mistakes(history: History) -> tuple[Rejected, ...]:
    """The errors that a prompt warns about: the newest rejection of each kind from earlier generations."""
    earlier = [
        r
        for r in history.every_rejection
        if r.feedback and generation_of(r.candidate_id) < history.generation and not history.is_tuned(r.candidate_id)
    ]
    newest_first = sorted(earlier, key=lambda r: -generation_of(r.candidate_id))
    kinds = {_kind(rejected): rejected for rejected in reversed(newest_first)}
    return tuple(r for r in newest_first if kinds[_kind(r)] is r)[:MAX_MISTAKES]


def _kind(rejected: Rejected) -> str:
    """The kind of an error: its reason without the parts that differ between candidates, such as code and numbers."""
    return re.sub(r"`[^`]*`|\d+", "", rejected.feedback)
