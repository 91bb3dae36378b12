"""MLflow: one run for the search and one below it for each training."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from eureka.ui.tracking.tracker import SEARCH

MAX_BATCH = 1000
"""Maximum number of points that MLflow accepts in one call."""


class MlflowSink:
    """Logs to an experiment.

    Args:
        uri: where MLflow keeps its runs.
        run: a unique name of this search, kept when it is resumed.

    Raises:
        MlflowException: MLflow refuses the connection.
    """

    name = "MLflow"

    def __init__(self, uri: str, experiment: str, run: str) -> None:
        from mlflow import MlflowClient, entities, exceptions

        # MLflow's log lines about its database tables would break the live table.
        for library in ("mlflow", "alembic"):
            logging.getLogger(library).setLevel(logging.WARNING)
        self.errors: tuple[type[Exception], ...] = (exceptions.MlflowException, OSError)
        self._metric: Any = entities.Metric
        self._client: Any = MlflowClient(tracking_uri=uri)
        found = self._client.get_experiment_by_name(experiment)
        self._experiment = found.experiment_id if found else self._client.create_experiment(experiment)
        self._run = run
        self._runs: dict[str, str] = {}
        self._open(SEARCH)

    def points(self, group: str, steps: Sequence[int], values: Mapping[str, Sequence[float]]) -> None:
        """See `Sink`."""
        now_ms = int(time.time() * 1000)
        metrics = [
            self._metric(name, float(value), now_ms, step)
            for name, curve in values.items()
            for step, value in zip(steps, curve, strict=True)
        ]
        run = self._open(group)
        for start in range(0, len(metrics), MAX_BATCH):
            self._client.log_batch(run, metrics=metrics[start : start + MAX_BATCH])

    def _open(self, group: str) -> str:
        if group not in self._runs:
            name = f"{self._run} {group}"
            known = self._client.search_runs([self._experiment], filter_string=f"tags.eureka = '{name}'")
            self._runs[group] = known[0].info.run_id if known else self._create(group, name)
        return self._runs[group]

    def _create(self, group: str, name: str) -> str:
        tags = {"eureka": name, **({} if group == SEARCH else {"mlflow.parentRunId": self._open(SEARCH)})}
        run: str = self._client.create_run(self._experiment, tags=tags, run_name=name).info.run_id
        return run

    def close(self) -> None:
        """See `Sink`."""
        for run in self._runs.values():
            self._client.set_terminated(run)
