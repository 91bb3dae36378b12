"""The slow steps of a search: ask for answers, train, have a person judge. Each records its results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eureka.core import events
from eureka.core.errors import SearchFailed, TrainingError
from eureka.core.ids import generation_of
from eureka.core.training import TrainingJob, TrainingResult
from eureka.core.types import Origin, Rejected, Sample, Stage
from eureka.search.history import History
from eureka.search.run import Run
from eureka.search.sampling import ask
from eureka.search.start import given_answer
from eureka.search.tuning import changed_constants
from eureka.trainers.base import training_started

FAILED_GENERATIONS_LIMIT = 3


def get_answers(run: Run, history: History, samples: Sequence[Sample]) -> bool:
    """Ask the proposer for answers; a reward that was given is recorded as its own answer. False if there is nothing to
    do.
    """
    asked = [sample for sample in samples if sample.origin is Origin.ASKED]
    for sample in samples:
        if sample.origin is not Origin.ASKED:
            run.store.record_completion(given_answer(sample.source, sample.id))
        if sample.origin is Origin.TUNED:
            run.observe(events.Tuned(sample.id, sample.parents[0], changed_constants(history, sample.id)))
    for completion in ask(run.proposer, run.store, history, asked) if asked else ():
        run.store.record_completion(completion)
        run.observe(events.of_answer(completion))
    return bool(samples)


def train(run: Run, history: History, jobs: Sequence[TrainingJob]) -> bool:
    """Run all of these trainings; False if there are none.

    Raises:
        TrainingError: a training ended without a result and without a reason.
    """
    if not jobs:
        return False
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


def review(run: Run, history: History) -> bool:
    """Have a person judge the current generation, once; False if no person is asked."""
    shown = run.method.review(history) if run.reviewer else []
    if not run.reviewer or not shown or any(said.generation == history.generation for said in history.feedback):
        return False
    asked = [
        name
        for name, attempts in history.samples.items()
        if generation_of(name) == history.generation and attempts[0].origin is Origin.ASKED
    ]
    parents = {parent for name in asked for parent in history.parents(name)}
    parent = parents.pop() if len(parents) == 1 else None
    feedback = run.reviewer.review(history.generation, shown, parent)
    if feedback is not None:
        run.store.record_feedback(feedback)
    return feedback is not None


def require_usable_rewards(history: History) -> None:
    """Raise SearchFailed after three generations in a row without a usable reward."""
    last = history.generation - 1
    recent = range(last - FAILED_GENERATIONS_LIMIT + 1, last + 1)
    # A reward that was not worth training is still usable.
    screened = {generation_of(n) for n, rejected in history.rejections.items() if rejected.stage is Stage.SCREEN}
    if recent[0] >= 1 and not any(history.of_generation(number) or number in screened for number in recent):
        raise SearchFailed(
            f"{FAILED_GENERATIONS_LIMIT} generations in a row gave no usable reward, so the search stopped after "
            f"generation {last}; last: {last_reason(history)}"
        )


def last_reason(history: History) -> str:
    """The reason of the latest rejection."""
    last = next(reversed([*history.rejections.values()]), None)
    return f"{last.candidate_id}: {last.reason}" if last else "no answer"
