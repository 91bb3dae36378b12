"""Any registered Gymnasium environment behind the seam of `eureka.trainers.base`, trained by Stable-Baselines3.

A first, thin form: PPO, one job after the other, no film, and no training is carried on.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import select
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from eureka.core.errors import ConfigError, TrainingError
from eureka.core.processes import Child, child_environment, module_command
from eureka.core.serialize import DecodeError, dumps, loads
from eureka.core.training import (
    OwnReward,
    Policy,
    Progress,
    TrainingJob,
    TrainingLength,
    TrainingResult,
    WorkerRestarted,
)
from eureka.core.types import Rejected, Stage
from eureka.reward.analysis.trajectory import Trajectory
from eureka.trainers.base import Capabilities, Cost, TrainingEvent
from eureka.trainers.gymnasium import settings
from eureka.trainers.gymnasium.environment import describe, make_environment, record_transitions
from eureka.trainers.gymnasium.settings import PPOSettings, TrainingOrder
from eureka.trainers.recording import Recording

_EVENTS: Mapping[str, type[Progress] | type[Rejected] | type[TrainingResult]] = {
    cls.__name__: cls for cls in (Progress, Rejected, TrainingResult)
}
_OPTIONS = frozenset(field.name for field in fields(PPOSettings))
_SILENCE_S = 300.0
_MEASURED_S = 0.5
_PHYSICS_SHARE = 0.5
"""Of a training's time; the rest is learning. As for population training, not measured for every environment."""


