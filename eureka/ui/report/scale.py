"""Linear scales from values to coordinates of a chart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A linear map from [low, high] to [start, end] (in SVG units)."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The coordinate of `value`, clamped to the chart."""
        span = self.high - self.low
        # Beyond about 1e16 a margin is lost in rounding, so all values are treated as equal.
        share = (value - self.low) / span if span > 0 else 0.0
        return self.start + (self.end - self.start) * min(max(share, 0.0), 1.0)


def value_range(values: Iterable[float], *, margin: float = 0.05) -> tuple[float, float]:
    """Lowest and highest finite value with a margin; never empty, so that constants have a scale too."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    if low == high == 0.0:
        return 0.0, 1.0
    room = (high - low) * margin or abs(high) * 0.1 or 1.0
    # Zero is a meaningful end for values that never cross it.
    bottom = low - room if low < 0 or low - room > 0 else 0.0
    top = high + room if high > 0 or high + room < 0 else 0.0
    return bottom, top


def robust_range(values: Sequence[float]) -> tuple[float, float]:
    """`value_range` without outliers far below the others, which would compress all other differences."""
    finite = sorted(value for value in values if math.isfinite(value))
    if len(finite) < 4:
        return value_range(finite)
    quarter, three_quarters = finite[len(finite) // 4], finite[3 * len(finite) // 4]
    bound = quarter - 3 * (three_quarters - quarter)
    return value_range([value for value in finite if value >= bound])


def ticks(low: float, high: float, about: int = 4) -> tuple[float, ...]:
    """Round numbers within [low, high], about `about` of them: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(round(index * step, 12) for index in range(first, last + 1))


def thinned(values: Sequence[float], most: int) -> tuple[float, ...]:
    """At most `most` values: means of consecutive stretches of about equal length."""
    count = len(values)
    if count <= most:
        return tuple(values)
    bounds = [round(index * count / most) for index in range(most + 1)]
    return tuple(sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(bounds))
