"""The search, readable top to bottom: judge, ask, repair, train, propose, review, select, and again.

Everything that a step needs is read from the store and everything that it gave is written there before the next step
begins, so a run that was killed goes on by calling `evolve` again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from eureka.core import events
from eureka.core.errors import SearchFailed, TrainingError
from eureka.core.ids import generation_of
from eureka.core.training import TrainingJob, TrainingResult
from eureka.core.types import Origin, Phase, Rejected, Sample, Stage
from eureka.search.history import History
from eureka.search.judging import Judge
from eureka.search.outcomes import Outcome
from eureka.search.run import Run, generation_finished, generation_started
from eureka.search.sampling import ask
from eureka.search.start import given_answer
from eureka.trainers.base import training_started

FAILED_GENERATIONS_LIMIT = 3


def evolve(run: Run) -> Outcome:
    """Search while the method wants another generation, then train its finalists with further seeds; gives the best.

    Raises:
        SearchFailed: three generations in a row without one usable reward, or none in the whole run.
    """
    search = Search(run)
    while search.step():
        pass
    chosen = [selection.best for selection in run.store.selections() if selection.phase is Phase.CONFIRM]
    best = run.history(Phase.CONFIRM).outcome(chosen[-1])
    if best is None:
        number, last = run.budget.generations, _last_reason(run.history())
        raise SearchFailed(f"none of the {number} generations gave a usable reward; last: {last}")
    return best


class Search:
    """A search that goes step by step. It keeps nothing that the store does not have, but what it has told already."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._judge = Judge(run.store, run.verifier, run.screening, run.reject)
        self._announced = 0

    def step(self) -> bool:
        """Do the next thing; False where nothing is left to do."""
        history = self.run.history()
        if history.is_over:
            return self._confirm()
        self._announce(history)
        return (
            self._judge.judge(history)
            or self._ask(history, history.unanswered())
            or self._note(self._repairs(history))
            or self._train(history, self.run.method.schedule(history))
            or self._note(self.run.method.propose(history))
            or self._review(history)
            or self._end_generation(history)
        )

    def _announce(self, history: History) -> None:
        """Tell once that a generation has begun, when its samples are there."""
        started = generation_started(history)
        if started is not None and self._announced < started.generation:
            self._announced = started.generation
            self.run.observe(started)

    def _note(self, samples: Iterable[Sample]) -> bool:
        """Record what is to be asked for, or was given."""
        samples = list(samples)
        if samples:
            self.run.store.record_samples(samples)
        return bool(samples)

    def _ask(self, history: History, samples: Sequence[Sample]) -> bool:
        asked = [sample for sample in samples if sample.origin is Origin.ASKED]
        for sample in samples:
            if sample.origin is Origin.GIVEN:  # it is its own answer
                self.run.store.record_completion(given_answer(sample.source, sample.id))
        for completion in ask(self.run.proposer, self.run.store, history, asked) if asked else ():
            self.run.store.record_completion(completion)
            self.run.observe(events.of_answer(completion))
        return bool(samples)

    def _repairs(self, history: History) -> list[Sample]:
        """Further attempts at candidates of this generation that are rejected as they stand."""
        rejected = [r for n, r in history.rejections.items() if generation_of(n) == history.generation]
        found = (self.run.method.repair(history, each) for each in rejected)
        return [sample for sample in found if sample is not None]

    def _train(self, history: History, jobs: Sequence[TrainingJob]) -> bool:
        if not jobs:
            return False
        run = self.run
        jobs = [replace(job, start=run.warm_start.policy_for(run.store, history, job.candidate_id)) for job in jobs]
        done = [(result.candidate_id, result.seed) for each in history.results.values() for result in each]
        run.observe(training_started(run.trainer, jobs, done))
        left = {(job.candidate_id, job.seed) for job in jobs}
        for event in run.trainer.train(jobs, run.store.checkpoint_folder):
            if isinstance(event, Rejected):
                run.reject(event)
                left -= {key for key in left if key[0] == event.candidate_id}
                continue
            if isinstance(event, TrainingResult):
                run.store.record_result(event)
                left.discard((event.candidate_id, event.seed))
            run.observe(events.of_training(event))
        if left:
            name, seed = min(left)
            raise TrainingError(f"the training of {name} with seed {seed} ended without a result and without a reason")
        return True

    def _review(self, history: History) -> bool:
        """Have a person judge the generation, once."""
        shown = self.run.method.review(history) if self.run.reviewer else []
        if not shown or any(said.generation == history.generation for said in history.feedback):
            return False
        asked = [name for name in history.samples if generation_of(name) == history.generation]
        parents = {parent for name in asked for parent in history.parents(name)}
        parent = parents.pop() if len(parents) == 1 else None
        feedback = self.run.reviewer.review(history.generation, shown, parent) if self.run.reviewer else None
        if feedback is not None:
            self.run.store.record_feedback(feedback)
        return feedback is not None

    def _end_generation(self, history: History) -> bool:
        selection = self.run.method.select(history)
        self.run.store.record_selection(selection)
        self.run.observe(generation_finished(history, selection))
        self.run.after_generation()
        _stop_if_hopeless(self.run.history())
        return True

    def _confirm(self) -> bool:
        """Further seeds for the finalists, and the final choice of the search."""
        history = self.run.history(Phase.CONFIRM)
        last = history.generation - 1
        if any(each.phase is not Phase.SEARCH and each.generation == last for each in history.selections):
            return False
        jobs = self.run.method.schedule(history)
        if jobs:
            self.run.observe(events.ConfirmationStarted(tuple(self.run.method.finalists(history))))
            return self._train(history, jobs)
        self.run.store.record_selection(self.run.method.select(history))
        return False


def _stop_if_hopeless(history: History) -> None:
    """Raises SearchFailed after three generations in a row without one usable reward."""
    last = history.generation - 1
    recent = range(last - FAILED_GENERATIONS_LIMIT + 1, last + 1)
    # A reward that was not worth a training was usable.
    screened = {generation_of(n) for n, rejected in history.rejections.items() if rejected.stage is Stage.SCREEN}
    if recent[0] >= 1 and not any(history.of_generation(number) or number in screened for number in recent):
        raise SearchFailed(
            f"{FAILED_GENERATIONS_LIMIT} generations in a row gave no usable reward, so the search stopped after "
            f"generation {last}; last: {_last_reason(history)}"
        )


def _last_reason(history: History) -> str:
    last = next(reversed([*history.rejections.values()]), None)
    return f"{last.candidate_id}: {last.reason}" if last else "no answer"
