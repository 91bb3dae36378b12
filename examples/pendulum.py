"""A Gymnasium environment by a file, with a State and a metric of its own: eureka run env=pendulum.py

The State says what the observation means, and the metric is the time upright in place of the environment's return.
"""

import gymnasium
import numpy as np


class Pendulum:
    sentence = "swing the pendulum up and hold it upright with little torque"
    fields = {
        "angle": ("rad", "from upright, -pi to pi, positive to the left"),
        "angular_velocity": ("rad/s", "of the pendulum"),
        "torque": ("N m", "that was applied in this step"),
        "torque_change": ("N m", "since the step before"),
    }
    metric_description, metric_unit = "time with the pendulum within 0.2 rad of upright", "s"
    metric_range, metric_best = (0.0, 10.0), 10.0

    def make(self, **kwargs):
        return gymnasium.make("Pendulum-v1", **kwargs)

    def state(self, step):
        cosine, sine, speed = step.observation
        return {
            "angle": np.arctan2(sine, cosine),
            "angular_velocity": speed,
            "torque": step.action[0],
            "torque_change": step.action[0] - step.previous_action[0],
        }

    def metric(self, episode):
        """seconds near upright"""
        return sum(0.05 for state in episode.state if abs(state["angle"]) < 0.2)
