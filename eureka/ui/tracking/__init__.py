"""Curves of a run for TensorBoard, Weights & Biases and MLflow."""

from eureka.ui.tracking.opening import require_trackers, tracking
from eureka.ui.tracking.tracker import Sink, Tracker

__all__ = ["Sink", "Tracker", "require_trackers", "tracking"]
