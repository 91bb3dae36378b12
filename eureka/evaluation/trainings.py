"""Training rewards with fresh seeds: skips recorded ones, uses the cache, and records the results."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.core.events import Observer, of_training
from eureka.core.training import OwnReward, TrainingJob, TrainingLength, TrainingResult
from eureka.core.types import Rejected
from eureka.evaluation.cache import TrainingCache
from eureka.store import RunStore
from eureka.trainers.base import Trainer, training_started

FIRST_FRESH_SEED = 1000
"""The first fresh seed: searches use smaller ones."""


@dataclass(frozen=True)
class Retraining:
    """A reward to train with fresh seeds: `name` is the key of its trainings in the store; only baselines use the
    cache.
    """

    name: str
    reward: str | OwnReward
    is_baseline: bool = False


@dataclass(frozen=True)
class Trainings:
    """Trainings of one length with `seeds`, recorded in a run's store; `folder` has checkpoints for continuing after a
    kill.
    """

    store: RunStore
    trainer: Trainer
    folder: Path
    length: TrainingLength
    seeds: tuple[int, ...]
    observe: Observer
    cache: TrainingCache | None

    def train(self, entries: Sequence[Retraining]) -> dict[str, str]:
        """Run the trainings that are not recorded yet; returns the reason for every entry with a failed training."""
        jobs = []
        for entry in entries:
            done = self.results(entry.name)
            for seed in self.seeds:
                job = TrainingJob(entry.name, entry.reward, seed, self.length)
                if seed not in done and not (entry.is_baseline and self._take_from_cache(job)):
                    jobs.append(job)
        return self._run(jobs, {entry.name for entry in entries if entry.is_baseline}) if jobs else {}

    @property
    def steps(self) -> int:
        """Control steps of each training."""
        return self.trainer.evaluated_after(self.length)[-1]

    def results(self, name: str) -> dict[int, TrainingResult]:
        """The recorded trainings of an entry by seed, without those of another length."""
        return {
            result.seed: result
            for result in self.store.evaluations()
            if result.candidate_id == name and result.seed in self.seeds and result.trained_steps == self.steps
        }

    def cached(self, name: str) -> tuple[int, ...]:
        """The seeds of `results` that were taken from the cache."""
        marks = self.store.facts().evaluations_from_cache
        return tuple(seed for seed in self.results(name) if self._mark(name, seed) in marks)

    def _run(self, jobs: Sequence[TrainingJob], baselines: set[str]) -> dict[str, str]:
        failures: dict[str, str] = {}
        by_key = {(job.candidate_id, job.seed): job for job in jobs}
        self.observe(training_started(self.trainer, jobs))
        for event in self.trainer.train(jobs, self.folder):
            if isinstance(event, Rejected):
                failures[event.candidate_id] = event.reason
            elif isinstance(event, TrainingResult):
                self.store.record_evaluation(event)
                if self.cache and event.candidate_id in baselines and not event.deviation:
                    self.cache.put(by_key[event.candidate_id, event.seed], event)
            self.observe(of_training(event))
        return failures

    def _take_from_cache(self, job: TrainingJob) -> bool:
        found = self.cache.get(job) if self.cache else None
        if found is None:
            return False
        # The mark is written first: a kill between the two must not make a cached value look like a fresh one.
        facts = self.store.facts()
        marks = sorted({*facts.evaluations_from_cache, self._mark(job.candidate_id, job.seed)})
        self.store.record_facts(replace(facts, evaluations_from_cache=tuple(marks)))
        self.store.record_evaluation(found)
        return True

    def _mark(self, name: str, seed: int) -> str:
        return f"{name} {seed} {self.steps}"


def fresh_seeds(store: RunStore, num: int) -> tuple[int, ...]:
    """The first `num` seeds from `FIRST_FRESH_SEED` on that the search did not use."""
    used = {result.seed for result in store.results()}
    return tuple(itertools.islice((seed for seed in itertools.count(FIRST_FRESH_SEED) if seed not in used), num))
