"""What stands in for training in tests of the comparison."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fake_trainer import FakeTrainer

from eureka.core import events
from eureka.core.training import Progress, TrainingJob, TrainingLength, TrainingResult
from eureka.core.types import Candidate, Rejected, Reward, Stage
from eureka.store import RunStore
from eureka.trainers.base import TrainingEvent

LENGTH = TrainingLength(steps=100, evaluations=1, eval_episodes=4)


def graph(scale: float) -> str:
    """A reward of cartpole's: minus `scale` times the pole's angle."""
    return json.dumps(
        {
            "version": 1,
            "inputs": ["pole_angle"],
            "constants": {},
            "nodes": [{"op": "mul.Tensor", "args": [{"input": "pole_angle"}, -scale]}],
            "total": {"node": 0},
            "components": [{"name": "angle", "value": {"node": 0}}],
        }
    )


def result(name: str, seed: int, score: float, steps: int = LENGTH.steps) -> TrainingResult:
    """A training that ended with `score`."""
    return TrainingResult(
        candidate_id=name,
        seed=seed,
        final_scores=(score,),
        steps=(steps,),
        metric=(score,),
        episode_length=(1.0,),
        total=(1.0,),
        components={"angle": (1.0,)},
        checkpoint_scores=(score,),
        policy=b"policy of " + name.encode(),
    )


@dataclass
class ScoreTrainer(FakeTrainer):
    """Gives every job what `scores` says for its name and seed; None stands for a training that is given up."""

    scores: Mapping[str, Callable[[int], float | None]]
    jobs: list[TrainingJob] = field(default_factory=list)

    def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
        for job in jobs:
            self.jobs.append(job)
            score = self.scores[job.candidate_id](job.seed)
            yield Progress(job.candidate_id, job.seed, 50, 0.0, 1.0)
            if score is None:
                yield Rejected(job.candidate_id, Stage.TRAIN, "it became NaN", "clamp it")
            else:
                yield result(job.candidate_id, job.seed, score, self.evaluated_after(job.length)[-1])

    @property
    def trained(self) -> list[tuple[str, int]]:
        return [(job.candidate_id, job.seed) for job in self.jobs]


class Listening:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.events: list[events.Event] = []

    def __call__(self, event: events.Event) -> None:
        self.events.append(event)


def record_searched(store: RunStore, name: str, text: str, scores: Sequence[float]) -> None:
    """A candidate that the search has trained with seeds 0, 1, ..., one for each score."""
    store.record_candidate(Candidate(name, f"# {name}", ("pole_angle",)))
    store.record_reward(Reward(name, text, ("angle",)))
    for seed, score in enumerate(scores):
        store.record_result(result(name, seed, score))
