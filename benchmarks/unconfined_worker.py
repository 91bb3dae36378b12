"""A training worker that neither warms up nor gives anything up: what `confinement.py` compares with."""

from __future__ import annotations

from eureka.physics import Engine
from eureka.sandbox import LayerReport
from eureka.sandbox.worker_profile import worker_unconfined
from eureka.tasks import Task
from eureka.trainers.population import worker


def _unconfined(task: Task, engine: Engine) -> tuple[LayerReport, ...]:
    del task, engine
    return worker_unconfined("to measure what it costs")


if __name__ == "__main__":
    worker._confined = _unconfined
    worker.main()
