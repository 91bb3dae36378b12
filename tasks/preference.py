"""Tasks without a metric (`fitness: preference`), which are scored by a person's preferences between trained
policies."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from eureka.core.types import PREFERENCE_METRIC, PREFERENCE_UNIT
from eureka.tasks.base import Task
from eureka.tasks.metric import Metric


def _zeros(state: Any) -> torch.Tensor:
    first: torch.Tensor = getattr(state, dataclasses.fields(state)[0].name)
    return torch.zeros(first.shape[0], device=first.device)


NO_METRIC = Metric(value=_zeros, reduce="last", unit=PREFERENCE_UNIT, description=PREFERENCE_METRIC)
"""Replaces the metric in training; its zeros are never shown."""


def without_metric(cls: type[Task]) -> type[Task]:
    """The class of a task that defines no metric, with a placeholder for it."""
    return type(cls.__name__, (cls,), {"metric": NO_METRIC, "__module__": cls.__module__})
