"""Trainer for any Gymnasium environment (see `eureka.trainers.base`), using Stable-Baselines3 or a user's function."""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from gymnasium import spaces

from eureka.config import RunConfig
from eureka.config.environments import is_file
from eureka.core.errors import ConfigError, TrainingError
from eureka.core.extras import install_line
from eureka.core.pictures import Look, RenderedFrame
from eureka.core.processes import child_environment
from eureka.core.training import OwnReward, Policy, TrainingJob, TrainingLength
from eureka.core.types import TaskSpec
from eureka.reward.analysis.trajectory import Trajectory
from eureka.trainers.base import Capabilities, Cost, TrainingEvent
from eureka.trainers.gymnasium import settings as settings_module
from eureka.trainers.gymnasium.describing import describe
from eureka.trainers.gymnasium.environment import EnvironmentMaker
from eureka.trainers.gymnasium.leftovers import folder_of_leftovers
from eureka.trainers.gymnasium.pool import TrainingPool
from eureka.trainers.gymnasium.recipe import load_function, recipe_of
from eureka.trainers.gymnasium.settings import AlgorithmSettings, TrainingOrder
from eureka.trainers.gymnasium.transitions import RandomEpisodes, random_episodes
from eureka.trainers.recording import Recording

_MEASURED_S = 0.5
_BUDGETS = {"quick": 30_000, "standard": 100_000, "paper": 500_000}


