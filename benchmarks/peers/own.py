"""Our own trainer: a whole population, and one candidate a process, as the original Eureka trains them."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import torch
from training import GRAPH

from eureka.core.training import Progress
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.pool import WorkerPool
from eureka.trainers.population.population import Population
from peers.measuring import WARM_UP_UPDATES, Measured, Sampler, Series, Training, rate, told
from peers.setups import ant, ant_folder

# Never reached: trainings are stopped by time.
_STEPS = 1_000_000_000


def _schedule(training: Training) -> Schedule:
    return Schedule(training.num_envs, _STEPS, 1, 1, training.ppo)


def population(training: Training, num_groups: int, workers: int) -> Measured:
    """`num_groups` candidates in `workers` processes, by the real backend."""
    schedule = _schedule(training)
    jobs = [GroupJob(f"g01-c{k + 1:02d}", GRAPH, training.seed + k, schedule) for k in range(num_groups)]
    series = {job.candidate_id: Series() for job in jobs}
    with ant_folder(training.physics) as folder, tempfile.TemporaryDirectory() as checkpoints:
        backend = WorkerPool(folder.name, [folder], Path(checkpoints) / "training", dict(os.environ), workers)
        started = time.monotonic()
        warm = None
        try:
            for event in backend.train(jobs):
                if not isinstance(event, Progress):
                    continue
                now = time.monotonic()
                series[event.candidate_id].add(now, event.steps)
                if all(len(one.t) > WARM_UP_UPDATES for one in series.values()):
                    warm = warm or now
                if warm is not None and all(one.t[-1] - warm > training.seconds for one in series.values()):
                    break
        finally:
            backend.close()
    first = [one.t[0] for one in series.values()]
    found = rate(list(series.values()))
    update_s = num_groups * training.num_envs * training.ppo.horizon / found
    return Measured(found, max(0.0, sum(first) / len(first) - started - update_s))


def main() -> None:
    """Train one candidate in this process."""
    training = told()
    torch.set_num_threads(1)
    with ant(training.physics) as task:
        population = Population(task, [GroupJob("g01-c01", GRAPH, training.seed, _schedule(training))])
        sampler = Sampler(training.seconds)
        sampler.update(0)
        rows = training.num_envs * training.ppo.horizon
        population.advance()
        while sampler.update(population.updates * rows):
            population.advance()


if __name__ == "__main__":
    main()
