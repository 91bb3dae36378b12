"""Which policy a generation's trainings start from."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from loop_fakes import GOOD, IDS, Make, ScriptedTrainer, build_run

from eureka.core.errors import ConfigError
from eureka.core.ids import INIT_ID
from eureka.core.training import Policy, TrainingJob, TrainingResult
from eureka.search.loop import evolve
from eureka.search.warm_start import FROM_SCRATCH, WarmStart, keep, read_warm_start
from eureka.store import RunStore
from eureka.trainers.base import TrainingEvent
from eureka.trainers.population.networks import StackedMLP
from eureka.trainers.population.policy import Policies
from eureka.trainers.population.trainer import PopulationTrainer

SOURCE = GOOD.removeprefix("```python\n").removesuffix("\n```")


class Remembering(ScriptedTrainer):
    """Remembers what every job was to start from; gives each candidate and seed a policy of its own."""

    def __init__(self, make_result: Make) -> None:
        def make(identity: str, scores: tuple[float, ...], seed: int) -> TrainingResult:
            return replace(make_result(identity, scores, seed=seed), policy=f"{identity} {seed}".encode())

        super().__init__(make, {**dict.fromkeys(IDS, 1.0), "g01-c02": 2.0, "g02-c01": 3.0})
        self.starts: dict[tuple[str, int], bytes | None] = {}

    def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
        self.starts |= {(job.candidate_id, job.seed): job.start.data if job.start else None for job in jobs}
        return super().train(jobs, folder)


def starts(folder: Path, make_result: Make, warm_start: WarmStart) -> dict[tuple[str, int], bytes | None]:
    """Of every candidate and seed, by a search whose finalists are trained once more; the run's seed is 7."""
    trainer = Remembering(make_result)
    run = build_run(folder, make_result, trainer=trainer, warm_start=warm_start, finalists=2, confirmation_seeds=1)
    with run.store:
        evolve(run)
    return trainer.starts


def test_from_scratch_and_from_a_given_policy(tmp_path: Path, make_result: Make) -> None:
    assert set(starts(tmp_path / "a", make_result, FROM_SCRATCH).values()) == {None}
    assert set(starts(tmp_path / "b", make_result, WarmStart(Policy("population", b"given"))).values()) == {b"given"}


def test_from_the_parents_policy(tmp_path: Path, make_result: Make) -> None:
    """Generation 1 from scratch, 2 from the best of 1, 3 from the best so far; finalists again as in the search."""
    first, second = b"g01-c02 7", b"g02-c01 7"
    assert starts(tmp_path / "run", make_result, WarmStart(from_parent=True)) == {
        ("g01-c01", 7): None,
        ("g01-c02", 7): None,
        ("g02-c01", 7): first,
        ("g02-c02", 7): first,
        ("g03-c01", 7): second,
        ("g03-c02", 7): second,
        ("g02-c01", 9): first,
        ("g01-c02", 9): None,
    }


def test_the_reward_that_a_search_starts_from_has_no_parent(tmp_path: Path, make_result: Make) -> None:
    """Also where it is trained further as a finalist: the first prompt tells of itself."""
    trainer = Remembering(make_result)
    trainer.scores[INIT_ID] = 9.0
    run = build_run(
        tmp_path / "run",
        make_result,
        trainer=trainer,
        warm_start=WarmStart(from_parent=True),
        start=SOURCE,
        generations=1,
        finalists=2,
        confirmation_seeds=1,
    )
    with run.store:
        evolve(run)
    first = f"{INIT_ID} 7".encode()
    assert trainer.starts == {
        (INIT_ID, 7): None,
        (INIT_ID, 9): None,
        ("g01-c01", 7): first,
        ("g01-c02", 7): first,
        ("g01-c02", 9): first,
    }


@pytest.fixture(scope="module")
def trainer() -> PopulationTrainer:
    return PopulationTrainer("cartpole")


def policy_of(sizes: tuple[int, ...]) -> bytes:
    network = StackedMLP(sizes, "relu", extra=1)
    zeros = torch.zeros(1, network.num_parameters)
    return Policies(network, zeros, torch.zeros(1, 1, sizes[0]), torch.ones(1, 1, sizes[0])).dump(0)


def test_a_users_policy_is_kept_with_the_run(tmp_path: Path, trainer: PopulationTrainer) -> None:
    path = tmp_path / "mine.pt"
    path.write_bytes(policy_of((4, 32, 32, 1)))
    start = read_warm_start(str(path), trainer)
    assert start.given == Policy("population", path.read_bytes())
    with RunStore.create(tmp_path / "run", "") as store:
        keep(start, store)
        path.unlink()
        assert read_warm_start(str(path), trainer, store.folder) == start
    assert read_warm_start("scratch", trainer) == FROM_SCRATCH
    assert read_warm_start("parent", trainer) == WarmStart(from_parent=True)


def test_what_cannot_be_started_from_is_said(tmp_path: Path, trainer: PopulationTrainer) -> None:
    with pytest.raises(
        ConfigError, match=r"train\.init=nowhere\.pt cannot be read \(No such file.*give scratch, parent"
    ):
        read_warm_start("nowhere.pt", trainer)
    text = tmp_path / "text.pt"
    text.write_text("weights")
    with pytest.raises(ConfigError, match=r"text\.pt: the file is not a policy"):
        read_warm_start(str(text), trainer)
    other = tmp_path / "other.pt"
    other.write_bytes(policy_of((27, 64, 1)))
    with pytest.raises(
        ConfigError, match=r"27 x 64 x 1 units with relu, and those of task cartpole have 4 x 32 x 32 x 1"
    ):
        read_warm_start(str(other), trainer)
