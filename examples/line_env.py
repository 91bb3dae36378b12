"""A Gymnasium environment by the class itself, in this folder:

    eureka run env=line_env:Line metric=info.is_success "description=stop at the target"

The language model is shown the docstring of the class, without what it says of rewards; its table names the State.
"""

import gymnasium
import numpy as np
from gymnasium import spaces


class Line(gymnasium.Env):
    """The goal is to stop at the target, on a line.

    ## Observation Space

    | Num | Observation | Min | Max | Unit |
    | --- | --- | --- | --- | --- |
    | 0 | position | -2 | 2 | m |
    | 1 | velocity | -2 | 2 | m/s |
    | 2 | position of the target | -1 | 1 | m |

    ## Rewards
    1 at the target, else 0.
    """

    metadata = {"render_modes": [], "render_fps": 20}
    observation_space = spaces.Box(-2.0, 2.0, (3,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        self._place, self._speed, self._steps = 0.0, 0.0, 0
        self._target = float(self.np_random.uniform(-1, 1))
        return self._seen(), {}

    def step(self, action):
        self._speed = float(np.clip(self._speed + 0.1 * float(action[0]), -2, 2))
        self._place = float(np.clip(self._place + 0.05 * self._speed, -2, 2))
        self._steps += 1
        is_there = abs(self._place - self._target) < 0.1 and abs(self._speed) < 0.2
        return self._seen(), float(is_there), False, self._steps >= 100, {"is_success": is_there}

    def _seen(self):
        return np.array([self._place, self._speed, self._target], np.float32)
