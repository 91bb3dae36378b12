"""Curves of a run for TensorBoard, Weights & Biases and MLflow."""

from eureka.ui.tracking.opening import require_trackers, tracking

__all__ = ["require_trackers", "tracking"]
