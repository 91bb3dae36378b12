"""What the numbers of a Reflection show, as typed findings. What to do about each is said in `eureka.prompts`.

The metric's scale is the task's own, so every threshold but that of zero is relative: a curve's rise is the mean of its
last third minus that of its first third, over the curve's greatest absolute value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eureka.core.types import ComponentReflection, Finding, FindingKind, Reflection

ZERO = 1e-3
"""A metric that never leaves [0, ZERO) has not been moved by training: no success was seen, or nearly none."""
FLAT_RISE = 0.05
CLEAR_RISE = 0.1
LOSS = 0.2
"""The relative loss of episode length, or of the metric from its best checkpoint to its end, that is pointed out."""
FLAT_STD = 1e-3
"""Of the largest standard deviation of any component."""
RARELY = 0.01
"""Share of steps."""
DOMINANT_SHARE = 0.9
NEGLIGIBLE_SHARE = 0.01
OPPOSED_CORRELATION = -0.3


def findings(reflection: Reflection) -> tuple[Finding, ...]:
    """What stands out: about the whole reward first, then by component in their order."""
    whole = [Finding(kind) for kind in _about_training(reflection)]
    of_components = [Finding(kind, c.name) for c in reflection.components for kind in _about_component(c, reflection)]
    return (*whole, *of_components)


def rise(points: Sequence[float]) -> float:
    """From the first third to the last, relative to the greatest absolute value; 0 for one point and for 0s only."""
    third = max(len(points) // 3, 1)
    scale = max((abs(value) for value in points), default=0.0)
    if scale == 0.0 or len(points) < 2:
        return 0.0
    return (sum(points[-third:]) - sum(points[:third])) / third / scale


def _about_training(reflection: Reflection) -> Iterator[FindingKind]:
    if not reflection.metric_points:
        return
    metric = (*reflection.metric_points, reflection.metric_max, reflection.metric_final)
    gained = rise(reflection.metric_points)
    if all(0.0 <= value < ZERO for value in metric):
        yield FindingKind.METRIC_ZERO
    elif reflection.metric_max - reflection.metric_final > LOSS * abs(reflection.metric_max):
        yield FindingKind.METRIC_FELL
    elif abs(gained) < FLAT_RISE:
        yield FindingKind.METRIC_FLAT
    elif rise(reflection.metric_points[len(reflection.metric_points) // 2 :]) >= FLAT_RISE:
        yield FindingKind.METRIC_RISING
    if gained < FLAT_RISE and rise(reflection.total_points) > CLEAR_RISE:
        yield FindingKind.REWARD_UP_METRIC_FLAT
    if gained < FLAT_RISE and rise(reflection.episode_length_points) < -LOSS:
        yield FindingKind.EPISODES_SHORTEN


def _about_component(component: ComponentReflection, reflection: Reflection) -> Iterator[FindingKind]:
    share, correlation = component.variance_share, component.metric_correlation
    if _is_flat(component, reflection):
        yield FindingKind.COMPONENT_FLAT
        return
    several = sum(not _is_flat(c, reflection) for c in reflection.components) > 1
    if several and share is not None and abs(share) < NEGLIGIBLE_SHARE:
        yield FindingKind.COMPONENT_NEGLIGIBLE
    # What is never positive is a penalty, and doing the task may well cost effort.
    elif correlation is not None and correlation < OPPOSED_CORRELATION and component.maximum > 0.0:
        yield FindingKind.COMPONENT_OPPOSES
    elif several and share is not None and share > DOMINANT_SHARE:
        yield FindingKind.COMPONENT_DOMINATES


def _is_flat(component: ComponentReflection, reflection: Reflection) -> bool:
    largest = max(c.std for c in reflection.components)
    return component.std <= FLAT_STD * largest or component.active_fraction < RARELY
