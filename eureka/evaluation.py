"""Re-training a run's best reward with fresh seeds, and what the scores together say."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eureka.errors import StoreError, TrainingError
from eureka.rl.backend import Backend, Event
from eureka.store import RunStore
from eureka.types import Rejected, Reward, Schedule, TrainingJob, TrainingResult

FIRST_FRESH_SEED = 1000
"""Searches use small seeds; fresh ones count from here."""


NUM_RESAMPLES = 10_000
"""Bootstrap samples of an interval."""


@dataclass(frozen=True)
class Summary:
    """Interquartile mean of the per-seed scores with a 95% bootstrap interval, None for a single seed."""

    iqm: float
    interval: tuple[float, float] | None


def summarise(scores: Sequence[float]) -> Summary:
    """IQM and its percentile bootstrap interval over seeds (Agarwal et al. 2021, "Deep Reinforcement Learning at the
    Edge of the Statistical Precipice"). Deterministic: the resampling has a seed of its own.
    """
    import numpy as np
    from scipy.stats import trim_mean

    iqm = float(trim_mean(scores, 0.25))
    if len(scores) < 2:
        return Summary(iqm, None)
    drawn = np.random.default_rng(0).choice(np.asarray(scores), (NUM_RESAMPLES, len(scores)))
    low, high = np.quantile(trim_mean(drawn, 0.25, axis=1), [0.025, 0.975])
    return Summary(iqm, (float(low), float(high)))


def best_reward(store: RunStore) -> Reward:
    """The best reward so far.

    Raises:
        StoreError: no generation has finished with a usable reward yet.
    """
    best_id = next((best for best in reversed(store.finished_generations().values()) if best), None)
    if best_id is None:
        raise StoreError(
            f"{store.folder}: no generation has finished with a usable reward; `eureka resume {store.folder}` goes on"
        )
    return next(reward for reward in store.rewards() if reward.candidate_id == best_id)


def retraining_jobs(store: RunStore, reward: Reward, schedule: Schedule, num_seeds: int) -> list[TrainingJob]:
    """Trainings of `reward` with `num_seeds` seeds that the search did not use, less those that are recorded."""
    seeds = fresh_seeds(store, reward.candidate_id, num_seeds)
    done = {result.seed for result in evaluations(store, reward.candidate_id)}
    return [TrainingJob(reward.candidate_id, reward.graph, seed, schedule) for seed in seeds if seed not in done]


def retrain(store: RunStore, backend: Backend, jobs: Sequence[TrainingJob]) -> Iterator[Event]:
    """Train `jobs`, recording each result.

    Raises:
        TrainingError: a training was rejected.
    """
    for event in backend.train(jobs):
        if isinstance(event, Rejected):
            raise TrainingError(f"re-training {event.candidate_id} failed: {event.reason}")
        if isinstance(event, TrainingResult):
            store.record_evaluation(event)
        yield event


def fresh_seeds(store: RunStore, candidate_id: str, num_seeds: int) -> list[int]:
    """The first `num_seeds` seeds from `FIRST_FRESH_SEED` on that the search did not train this candidate with."""
    used = {result.seed for result in store.results() if result.candidate_id == candidate_id}
    return list(itertools.islice((seed for seed in itertools.count(FIRST_FRESH_SEED) if seed not in used), num_seeds))


def evaluations(store: RunStore, candidate_id: str) -> list[TrainingResult]:
    """The recorded re-trainings of one candidate, in order of seeds."""
    return [result for result in store.evaluations() if result.candidate_id == candidate_id]
