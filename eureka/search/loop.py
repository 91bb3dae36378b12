"""The search, readable top to bottom: judge, ask, repair, train, propose, tune, retrain, review, select, and again.

A step reads all of its input from the store and writes all of its results there before the next step begins, so that a
killed run is resumed by calling `evolve` again.
"""

from __future__ import annotations

from collections.abc import Iterable

from eureka.core import events
from eureka.core.errors import SearchFailed
from eureka.core.ids import generation_of
from eureka.core.types import Phase, Sample
from eureka.search.history import History
from eureka.search.judging import Judge
from eureka.search.outcomes import Outcome
from eureka.search.retraining import retrainings
from eureka.search.run import Run, generation_finished, generation_started
from eureka.search.sampling import rest_of_texts
from eureka.search.steps import get_answers, last_reason, require_usable_rewards, review, train


def evolve(run: Run) -> Outcome:
    """Search until the method wants no further generation, train its finalists with further seeds, and return the best.

    Raises:
        SearchFailed: three generations in a row without one usable reward, or none in the whole run.
    """
    search = Search(run)
    while search.step():
        pass
    chosen = [selection.best for selection in run.store.selections() if selection.phase is Phase.CONFIRM]
    best = run.history(Phase.CONFIRM).outcome(chosen[-1])
    if best is None:
        number, last = run.budget.generations, last_reason(run.history())
        raise SearchFailed(f"none of the {number} generations gave a usable reward; last: {last}")
    return best


class Search:
    """A search, one step at a time. All state is in the store, except which generation was announced last."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._judge = Judge(run.store, run.verifier, run.screening, run.reject)
        self._announced = 0

    def step(self) -> bool:
        """Do the next step; False if the search is finished."""
        history = self.run.history()
        if history.is_over:
            return self._confirm()
        self._announce(history)
        return (
            self._judge.judge(history)
            or get_answers(self.run, history, history.unanswered())
            or self._note(self._repairs(history))
            or train(self.run, history, self.run.method.schedule(history))
            or self._note(self.run.method.propose(history))
            or self._note(self.run.tuning.samples(history) if self.run.tuning else ())
            or self._retrain(history)
            or review(self.run, history)
            or self._end_generation(history)
        )

    def _announce(self, history: History) -> None:
        """Emit the event of a new generation, once, as soon as its samples are recorded."""
        started = generation_started(history)
        if started is not None and self._announced < started.generation:
            self._announced = started.generation
            self.run.observe(started)

    def _note(self, samples: Iterable[Sample]) -> bool:
        """Record samples that are to be asked for, or whose source is given; False if there are none."""
        samples = list(samples)
        if samples:
            self.run.store.record_samples(samples)
        return bool(samples)

    def _repairs(self, history: History) -> list[Sample]:
        """Repairs of this generation's rejected candidates, and continuations of texts that were cut off."""
        rejected = [r for n, r in history.rejections.items() if generation_of(n) == history.generation]
        found = (self.run.method.repair(history, each) for each in rejected)
        texts = rest_of_texts(history) if self.run.proposer.capabilities.can_repair else []
        return [*(sample for sample in found if sample is not None), *texts]

    def _retrain(self, history: History) -> bool:
        """Train the leaders with further seeds, before the next generation builds on them; False once that is done."""
        jobs = retrainings(history)
        if jobs:
            self.run.observe(events.RetrainingStarted(tuple(dict.fromkeys(job.candidate_id for job in jobs))))
        return train(self.run, history, jobs)

    def _end_generation(self, history: History) -> bool:
        selection = self.run.method.select(history)
        self.run.store.record_selection(selection)
        self.run.observe(generation_finished(history, selection))
        self.run.after_generation()
        require_usable_rewards(self.run.history())
        return True

    def _confirm(self) -> bool:
        """Train the finalists with further seeds and record the final choice; False once that is done."""
        history = self.run.history(Phase.CONFIRM)
        last = history.generation - 1
        if any(each.phase is not Phase.SEARCH and each.generation == last for each in history.selections):
            return False
        jobs = self.run.method.schedule(history)
        if jobs:
            self.run.observe(events.ConfirmationStarted(tuple(self.run.method.finalists(history))))
            return train(self.run, history, jobs)
        self.run.store.record_selection(self.run.method.select(history))
        return False
