"""The registry of trainers: one entry for each kind of environment, imported when it is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from eureka.config import HUMAN, EnvironmentKind, RunConfig
from eureka.config.environments import without_prefix
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
    from eureka.trainers.remote.trainer import RemoteChoices, RemoteTrainer

    assert config.env.id is not None
    simulator = config.mjlab if config.kind is EnvironmentKind.MJLAB else config.isaaclab
    choices = RemoteChoices(
        simulator=config.kind.value,
        task=without_prefix(config.env.id),
        python=simulator.python,
        device=simulator.device,
        num_envs=config.train.num_envs,
        sentence=config.description,
        metric=config.metric,
        state=config.state,
        with_table=config.search.init == HUMAN,
    )
    return RemoteTrainer(choices, environment)


TRAINERS: Mapping[EnvironmentKind, TrainerFactory] = {
    EnvironmentKind.TASK: _population,
    EnvironmentKind.GYMNASIUM: _gymnasium,
    EnvironmentKind.MJLAB: _remote,
    EnvironmentKind.ISAACLAB: _remote,
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
