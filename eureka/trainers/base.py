"""The interface between the search and training: everything that the search knows of an environment.

Nothing above it knows of a simulator, an environment's spaces or an interpreter. A trainer is one folder next to this
file and one entry in `eureka.trainers.registry`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from eureka.core.events import TrainingStarted
from eureka.core.pictures import Look, RenderedFrame
from eureka.core.training import (
    OwnReward,
    Policy,
    Progress,
    TrainingJob,
    TrainingLength,
    TrainingResult,
    WorkerRestarted,
)
from eureka.core.types import Rejected, TaskSpec
from eureka.reward.analysis.trajectory import Trajectory
from eureka.trainers.recording import Recording

TrainingEvent = Progress | WorkerRestarted | Rejected | TrainingResult
"""The events of `Trainer.train`, in the order in which they happen."""


@dataclass(frozen=True)
class Capabilities:
    """What a trainer can do. The search omits what it cannot do, and informs the user in a sentence.

    Attributes:
        continues: can continue a training that was stopped, so that candidates can race.
        starts_from_policies: a training can start from the policy of another.
        renders: policies can be filmed.
        repeatable: the same job gives bitwise the same result, whatever else is trained with it and on any number of
            cores.
        records_trajectories: `rollouts` returns whole episodes, on which rewards can be ranked before any training.
        reward_rows: the maximum number of rows on which a training computes a reward at once; rewards are verified on
            as many.
        confinement: the confinement in force in the training processes; empty until it is known.
    """

    continues: bool
    starts_from_policies: bool
    renders: bool
    repeatable: bool
    records_trajectories: bool
    reward_rows: int = 4096
    confinement: str = "not confined: they run the environment's own code"


@dataclass(frozen=True)
class Cost:
    """The estimated cost of trainings, shown before anything starts.

    Attributes:
        control_steps: control steps of all trainings together.
        measure_speed: function that measures the approximate number of control steps per second, all trainings
            together. It takes up to a second, and is only called if the time is to be shown.
        sentences: further information for the user, such as how many train at a time and the memory that they need.
    """

    control_steps: int
    measure_speed: Callable[[], float]
    sentences: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """The estimated duration on this machine, in seconds."""
        return self.control_steps / self.measure_speed()


class Trainer(Protocol):
    """An environment together with the training of policies in it.

    Attributes:
        spec: the task's specification.
        can: the capabilities of this trainer.
        description: one sentence for the user on the training algorithm and the device.
        discount: discount factor per control step.
        budgets: control steps of one training, by name of the budget (`quick`, `standard`, ...).
        provenance: a digest of everything that a training depends on besides its job, such as the environment's files
            and the versions of libraries: trainings of the same job with the same provenance may be cached. None:
                unknown.
    """

    @property
    def spec(self) -> TaskSpec: ...
    @property
    def can(self) -> Capabilities: ...
    @property
    def description(self) -> str: ...
    @property
    def discount(self) -> float: ...
    @property
    def budgets(self) -> Mapping[str, int]: ...
    @property
    def provenance(self) -> str | None: ...

    def record(self, num: int = 512, seed: int = 0) -> Recording:
        """Record real transitions under random policies of different vigour, a quarter of them the last of an
        episode."""
        ...

    def baselines(self) -> Mapping[OwnReward, str | OwnReward]:
        """The rewards that the environment brings along, as what a job takes; one that repeats another is left out.

        Raises:
            TaskError: one of them cannot be used for training; the message says which and why.
        """
        ...

    def human_graph(self) -> str:
        """The graph of the environment's human-written reward, as a function of the State: a search can start from it.

        Raises:
            ConfigError: it is no such function; says what to give instead.
            TaskError: it has no graph; says why.
        """
        ...

    def evaluated_after(self, length: TrainingLength) -> tuple[int, ...]:
        """The control steps after which a training of this length is evaluated; the last is where it ends."""
        ...

    def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
        """Train every job; each ends in exactly one `TrainingResult` or `Rejected`, in any order.

        Args:
            folder: where checkpoints are kept, so that trainings which were stopped or killed can be continued.

        Raises:
            TrainingError: the host's machinery failed.
        """
        ...

    def forget(self, folder: Path) -> None:
        """Remove the checkpoints in `folder`, once no training will be continued."""
        ...

    def rollouts(self, policies: Mapping[str, bytes | None], episodes: int, seed: int = 0) -> Sequence[Trajectory]:
        """Episodes of each policy, from their start to their end or for `LONGEST` control steps.

        Args:
            policies: policies from results of this trainer, by the kind of their trajectories; None acts at random.
            episodes: number of episodes per policy.

        Raises:
            TrainingError: this trainer does not record trajectories, see `can`.
        """
        ...

    def cost(self, jobs: Sequence[TrainingJob]) -> Cost:
        """The cost of training these jobs at once.

        Raises:
            TrainingError: there is not enough memory for one of them.
        """
        ...

    def read_policy(self, data: bytes) -> Policy:
        """A policy of this environment from the bytes of a file.

        Raises:
            TrainingError: the file is not a policy, or has another network.
        """
        ...

    def render(self, policy: bytes, look: Look, graph: str = "") -> Iterator[RenderedFrame]:
        """Yield pictures of episodes that a policy plays: the start of each, then one every `look.steps_between`
        control steps, then its end.

        Args:
            policy: policy from a result of this trainer.
            graph: graph of the reward whose components an overlay shows; empty for none.

        Raises:
            VideoError: the policy cannot be played here, or there is no such camera.
            RenderingUnavailable: rendering is not available here.
        """
        ...

    def close(self) -> None:
        """Stop all running trainings and end their processes."""
        ...


def updates_evaluated(steps: int, rows: int, evaluations: int) -> tuple[int, ...]:
    """The numbers of the policy updates after which there is an evaluation; the last one ends the training.

    The training takes the number of whole rollouts of `rows` control steps that is nearest to `steps`; if that is less
    than `evaluations`, every update is evaluated.
    """
    whole = max(1, round(steps / rows))
    return tuple(sorted({max(1, round(whole * i / evaluations)) for i in range(1, evaluations + 1)}))


def training_started(
    trainer: Trainer, jobs: Sequence[TrainingJob], done: Collection[tuple[str, int]] = ()
) -> TrainingStarted:
    """The event that these jobs, of one length, are handed to a trainer.

    Args:
        done: candidate and seed of the trainings that have a result; those also in `jobs` are continued.
    """
    length = jobs[0].length
    return TrainingStarted(
        candidates=tuple(job.candidate_id for job in jobs),
        seeds=tuple(job.seed for job in jobs),
        steps=trainer.evaluated_after(length)[-1],
        whole_steps=trainer.evaluated_after(replace(length, stop_after=None))[-1],
        continued={(job.candidate_id, job.seed) for job in jobs} <= set(done),
    )