class GymnasiumTrainer:
    """A registered environment with Box or Discrete spaces of plain numbers.

    Args:
        identity: its id, such as `CartPole-v1`.
        sentence: what the policy should do.
        environment: environment variables, of which the process that trains is given what it needs and no keys.
        num_envs: environments of one training; 8 where None.

    Raises:
        ConfigError: no such environment, spaces that are no plain numbers, or Stable-Baselines3 is not installed.
    """

    def __init__(
        self, identity: str, sentence: str, environment: Mapping[str, str] = os.environ, num_envs: int | None = None
    ) -> None:
        if find_spec("stable_baselines3") is None:
            raise ConfigError(
                f"env={identity}: environments are trained by Stable-Baselines3: pip install 'eureka-rewards[sb3]'"
            )
        self._identity = identity
        made = make_environment(identity)
        self.spec = describe(identity, made, sentence)
        self._class = type(made.unwrapped)
        made.close()
        self.settings = PPOSettings(num_envs=num_envs or PPOSettings.num_envs)
        self._environment = child_environment(environment)
        self._child: Child | None = None
        self._unread = b""

    can = Capabilities(
        continues=False, starts_from_policies=False, renders=False, repeatable=False, records_trajectories=False
    )
    budgets: Mapping[str, int] = {"quick": 30_000, "standard": 100_000, "paper": 500_000}

    @property
    def description(self) -> str:
        """What trains, and where."""
        return f"{self._identity} is trained by Stable-Baselines3's PPO on the CPU, one training after the other"

    @property
    def discount(self) -> float:
        """PPO's gamma."""
        return self.settings.gamma

    @cached_property
    def provenance(self) -> str:
        """A digest of the environment's source, ours, and the versions of the libraries."""
        libraries = [f"{name} {version(name)}" for name in ("torch", "numpy", "gymnasium", "stable-baselines3")]
        own = sorted(Path(str(settings.__file__)).parent.glob("*.py"))
        sources = [Path(inspect.getfile(self._class)), *own]
        texts = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sources]
        parts = [self._identity, repr(self.settings), *libraries, *texts]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]

    # ---- what rewards are checked on, and measured against ---------------------------------------------------------

    def record(self, num: int = 512, seed: int = 0) -> Recording:
        """See `Trainer.record`."""
        return self._recording if (num, seed) == (512, 0) else record_transitions(self._identity, num, seed)

    @cached_property
    def _recording(self) -> Recording:
        return record_transitions(self._identity, 512, 0)

    def baselines(self) -> Mapping[OwnReward, str | OwnReward]:
        """The environment's own reward; the metric as a reward is the same."""
        return {OwnReward.OWN: OwnReward.OWN}

    def rollouts(self, cache: Path | None, say: Callable[[str], None]) -> Sequence[Trajectory]:
        """None, see `can`."""
        del cache, say
        return ()

    # ---- training --------------------------------------------------------------------------------------------------

    def evaluated_after(self, length: TrainingLength) -> tuple[int, ...]:
        """Whole rollouts of all environments."""
        order = self._order(TrainingJob("", OwnReward.OWN, 0, length))
        return tuple(updates * order.settings.rows for updates in order.evaluated_after)

    def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
        """See `Trainer.train`. A job whose process dies is trained again once.

        Raises:
            TrainingError: the process that trains cannot be started.
            ConfigError: a job has an option that there is not.
        """
        for order in [self._order(job) for job in jobs]:
            for attempt in (1, 2):
                reason = yield from self._trained(order, folder)
                if reason is None:
                    break
                self.close()
                if attempt == 1:
                    yield WorkerRestarted(0, reason, (order.candidate_id,))
                else:
                    yield Rejected(order.candidate_id, Stage.TRAIN, f"its training was stopped twice: {reason}", "")

    def _order(self, job: TrainingJob) -> TrainingOrder:
        unknown = sorted(job.options.keys() - _OPTIONS)
        if unknown:
            raise ConfigError(f"`{unknown[0]}` is no option of PPO here: {', '.join(sorted(_OPTIONS))}")
        return TrainingOrder(
            environment=self._identity,
            candidate_id=job.candidate_id,
            graph="" if isinstance(job.reward, OwnReward) else job.reward,
            seed=job.seed,
            steps=job.length.steps,
            evaluations=job.length.evaluations,
            eval_episodes=job.length.eval_episodes,
            settings=replace(self.settings, **dict(job.options)),  # type: ignore[arg-type]
            stop_after=job.length.stop_after,
        )

    def _trained(self, order: TrainingOrder, folder: Path) -> Generator[TrainingEvent, None, str | None]:
        """What the process answers to an order; returns why it did not come to an end, None where it did."""
        child = self._running(folder)
        if not child.send(dumps(order)):
            return child.reason()
        while True:
            line = self._line(child)
            if line is None:
                return child.reason() if child.wait(1.0) else f"it was silent for {_SILENCE_S:.0f} s"
            name, _, text = line.partition(" ")
            try:
                event = loads(_EVENTS[name], text)
            except (KeyError, DecodeError) as error:
                return f"it answered what is no event: {error}"
            yield event
            if not isinstance(event, Progress):
                return None

    def _running(self, folder: Path) -> Child:
        if self._child is None:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                self._child = Child(
                    module_command("eureka.trainers.gymnasium"),
                    self._environment,
                    folder=folder,
                    log=folder / "worker0.log",
                    stdin=True,
                    stdout=True,
                )
            except OSError as error:
                raise TrainingError(f"a training worker could not be started: {error}") from error
            self._unread = b""
        return self._child

    def _line(self, child: Child) -> str | None:
        """The next line that the process prints; None where it ended, or says nothing for too long."""
        until = time.monotonic() + _SILENCE_S
        descriptor = child.stdout.fileno()
        while b"\n" not in self._unread:
            if not select.select([descriptor], [], [], max(until - time.monotonic(), 0))[0]:
                return None
            read = os.read(descriptor, 1 << 16)
            if not read:
                return None
            self._unread += read
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode(errors="replace")

    def forget(self, folder: Path) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """End the process that trains."""
        if self._child is not None:
            self._child.close()
            self._child = None

    # ---- before anything starts ------------------------------------------------------------------------------------

    def cost(self, jobs: Sequence[TrainingJob]) -> Cost:
        """Control steps; what an environment takes of memory is not known."""
        return Cost(sum(self.evaluated_after(job.length)[-1] for job in jobs))

    def measure_speed(self) -> float:
        """By half a second of random actions in one environment, and as much again for learning."""
        env = make_environment(self._identity)
        env.action_space.seed(0)
        env.reset(seed=0)
        started, steps = time.monotonic(), 0
        while time.monotonic() - started < _MEASURED_S:
            *_, terminated, truncated, _info = env.step(env.action_space.sample())
            if terminated or truncated:
                env.reset()
            steps += 1
        env.close()
        return steps / (time.monotonic() - started) * _PHYSICS_SHARE

    def read_policy(self, data: bytes) -> Policy:
        """Refused, see `can`."""
        del data
        raise TrainingError("a training in a Gymnasium environment cannot start from a policy")
