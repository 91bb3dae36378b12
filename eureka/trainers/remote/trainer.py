"""Trainer for manager-based environments of mjlab and Isaac Lab, and ManiSkill (see `eureka.trainers.base`).

The environment runs in the user's own interpreter and is trained there by rsl_rl with the task's own runner
configuration. Requests are sent as JSON and tensors. Trainings run one after the other in one process.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from eureka.config import HUMAN, EnvironmentKind, RunConfig
from eureka.config.environments import without_prefix
from eureka.core.errors import ConfigError, RenderingUnavailable, TrainingError
from eureka.core.pictures import Look, RenderedFrame
from eureka.core.training import (
    OwnReward,
    Policy,
    Progress,
    TrainingJob,
    TrainingLength,
    WorkerRestarted,
)
from eureka.core.types import Rejected, Stage
from eureka.reward.analysis.trajectory import Trajectory
from eureka.reward.export import export_reward
from eureka.trainers.base import Capabilities, Cost, TrainingEvent, updates_evaluated
from eureka.trainers.curves import not_finite, stopped_twice
from eureka.trainers.recording import Recording
from eureka.trainers.remote.inside.wire import RemoteMessage
from eureka.trainers.remote.interpreter import OPENING_S, Interpreter, InterpreterDied, RemoteRefusal
from eureka.trainers.remote.packages import DISTRIBUTIONS, ISAACLAB, MANISKILL, MJLAB, TRIED, requirement
from eureka.trainers.remote.progress import POLICY_FORMAT, load, save, training_key
from eureka.trainers.remote.table import table_graph
from eureka.trainers.remote.task import RemoteTask, read_task

_ENVS = {MJLAB: (64, 4096), ISAACLAB: (64, 4096), MANISKILL: (1, 1024)}
"""Environments of a training on the CPU and on a GPU; ManiSkill simulates one on the CPU."""
_MEASURED_S = 1.0
_PHYSICS_SHARE = 0.7
"""Share of physics in a training's time; the rest is learning. Measured on mjlab's cartpole on the CPU only."""


class RemoteTrainer:
    """A task in the other interpreter.

    Args:
        config: of a run with `env=mjlab:ID`, `env=isaaclab:ID` or `env=maniskill:ID`.
        environment: environment variables, of which the interpreter gets only those it needs, and no keys.

    Raises:
        ConfigError: the interpreter cannot be used, or the task cannot be opened there; the message says why.
    """

    def __init__(self, config: RunConfig, environment: Mapping[str, str] = os.environ) -> None:
        assert config.env.id is not None
        given = {
            EnvironmentKind.MJLAB: config.mjlab,
            EnvironmentKind.ISAACLAB: config.isaaclab,
            EnvironmentKind.MANISKILL: config.maniskill,
        }[config.kind]
        self._config = config
        self._simulator, self._id = config.kind.value, without_prefix(config.env.id)
        key = f"{self._simulator}.python"
        if given.python is None:
            raise ConfigError(
                f"env={config.env.id}: add {key}=PATH, the Python of the environment that has "
                f"{requirement(self._simulator).replace('==', ' ')}"
            )
        if config.state is not None and not Path(config.state).is_file():
            raise ConfigError(f"state={config.state}: there is no such file")
        self._python = given.python
        self._interpreter = Interpreter(key, given.python, environment)
        self._folder: Path | None = None
        try:
            about = self._interpreter.about()
            self._version = self._require_packages(key, about["packages"])
            self._torch, self._device_name = str(about["torch"]), str(about["device"])
            self._device = given.device or ("cuda:0" if self._device_name else "cpu")
            if self._device.startswith("cuda") and not self._device_name:
                raise ConfigError(
                    f"{self._simulator}.device={self._device}: the torch of {given.python} sees no GPU: leave it out "
                    "to train on the CPU"
                )
            self._task = self._open()
        except BaseException:
            self.close()
            raise
        self.spec = self._task.spec

    def _require_packages(self, key: str, packages: Mapping[str, str]) -> str:
        simulator = DISTRIBUTIONS[self._simulator]
        for package in (simulator, "rsl-rl-lib"):
            if package not in packages:
                wanted = f"'{requirement(self._simulator)}'" if package == simulator else package
                raise ConfigError(
                    f"{key}={self._python}: this Python has no {package}: {self._python} -m pip install {wanted}"
                )
        return packages[simulator]

    def _open(self) -> RemoteTask:
        config = self._config
        request = {
            "simulator": self._simulator,
            "task": self._id,
            "device": self._device,
            "num_envs": config.train.num_envs or _ENVS[self._simulator][self._device != "cpu"],
            "state_file": config.state and str(Path(config.state).absolute()),
            "metric": config.metric,
            # The model then sees the terms of the task's own reward table.
            "with_table": config.search.init == HUMAN,
        }
        name = f"env={config.env.id}"
        try:
            described = self._interpreter.ask(RemoteMessage("open", request), OPENING_S)
        except RemoteRefusal as error:
            raise ConfigError(f"{name}: {error}{self._untried}") from error
        except InterpreterDied as error:
            raise ConfigError(
                f"{name}: {self._python} ended while it made the environment: {error}{self._untried}"
            ) from error
        return read_task(self._id, self._simulator, config.description, described.data)

    @property
    def _untried(self) -> str:
        """What follows a sentence where the simulator's version was not tried; else nothing."""
        if self._version in TRIED[self._simulator]:
            return ""
        return f"; {self._simulator} {self._version} was not tried ({', '.join(TRIED[self._simulator])} was)"

    @property
    def can(self) -> Capabilities:
        """The capabilities; several candidates are computed on as many rows as there are environments."""
        return Capabilities(
            continues=True,
            starts_from_policies=True,
            renders=False,
            repeatable=False,
            records_trajectories=False,
            reward_rows=max(4096, self._task.num_envs),
        )

    @property
    def budgets(self) -> Mapping[str, int]:
        """The budgets: the task's own number of iterations for `standard` and `paper`, and a tenth of it for
        `quick`."""
        whole = self._task.rollout * self._task.iterations
        return {"quick": max(self._task.rollout, whole // 10), "standard": whole, "paper": whole}

    @property
    def description(self) -> str:
        """A description of the algorithm and device, of choices made for the user, and of untested versions."""
        task = self._task
        where = self._device_name if self._device != "cpu" else "the CPU"
        parts = [
            f"{self._id} is trained by rsl_rl in {self._simulator} {self._version} on {where}, {task.num_envs} "
            "environments, one training after the other"
        ]
        if self._untried:
            parts.append(f"warning: {self._untried.removeprefix('; ')}")
        if task.scales:
            parts.append("its reward manager multiplies rewards by the control step, which is left so")
        parts += [part for part in (task.chosen_metric, task.chosen_sentence) if part]
        return "; ".join(parts)

    @property
    def discount(self) -> float:
        """The runner's discount factor."""
        return self._task.discount

    provenance: str | None = None
    """The dependencies of a training there are not fully known, so trainings are not cached for other runs."""

    # ---- what rewards are checked on, and measured against ---------------------------------------------------------

    def record(self, num: int = 512, seed: int = 0) -> Recording:
        """See `Trainer.record`.

        Raises:
            TrainingError: transitions could not be recorded.
        """
        return self._recording if (num, seed) == (512, 0) else self._recorded(num, seed)

    @cached_property
    def _recording(self) -> Recording:
        return self._recorded(512, 0)

    def _recorded(self, num: int, seed: int) -> Recording:
        tensors = self._asked(RemoteMessage("record", {"num": num, "seed": seed})).tensors
        state = {name.removeprefix("state."): value for name, value in tensors.items() if name.startswith("state.")}
        if state.keys() != {field.name for field in self.spec.fields}:
            raise TrainingError(f"{self.spec.name}: the recording has other fields than the State")
        return Recording(state, tensors["metric"], tensors["terminated"])

    def baselines(self) -> Mapping[OwnReward, str | OwnReward]:
        """The task's own reward table. The metric as the only reward is not supported."""
        return {OwnReward.OWN: OwnReward.OWN}

    def human_graph(self) -> str:
        """The reward table: weight x term, summed, each a component; the terms' values are State fields.

        Raises:
            ConfigError: the table has no terms, or the user's file takes them away.
        """
        return table_graph(self.spec.name, self._task.table, {field.name for field in self.spec.fields})

    def rollouts(self, policies: Mapping[str, bytes | None], episodes: int, seed: int = 0) -> Sequence[Trajectory]:
        """Not supported, see `can`."""
        del policies, episodes, seed
        raise TrainingError(f"{self.spec.name}: whole episodes are not recorded by this version")

    # ---- training --------------------------------------------------------------------------------------------------

    def evaluated_after(self, length: TrainingLength) -> tuple[int, ...]:
        """The evaluation points, rounded to whole rollouts of all environments."""
        return tuple(update * self._task.rollout for update in self._updates(length))

    def _updates(self, length: TrainingLength) -> tuple[int, ...]:
        return updates_evaluated(length.steps, self._task.rollout, length.evaluations)[: length.stop_after]

    def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
        """See `Trainer.train`. A job whose process dies is continued once from its last evaluation.

        Raises:
            TrainingError: the environment cannot be opened again.
            ConfigError: a job has options, which can only be set in rsl_rl's configuration.
        """
        self._folder = folder
        for job in jobs:
            if job.options:
                raise ConfigError(f"{self.spec.name}: trainings have the runner configuration of the task, not options")
            for attempt in (1, 2):
                try:
                    yield from self._trained(job, folder)
                    break
                except InterpreterDied as error:
                    self._interpreter.close()
                    if attempt == 1:
                        yield WorkerRestarted(0, str(error), (job.candidate_id,))
                    else:
                        yield stopped_twice(job.candidate_id, error)
                except RemoteRefusal as error:
                    yield Rejected(job.candidate_id, Stage.TRAIN, str(error), "")
                    break

    def _trained(self, job: TrainingJob, folder: Path) -> Generator[TrainingEvent, None, None]:
        """Run one training from its stored progress; ends in a result or a rejection."""
        updates, rollout = self._updates(job.length), self._task.rollout
        key = training_key(job, self._setup)
        kept = load(folder, key, updates[-1])
        if kept.done == updates[-1]:
            yield kept.remote_result(job)
            return
        order = {
            "reward": None if isinstance(job.reward, OwnReward) else self._module(job),
            "seed": job.seed,
            "evaluated_after": [update for update in updates if update > kept.done],
            "eval_episodes": job.length.eval_episodes,
            "done": kept.done,
        }
        blobs = {"policy": job.start.data} if job.start is not None else {}
        blobs = {"checkpoint": kept.checkpoint} if kept.checkpoint else blobs
        self._running(folder)
        started = time.monotonic()
        rejected: Rejected | None = None
        for answer in self._interpreter.answers(RemoteMessage("train", order, blobs=blobs)):
            update = int(answer.data["update"])
            if answer.kind == "update":
                components = tuple(str(name) for name in answer.data["components"])
                kept.add(answer.tensors["rows"], answer.tensors["metric"], components)
                kept.updated(update * rollout, float(answer.data["metric"]), float(answer.data["episode_length"]))
                kept.diverged = int(answer.data["diverged"])
                yield Progress(job.candidate_id, job.seed, update * rollout, kept.metric[-1], kept.episode_length[-1])
            elif answer.kind == "not_finite":
                rejected = _not_finite(job, answer, update, rollout)
            else:
                kept.done = update
                kept.evaluated([float(score) for score in answer.data["scores"]])
                kept.checkpoint, kept.policy = answer.blobs["checkpoint"], answer.blobs["policy"]
                kept.wall_s += time.monotonic() - started
                started = time.monotonic()
                save(folder, key, kept)
        yield rejected or kept.remote_result(job)

    def _module(self, job: TrainingJob) -> str:
        """The reward as a module's text that needs only torch, generated from its verified graph."""
        return export_reward(
            graph=str(job.reward),
            task=self.spec.name,
            candidate_id=job.candidate_id,
            fields=self.spec.fields,
            provenance={},
        )

    @property
    def _setup(self) -> str:
        config = self._config
        return repr((self._simulator, self._id, self._version, self._task.num_envs, config.metric, config.state))

    def _running(self, folder: Path) -> None:
        """Open the environment again if its process has ended."""
        if self._interpreter.is_running:
            return
        self._interpreter.start(folder)
        try:
            self._task = self._open()
        except ConfigError as error:
            self._interpreter.close()
            raise TrainingError(f"the environment cannot be made again: {error}") from error

    def _asked(self, request: RemoteMessage) -> RemoteMessage:
        if not self._interpreter.is_running:
            self._interpreter.start(self._folder)
            self._task = self._open()
        try:
            return self._interpreter.ask(request)
        except (InterpreterDied, RemoteRefusal) as error:
            raise TrainingError(f"{self.spec.name}: {self._python}: {error}") from error

    def forget(self, folder: Path) -> None:
        """Delete the stored progress from which trainings could be continued."""
        shutil.rmtree(folder / "trained", ignore_errors=True)

    def render(self, policy: bytes, look: Look, graph: str = "") -> Iterator[RenderedFrame]:
        """Not supported, see `can`."""
        del policy, look, graph
        raise RenderingUnavailable("policies of another interpreter cannot be filmed by this version")

    def close(self) -> None:
        """End the process."""
        self._interpreter.close()

    # ---- before anything starts ------------------------------------------------------------------------------------

    def cost(self, jobs: Sequence[TrainingJob]) -> Cost:
        """The control steps; a simulator's memory use is not known."""
        return Cost(sum(self.evaluated_after(job.length)[-1] for job in jobs), self._measure_speed)

    def _measure_speed(self) -> float:
        """Control steps per second, from a second of steps in all environments and an estimated share for learning."""
        steps = self._asked(RemoteMessage("speed", {"seconds": _MEASURED_S})).data["steps"]
        return max(float(steps), 1.0) * _PHYSICS_SHARE

    def read_policy(self, data: bytes) -> Policy:
        """A policy that rsl_rl trained for this task.

        Raises:
            TrainingError: it is none, or one of other networks.
        """
        try:
            self._interpreter.ask(RemoteMessage("policy", blobs={"policy": data}))
        except RemoteRefusal as error:
            raise TrainingError(str(error)) from error
        except InterpreterDied as error:
            raise TrainingError(f"{self._python}: {error}") from error
        return Policy(POLICY_FORMAT, data)


def _not_finite(job: TrainingJob, answer: RemoteMessage, update: int, rollout: int) -> Rejected:
    counts = {str(name): int(count) for name, count in answer.data["components"].items()}
    named = ", ".join(f"`{name}` on {count}" for name, count in counts.items())
    what = f"the reward became NaN or infinite on states met in training ({named} of {rollout} rows)"
    return not_finite(job.candidate_id, (update - 1) * rollout, what)
