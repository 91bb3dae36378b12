"""Opens the trackers that a run's config asks for."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from eureka.config import RunConfig
from eureka.core.errors import ConfigError, EurekaError
from eureka.core.extras import install_line
from eureka.store import RunStore
from eureka.ui.tracking.tracker import Sink, Tracker

_STAMP = "unsafe"
"""Part of the name of a run without confinement."""


def require_trackers(config: RunConfig) -> None:
    """Raise ConfigError if a requested tracker needs a package that is not installed."""
    for key in ("tensorboard", "wandb", "mlflow"):
        value = getattr(config.tracking, key)
        if value and find_spec(key) is None:
            shown = "true" if value is True else value
            raise ConfigError(f"tracking.{key}={shown} needs the package {key}: {install_line(key)}, or leave it out")


@contextmanager
def tracking(
    config: RunConfig,
    store: RunStore,
    environment: Mapping[str, str],
    warn: Callable[[str], None],
) -> Iterator[Tracker]:
    """Within the context, a `Tracker` for all trackers that the config asks for, possibly none.

    Raises:
        EurekaError: a sink cannot be opened.
    """
    with Tracker(_sinks(config, store, environment), warn, has_metric=store.facts().has_metric) as tracker:
        yield tracker


def _sinks(config: RunConfig, store: RunStore, environment: Mapping[str, str]) -> list[Sink]:
    keys = config.tracking
    sinks: list[Sink] = []
    if keys.tensorboard:
        from eureka.ui.tracking.tensorboard import TensorBoardSink

        folder = store.folder / "tensorboard"
        sinks.append(TensorBoardSink(folder / _STAMP if store.facts().unsafe else folder))
    if keys.wandb:
        import wandb

        from eureka.ui.tracking.wandb import WandbSink

        with _refused("wandb", (wandb.Error, OSError)):
            sinks.append(WandbSink(keys.wandb, _name(store), store.folder, _settings(store)))
    if keys.mlflow:
        from mlflow.exceptions import MlflowException

        from eureka.ui.tracking.mlflow import MlflowSink

        uri = environment.get("MLFLOW_TRACKING_URI") or f"sqlite:///{store.folder.resolve() / 'mlflow.db'}"
        with _refused("mlflow", (MlflowException, OSError)):
            sinks.append(MlflowSink(uri, keys.mlflow, _name(store)))
    return sinks


@contextmanager
def _refused(key: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    try:
        yield
    except errors as error:
        reason = " ".join(str(error).split())
        raise EurekaError(f"tracking.{key}: it cannot be logged to: {reason}; resume the run once it can") from error


def _name(store: RunStore) -> str:
    """The run's name for trackers, unique and stored in the run for when it is resumed."""
    facts = store.facts()
    if facts.tracking_run:
        return facts.tracking_run
    stamp = f"{_STAMP}-" if facts.unsafe else ""
    name = f"{stamp}{store.folder.resolve().name}-{secrets.token_hex(4)}"
    store.record_facts(replace(facts, tracking_run=name))
    return name


def _settings(store: RunStore) -> dict[str, Any]:
    import yaml

    settings: dict[str, Any] = yaml.safe_load(store.config_yaml) or {}
    return settings
