"""Curves of a run for those who live in TensorBoard, Weights & Biases or MLflow."""

from eureka.tracking.both import Both
from eureka.tracking.opening import require_trackers, tracking
from eureka.tracking.tracker import Sink, Tracker

__all__ = ["Both", "Sink", "Tracker", "require_trackers", "tracking"]