class GymnasiumTrainer:
    """Trains in a single-agent environment with numeric observations.

    Args:
        config: names the environment, the metric and the algorithm.
        environment: environment variables, of which the training processes get only those they need, and no keys.

    Raises:
        ConfigError: no such environment, spaces that are not numeric, an algorithm that does not fit, or
            Stable-Baselines3 is not installed.
        TaskError: the environment's code raises, or returns unusable values.
    """

    budgets: Mapping[str, int]

    def __init__(self, config: RunConfig, environment: Mapping[str, str] = os.environ) -> None:
        if find_spec("stable_baselines3") is None:
            raise ConfigError(
                f"env={config.env.id}: environments are trained by Stable-Baselines3: {install_line('sb3')}"
            )
        self._recipe = recipe_of(config)
        self._maker = EnvironmentMaker(self._recipe)
        self.settings, steps = _settings_of(config, self._maker)
        self.budgets = dict.fromkeys(_BUDGETS, steps) if steps else _BUDGETS
        self.spec: TaskSpec = describe(
            self._maker, config.environment_name, config.description, show_source=config.env.show_source
        )
        self._workers = config.train.workers or 1
        self._environment = {**child_environment(environment), "TMPDIR": folder_of_leftovers()}
        self._pool: TrainingPool | None = None
        is_own = self.settings.is_own
        self.can = Capabilities(
            continues=not is_own,
            starts_from_policies=not is_own,
            renders=not is_own and "rgb_array" in self._render_modes(),
            repeatable=False,
            records_trajectories=False,
        )

    def _render_modes(self) -> Sequence[str]:
        env = self._maker.make()
        modes = env.metadata.get("render_modes") or ()
        env.close()
        return list(modes)

    @property
    def description(self) -> str:
        """The training algorithm and where it runs."""
        settings = self.settings
        who = settings.algorithm if settings.is_own else f"Stable-Baselines3's {settings.algorithm.upper()}"
        who += ", with observations and rewards normalised," if settings.normalize == "{}" else ""
        several = f"{self._workers} trainings at a time" if self._workers > 1 else "one training after the other"
        envs = "" if settings.is_own else f", {settings.num_envs} environments each"
        return f"{self.spec.name} is trained by {who} on the CPU, {several}{envs}"

    @property
    def discount(self) -> float:
        """The algorithm's gamma."""
        return self.settings.discount

    @cached_property
    def provenance(self) -> str | None:
        """A digest of the environment's source, of this package's source, and of library versions; None for a user's
        own trainer, whose dependencies are unknown.
        """
        if self.settings.is_own:
            return None
        libraries = [f"{name} {version(name)}" for name in ("torch", "numpy", "gymnasium", "stable-baselines3")]
        env = self._maker.make()
        sources = {Path(inspect.getfile(cls)) for cls in type(env.unwrapped).__mro__[:-1]}
        env.close()
        sources |= set(self._maker.definition.files)
        sources |= set(Path(str(settings_module.__file__)).parent.glob("*.py"))
        texts = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in sources if path.is_file())
        recipe = replace(self._recipe, folder="", identity=self.spec.name)
        parts = [repr(recipe), repr(self.settings), *libraries, *texts]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]

    # ---- what rewards are checked on, and measured against ---------------------------------------------------------

    def record(self, num: int = 512, seed: int = 0) -> Recording:
        """See `Trainer.record`."""
        usual = (num, seed) == (512, 0)
        return self._random.recording if usual else random_episodes(self._maker, num, seed).recording

    @cached_property
    def _random(self) -> RandomEpisodes:
        return random_episodes(self._maker, 512, 0)

    def baselines(self) -> Mapping[OwnReward, str | OwnReward]:
        """The environment's own reward, and the metric as a reward if that differs."""
        own = {OwnReward.OWN: OwnReward.OWN}
        return own if self._maker.metric.is_return else {**own, OwnReward.METRIC: OwnReward.METRIC}

    def human_graph(self) -> str:
        """Refused: the environment's reward is computed in its step, of which nothing is known."""
        raise ConfigError(
            f"search.init=human: the reward of {self.spec.name} is part of its step, and cannot be read as a function "
            "of the State: give a Python file"
        )

    def rollouts(self, policies: Mapping[str, bytes | None], episodes: int, seed: int = 0) -> Sequence[Trajectory]:
        """Not supported, see `can`."""
        del policies, episodes, seed
        raise TrainingError(f"{self.spec.name}: whole episodes are not recorded by this version")

    # ---- training --------------------------------------------------------------------------------------------------

    def evaluated_after(self, length: TrainingLength) -> tuple[int, ...]:
        """The evaluation points, rounded to whole rollouts of all environments."""
        order = self._order(TrainingJob("", OwnReward.OWN, 0, length))
        return tuple(points * order.rows for points in order.evaluated_after)

    def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
        """See `Trainer.train`.

        Raises:
            TrainingError: a training process cannot be started, or the environment's own code fails.
            ConfigError: a job has an unknown option.
        """
        self._pool = self._pool or TrainingPool(self._workers, self._environment, folder)
        yield from self._pool.train([self._order(job, folder) for job in jobs])

    def _order(self, job: TrainingJob, folder: Path | None = None) -> TrainingOrder:
        settings = self.settings
        if job.options:
            from eureka.trainers.gymnasium.hyperparameters import make_settings

            make_settings(settings.algorithm, dict(job.options), None, f"options of {job.candidate_id}")
            settings = settings.with_arguments(job.options)
        name = hashlib.sha256(f"{job.candidate_id} {job.seed}".encode()).hexdigest()[:16]
        return TrainingOrder(
            environment=self._recipe,
            candidate_id=job.candidate_id,
            graph=job.reward.value if isinstance(job.reward, OwnReward) else job.reward,
            seed=job.seed,
            steps=job.length.steps,
            evaluations=job.length.evaluations,
            eval_episodes=job.length.eval_episodes,
            settings=settings,
            stop_after=job.length.stop_after,
            start=job.start.data if job.start else b"",
            checkpoint=str(folder.absolute() / f"sb3_{name}.pt") if folder and self.can.continues else "",
        )

    def forget(self, folder: Path) -> None:
        """Remove the stored trainings that could be continued."""
        for path in folder.glob("sb3_*"):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """End the training processes."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    # ---- before anything starts ------------------------------------------------------------------------------------

    def cost(self, jobs: Sequence[TrainingJob]) -> Cost:
        """Control steps, and figures of random episodes; the memory use of an environment is unknown."""
        steps = sum(self.evaluated_after(job.length)[-1] for job in jobs)
        return Cost(steps, self._measure_speed, self._notes())

    def _notes(self) -> tuple[str, ...]:
        random = self._random
        found = [f"judged by {self.spec.judged_by}"]
        if self._maker.metric.is_return:
            found[0] += "; its own reward is the human-written one and, as the metric is its sum, the bare metric too"
        for what, values in (("the environment's own return", random.returns), ("the metric", random.metrics)):
            if values and not (what == "the metric" and self._maker.metric.is_return):
                found.append(
                    f"{what} of {len(values)} random episodes: {min(values):.3g} to {max(values):.3g}, "
                    f"mean {sum(values) / len(values):.3g}"
                )
        if random.constants:
            found.append(f"never changed in {random.steps} random steps: {', '.join(random.constants)}")
        if self._is_plain_mujoco():
            found.append(
                "MuJoCo alone steps it: from a task folder it may train several times as fast (docs/gymnasium.md): "
                f"eureka init NAME --from-env {self._recipe.identity}"
            )
        return tuple(found)

    def _is_plain_mujoco(self) -> bool:
        if is_file(self._recipe.identity) or "gymnasium.envs.mujoco" not in sys.modules:  # that imports mujoco
            return False
        from eureka.trainers.gymnasium.as_task import not_a_task

        env = self._maker.make()
        env.close()
        return not not_a_task(env)

    def _measure_speed(self) -> float:
        """Control steps per second of all workers, estimated from half a second of random actions in one environment
        and the learning time of the algorithm.
        """
        env = self._maker.make()
        env.action_space.seed(0)
        env.reset(seed=0)
        started, steps = time.monotonic(), 0
        while time.monotonic() - started < _MEASURED_S:
            *_, terminated, truncated, _info = env.step(env.action_space.sample())
            if terminated or truncated:
                env.reset()
            steps += 1
        env.close()
        speed = steps / (time.monotonic() - started)
        # Learning takes at least this time per step, whatever the environment.
        learning_s = {"ppo": 1e-4, "dqn": 3e-4, "sac": 1e-2, "td3": 7e-3}.get(self.settings.algorithm, 0.0)
        return self._workers / (1 / speed + learning_s)

    def read_policy(self, data: bytes) -> Policy:
        """A policy of this environment and algorithm.

        Raises:
            TrainingError: the bytes are not such a policy.
        """
        from eureka.trainers.gymnasium.playing import load_policy

        load_policy(data, self._maker)
        return Policy(f"sb3-{self.settings.algorithm}", data)

    def render(self, policy: bytes, look: Look, graph: str = "") -> Iterator[RenderedFrame]:
        """See `Trainer.render`. The environment renders in its own picture size."""
        from eureka.trainers.gymnasium.playing import load_policy, play

        predict = load_policy(policy, self._maker)
        for episode in range(look.episodes):
            yield from play(self._maker, predict, self.spec, look, look.seed + episode, graph)


def _settings_of(config: RunConfig, maker: EnvironmentMaker) -> tuple[AlgorithmSettings, int | None]:
    """The algorithm's settings, and the number of steps in a hyper-parameter file."""
    from eureka.trainers.gymnasium.algorithms import ALGORITHMS, require_fit
    from eureka.trainers.gymnasium.hyperparameters import Hyperparameters, make_settings, read_hyperparameters

    chosen = config.trainer or "sb3.ppo"
    path = config.train.hyperparameters
    if ":" in chosen:
        if path:
            raise ConfigError(
                f"train.hyperparameters={path}: they are of Stable-Baselines3, and trainer={chosen} is not"
            )
        load_function(chosen, os.getcwd())
        return AlgorithmSettings(chosen, 1), None
    library, _, algorithm = chosen.partition(".")
    if library != "sb3" or algorithm not in ALGORITHMS:
        names = ", ".join(f"sb3.{name}" for name in ALGORITHMS)
        raise ConfigError(f"trainer={chosen}: there is no such trainer; give {names}, or module:function of your own")
    require_fit(algorithm, maker.action_space)
    given = read_hyperparameters(Path(path), maker.definition.recipe.identity) if path else Hyperparameters({})
    what = f"train.hyperparameters={path}"
    settings = make_settings(algorithm, given.arguments, config.train.num_envs, what)
    if isinstance(maker.action_space, spaces.Box) and not maker.action_space.is_bounded():
        raise ConfigError(
            f"env={config.env.id}: its action {maker.action_space} has no bounds: give env.wrappers=RescaleAction or a "
            "file whose `make` bounds it"
        )
    return settings, given.steps
