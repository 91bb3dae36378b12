"""Which trainer serves a run: an entry for each kind of environment. One is loaded when it is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from eureka.config import EnvironmentKind, RunConfig
from eureka.core.errors import ConfigError
from eureka.trainers.base import Trainer

TrainerFactory = Callable[[RunConfig, Sequence[Path], Mapping[str, str]], Trainer]


def _population(config: RunConfig, task_dirs: Sequence[Path], environment: Mapping[str, str]) -> Trainer:
    from eureka.trainers.population.trainer import PopulationTrainer

    return PopulationTrainer(
        config.environment_name,
        task_dirs,
        environment,
        physics=config.physics.value,
        workers=config.train.workers,
        num_envs=config.train.num_envs,
        sentence=config.description,
    )


def _gymnasium(config: RunConfig, _task_dirs: Sequence[Path], environment: Mapping[str, str]) -> Trainer:
    from eureka.trainers.gymnasium.trainer import GymnasiumTrainer

    return GymnasiumTrainer(config, environment)


TRAINERS: Mapping[EnvironmentKind, TrainerFactory] = {
    EnvironmentKind.TASK: _population,
    EnvironmentKind.GYMNASIUM: _gymnasium,
}
"""By the kind of the environment."""


def make_trainer(config: RunConfig, task_dirs: Sequence[Path], environment: Mapping[str, str]) -> Trainer:
    """Who trains, and in what.

    Raises:
        ConfigError: the environment cannot be trained in.
        TaskError: there is no such task, or its folder does not keep the contract.
        PhysicsError: the engine is not installed here.
    """
    if config.kind not in TRAINERS:
        raise ConfigError(f"env={config.env.id}: this version has no trainer for environments of {config.kind}")
    return TRAINERS[config.kind](config, task_dirs, environment)
