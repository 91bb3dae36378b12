"""Every threshold from which on something about a reward is remarkable: the one list, for diagnosis and for proposers.

A task's metric and rewards have scales of their own, so all but `ZERO_METRIC` are relative.
"""

# ---- curves over a training; a rise is the mean of the last third minus that of the first, over the greatest value

ZERO_METRIC = 1e-3
"""A metric that never leaves [0, ZERO_METRIC) has not been moved by training: no success was seen, or nearly none."""
FLAT_RISE = 0.05
"""A metric that rises by less has not moved: the noise of one training is of this size."""
CLEAR_RISE = 0.1
"""A total that rises by more has been learned, whatever the metric says."""
CLEAR_LOSS = 0.2
"""A loss of episode length, or of the metric from its best checkpoint to its end, that is no noise."""

# ---- components, over a training or over recorded transitions

DOMINANT_SHARE = 0.9
"""Of the total's variance: what has more leaves nothing to the others."""
NEGLIGIBLE_SHARE = 0.01
"""Of the total's variance: what has less does not change what is learned."""
FLAT_STD = 1e-3
"""Of the largest standard deviation of any component: what varies less teaches nothing."""
RARELY = 0.01
"""Share of steps: what is active on fewer is not met by training."""
SATURATED_ROOM = 0.02
"""Of a component's range: one whose last third stays this near to its maximum asks for nothing more."""
SPENT = 0.25
"""A penalty that costs at most this share of what it cost at first has been learned to be avoided."""
CONSTANT_STD = 1e-6
"""Of the greatest value: smaller standard deviations are float32's rounding."""
EDGE = 0.01
"""Of a component's range: values this near to its least or greatest value are at that edge."""
HARDLY_VARIES = 0.95
"""Share of transitions at one edge from which on a component hardly varies."""

# ---- correlation of a component with the task metric

FOLLOWS = 0.5
"""From here on a dominating component serves the task, and may lead."""
OPPOSES = -0.3
"""Below this the more of a component is collected, the worse the task is done."""

# ---- beyond the recorded transitions

BEYOND = 10.0
"""How much larger than recorded the states are on which values are tried for becoming infinite."""
CLEAR_SCORE_GAP = 0.25
"""Of the range of all scores: two trajectories further apart differ clearly."""
BACKWARDS = 0.5
"""A reward that orders fewer pairs of trajectories as the task does prefers failing: chance would do better."""
