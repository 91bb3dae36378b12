"""The registry of trainers: one entry for each kind of environment, imported when it is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from eureka.config import EnvironmentKind, RunConfig
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


def _remote(config: RunConfig, _task_dirs: Sequence[Path], environment: Mapping[str, str]) -> Trainer:
    from eureka.trainers.remote.trainer import RemoteTrainer

    return RemoteTrainer(config, environment)


TRAINERS: Mapping[EnvironmentKind, TrainerFactory] = {
    EnvironmentKind.TASK: _population,
    EnvironmentKind.GYMNASIUM: _gymnasium,
    EnvironmentKind.MJLAB: _remote,
    EnvironmentKind.ISAACLAB: _remote,
    EnvironmentKind.MANISKILL: _remote,
}
"""Trainer factories by kind of environment."""


def make_trainer(config: RunConfig, task_dirs: Sequence[Path], environment: Mapping[str, str]) -> Trainer:
    """The trainer for a run's environment.

    Raises:
        ConfigError: the environment cannot be used for training.
        TaskError: there is no such task, or its folder violates the contract.
        PhysicsError: the engine is not installed here.
    """
    return TRAINERS[config.kind](config, task_dirs, environment)
