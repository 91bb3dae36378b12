"""A portfolio of jobs: some samples improve a leading reward, some combine two, some explore, repair or tune.

All prompts of a generation have the same content: everything tried so far, the leading rewards and some that failed.
They differ in the job, which names the parents; the mix of jobs is in `eureka.search.jobs`.
"""

from __future__ import annotations

from collections.abc import Sequence

from eureka.core.ideas import JOB, STATE
from eureka.core.ids import candidate_id
from eureka.core.jobs import SampleJob
from eureka.core.types import Sample
from eureka.prompts import render_job
from eureka.search import jobs
from eureka.search.history import History
from eureka.search.methods.greedy import Greedy
from eureka.search.outcomes import Outcome, ranked
from eureka.search.tuning import one_of_each_structure, sensitivities

SHOWN_FAILURES = 2


class Portfolio(Greedy):
    """Assigns a job to each sample. If the proposer varies by itself, and so reads no job, it mutates the leader as
    `Greedy` does.
    """

    def propose(self, history: History) -> Sequence[Sample]:
        """A person's reward to start from, then a generation's samples, each with a job once something has trained."""
        leaders = self.leaders(history)
        if self.services.capabilities().varies or not leaders or self.given(history):
            return super().propose(history)
        if self.has_asked(history):
            return []
        return self._with_jobs(history, leaders)

    def leaders(self, history: History) -> list[Outcome]:
        """The parent of `Greedy` and the best rewards of other structures, at most `jobs.MAX_PARENTS` in total."""
        first = self.parent(history)
        if first is None:
            return []
        others = [o for o in ranked(self.readable(history)) if o.candidate.id != first.candidate.id]
        return one_of_each_structure(history, [first, *others])[: jobs.MAX_PARENTS]

    def _with_jobs(self, history: History, leaders: Sequence[Outcome]) -> list[Sample]:
        state = jobs.state_of(history, leaders)
        failures = self._failures(history, leaders)
        done = jobs.repaired(history)
        found = jobs.promising(history.outcomes, leaders, self._seed_noise(history))
        promising = [o for o in found if o.candidate.id not in done][:1]
        lost = {o.candidate.id for o in promising if jobs.lost_at_the_end(o)}
        shown = {o.candidate.id: o for o in (*promising, *failures)}
        facts = self.facts(history, leaders, list(shown.values())[:SHOWN_FAILURES])
        told = [r.candidate_id for r in (facts.reflection, *facts.further_parents) if r is not None]
        constants = {name: self._constants(history, name) for name in told}
        given = jobs.assign(
            jobs.MIXES[state],
            history.budget.samples,
            told,
            [o.candidate.id for o in promising if o.candidate.id in {f.candidate_id for f in facts.failures}],
            [name for name in told if constants[name]],
        )
        return [
            Sample(
                id=candidate_id(history.generation, number),
                facts=facts,
                parents=each.parents,
                ending=render_job(
                    each.job,
                    each.parents,
                    history.budget.samples,
                    constants[each.parents[0]] if each.job is SampleJob.TUNE else (),
                    sensitivities(history, each.parents[0]) if each.job is SampleJob.TUNE else {},
                    [earlier.job for earlier in given[: number - 1]].count(each.job),
                    leader=told[0],
                    lost=not lost.isdisjoint(each.parents),
                ),
                notes={JOB: each.job.value, STATE: state.value},
            )
            for number, each in enumerate(given, start=1)
        ]

    def _failures(self, history: History, leaders: Sequence[Outcome]) -> list[Outcome]:
        """The lowest-scoring candidates among those with the longest training, if clearly below the leaders."""
        names = {leader.candidate.id for leader in leaders}
        among = ranked(history.outcomes)
        lowest = [o for o in reversed(among) if o.num_evaluations == among[0].num_evaluations]
        middle = (among[0].worth + min(o.worth for o in lowest)) / 2
        return [o for o in lowest if o.candidate.id not in names and o.worth < middle]
