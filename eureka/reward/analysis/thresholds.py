"""All thresholds of diagnoses, used by diagnosis and by proposers.

Metrics and rewards of tasks differ in scale, so all thresholds except `ZERO_METRIC` are relative.
"""

# ---- curves over a training; a rise is the mean of the last third minus that of the first, over the greatest value

ZERO_METRIC = 1e-3
"""A metric that stays in [0, ZERO_METRIC) was not changed by training: there was (almost) no success."""
FLAT_RISE = 0.05
"""A metric with a smaller rise has not changed: the noise of one training is of this size."""
CLEAR_RISE = 0.1
"""A total with a larger rise has been learned, whatever the metric shows."""
CLEAR_LOSS = 0.2
"""A loss of episode length, or of the metric from its best checkpoint to the end, that exceeds noise."""

# ---- components, over a training or over recorded transitions

DOMINANT_SHARE = 0.9
"""Share of the total's variance above which a component leaves nothing to the others."""
NEGLIGIBLE_SHARE = 0.01
"""Share of the total's variance below which a component does not change what is learned."""
FLAT_STD = 1e-3
"""Share of the largest standard deviation of any component below which a component gives no learning signal."""
RARELY = 0.01
"""Share of steps: a component that is active on fewer is hardly met in training."""
SATURATED_ROOM = 0.02
"""Share of a component's range: if its last third stays this near to its maximum, it has no room left."""
SPENT = 0.25
"""A penalty that costs at most this share of its initial cost has been learned to be avoided."""
CONSTANT_STD = 1e-6
"""Share of the greatest value below which a standard deviation is float32 rounding error."""
EDGE = 0.01
"""Share of a component's range: values this near to its minimum or maximum count as being there."""
HARDLY_VARIES = 0.95
"""Share of transitions at one end of its range above which a component hardly varies."""

# ---- correlation of a component with the task metric

FOLLOWS = 0.5
"""Correlation above which a dominating component serves the task, and may dominate."""
OPPOSES = -0.3
"""Correlation below which collecting more of a component means doing the task worse."""

# ---- beyond the recorded transitions

BEYOND = 10.0
"""Factor by which recorded states are enlarged to test whether values become infinite."""
CLEAR_SCORE_GAP = 0.25
"""Share of the range of all scores: two trajectories that differ by more are clearly different."""
BACKWARDS = 0.5
"""A reward that orders a smaller share of pairs as the task does prefers failing: chance would do better."""
