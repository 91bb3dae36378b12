"""Charts as inline SVG, made by pure functions. The page shows a table of the numbers with each chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eureka.ui.report.scale import Scale, robust_range, thinned, ticks, value_range
from eureka.ui.report.svg import drawing, element, label, polyline
from eureka.ui.report.text import number, tick_text

MAX_POINTS = 60
"""Maximum number of points of a line: more cannot be distinguished at the width of a chart."""


@dataclass(frozen=True)
class Series:
    """One line. `kind` is its CSS class: `main`, `faint`, `s1` to `s6`."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    kind: str = "main"


@dataclass(frozen=True)
class Dot:
    """One candidate in the chart of a search; `href` links to it.

    `whole`: it was trained to the end, so its score is comparable with others.
    """

    group: int
    value: float
    name: str
    href: str
    kind: str = "dot"
    whole: bool = True


@dataclass(frozen=True)
class IntervalRow:
    """One row of an interval plot: single values, their centre, and the interval of the centre."""

    name: str
    values: tuple[float, ...]
    centre: float | None
    interval: tuple[float, float] | None
    kind: str = "main"


@dataclass(frozen=True)
class Frame:
    """The plot area of a chart in SVG units."""

    width: float
    height: float
    left: float = 46.0
    right: float = 10.0
    top: float = 8.0
    bottom: float = 22.0


def line_chart(
    series: Sequence[Series], *, alt: str, frame: Frame | None = None, max_points: int = MAX_POINTS
) -> Markup:
    """Lines over a common x axis. A value that is not finite interrupts its line.

    The scales are stored in `data-` attributes, from which the page's script computes the values under the pointer.
    """
    frame = frame or Frame(256, 128)
    drawn = [thin(one, max_points) for one in series]
    low, high = value_range(value for one in drawn for value in one.y)
    left, right = _x_range(drawn)
    across = Scale(left, right, frame.left, frame.width - frame.right)
    up = Scale(low, high, frame.height - frame.bottom, frame.top)
    parts = [*_y_axis(up, frame, about=3), *_x_axis(across, frame)]
    for one in drawn:
        parts += [polyline(run, f"line {one.kind}") for run in _runs(one, across, up)]
    return drawing(
        parts,
        width=frame.width,
        height=frame.height,
        label=alt,
        class_="chart",
        data_x=_numbers(across.low, across.high, across.start, across.end),
        data_y=_numbers(up.low, up.high, up.start, up.end),
        data_names="\n".join(one.name for one in drawn for _ in _runs(one, across, up)),
    )


def sparkline(y: Sequence[float], *, alt: str, low: float, high: float, share: float = 1.0) -> Markup:
    """A word-sized line between given bounds, without axes, over a share of the width."""
    thinner = thinned(y, 24)
    across = Scale(0, max(len(thinner) - 1, 1), 1, 1 + 70 * share)
    up = Scale(low, high if high > low else low + 1, 17, 3)
    points = [(across(i), up(value)) for i, value in enumerate(thinner) if math.isfinite(value)]
    lines = [polyline(points, "line main")] if points else []
    return drawing(lines, width=72, height=20, label=alt, class_="spark")


def generation_chart(dots: Sequence[Dot], best_so_far: Sequence[float | None], *, alt: str, unit: str) -> Markup:
    """Every candidate's score by generation (from 1), and the best so far as a line in steps.

    Scores far below the others are drawn as triangles at the lower edge.
    """
    count = len(best_so_far)
    frame = Frame(min(1040, 110 + 186 * count), 320, left=52, top=20, bottom=34)
    low, high = robust_range([dot.value for dot in dots])
    up = Scale(low, high, frame.height - frame.bottom, frame.top)
    across = Scale(0.5, count + 0.5, frame.left, frame.width - frame.right)
    parts = [*_y_axis(up, frame, about=5), label(4, 11, unit, "axis")]
    for generation in range(1, count + 1):
        parts.append(label(across(generation), frame.height - 14, f"generation {generation}", "axis", "middle"))
        whole = [dot.value for dot in dots if dot.group == generation and dot.whole]
        parts += _spread(whole, across(generation), up)
    parts.append(_steps(best_so_far, across, up))
    for generation in range(1, count + 1):
        column = [dot for dot in dots if dot.group == generation]
        parts += [_dot(dot, x, up) for dot, x in zip(column, _places(column, across(generation), up), strict=True)]
    return drawing(parts, width=frame.width, height=frame.height, label=alt, class_="chart wide")


def interval_plot(rows: Sequence[IntervalRow], *, alt: str, unit: str) -> Markup:
    """One row for each method: its values as dots, the centre as a bar, the interval as a band."""
    height = 34 * len(rows) + 40
    values = [value for row in rows for value in (*row.values, *(row.interval or ()))]
    frame = Frame(720, height, left=150, right=70, top=6, bottom=34)
    low, high = value_range(values)
    across = Scale(low, high, frame.left, frame.width - frame.right)
    parts = [_grid_x(across, tick, frame) for tick in ticks(low, high, 6)]
    parts.append(label(frame.width - frame.right, height - 2, unit, "axis", "end"))
    for index, row in enumerate(rows):
        parts += _interval_row(row, 6 + 34 * index + 17, across, frame)
    return drawing(parts, width=frame.width, height=height, label=alt, class_="chart wide")


def bar(share: float, *, alt: str) -> Markup:
    """A horizontal bar for a share between 0 and 1; negative shares are drawn hollow."""
    width = 80 * min(abs(share), 1.0)
    inside = element("rect", x=0, y=1, width=max(width, 0.5), height=8, class_="hollow" if share < 0 else "fill")
    return drawing([inside], width=80, height=10, label=alt, class_="bar")


def thin(series: Series, most: int) -> Series:
    """The series reduced to at most `most` points, each the mean of a stretch."""
    return Series(series.name, thinned(series.x, most), thinned(series.y, most), series.kind)


def _x_range(series: Sequence[Series]) -> tuple[float, float]:
    ends = [value for one in series for value in one.x]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    return (0.0 if 0 < low < 0.2 * high else low), (high if high > low else low + 1.0)


def _runs(series: Series, across: Scale, up: Scale) -> list[list[tuple[float, float]]]:
    """The stretches of finite values as coordinates, cut to the shorter of x and y, since records may have been edited
    by hand.
    """
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(series.x, series.y, strict=False):
        if math.isfinite(y):
            runs[-1].append((across(x), up(y)))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _y_axis(up: Scale, frame: Frame, about: int) -> list[Markup]:
    parts = []
    for tick in ticks(up.low, up.high, about):
        y = up(tick)
        parts.append(element("line", x1=frame.left, x2=frame.width - frame.right, y1=y, y2=y, class_="grid"))
        parts.append(label(frame.left - 6, y + 3.5, tick_text(tick), "axis", "end"))
    return parts


def _x_axis(across: Scale, frame: Frame) -> list[Markup]:
    y = frame.height - 6
    return [
        label(across.start, y, compact(across.low), "axis", "start"),
        label(across.end, y, compact(across.high), "axis", "end"),
    ]


def _grid_x(across: Scale, tick: float, frame: Frame) -> Markup:
    x, bottom = across(tick), frame.height - frame.bottom
    line = element("line", x1=x, x2=x, y1=frame.top, y2=bottom, class_="grid")
    return line + label(x, bottom + 15, tick_text(tick), "axis", "middle")


def compact(value: float) -> str:
    """A number of steps as text for an axis: `450k`, `1.2M`."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{suffix}"
    return f"{value:.3g}"


def _spread(values: Sequence[float], x: float, up: Scale) -> list[Markup]:
    """The middle half of a generation's scores as a band, and their median as a line."""
    ordered = sorted(values)
    if len(ordered) < 3:
        return []
    low, middle, high = (quantile(ordered, share) for share in (0.25, 0.5, 0.75))
    band = element("rect", x=x - 34, width=68, y=up(high), height=max(up(low) - up(high), 1), class_="band", rx=3)
    return [band, element("line", x1=x - 34, x2=x + 34, y1=up(middle), y2=up(middle), class_="median")]


def quantile(ordered: Sequence[float], share: float) -> float:
    """Quantile of sorted values, with linear interpolation between neighbours."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _steps(best_so_far: Sequence[float | None], across: Scale, up: Scale) -> Markup:
    points: list[tuple[float, float]] = []
    for generation, value in enumerate(best_so_far, start=1):
        if value is not None:
            points += [(across(generation - 0.5), up(value)), (across(generation + 0.5), up(value))]
    return polyline(points, "line best") if points else Markup("")


def _places(column: Sequence[Dot], centre: float, up: Scale) -> list[float]:
    """An x coordinate for each dot, so that dots at the same height are drawn side by side."""
    order = [0, 1, -1, 2, -2, 3, -3, 4, -4]
    taken: list[tuple[float, float]] = []
    places = []
    for dot in column:
        y = up(dot.value)
        offsets = (9.0 * step for step in order)
        free = (o for o in offsets if all(abs(y - other) >= 9 or abs(o - used) > 1 for used, other in taken))
        offset = next(free, 0.0)
        taken.append((offset, y))
        places.append(centre + offset)
    return places


def _dot(dot: Dot, x: float, up: Scale) -> Markup:
    y = up(dot.value)
    title = element("title", f"{dot.name}: {number(dot.value)}")
    if dot.value < up.low:
        mark = element("path", title, d=f"M{x - 4:.1f} {y - 8:.1f}h8l-4 7z", class_=dot.kind)
    else:
        mark = element("circle", title, cx=x, cy=y, r=5.5 if "best" in dot.kind else 4, class_=dot.kind)
    return element("a", mark, href=dot.href, aria_label=f"{dot.name}, {number(dot.value)}", data_id=dot.name)


def _interval_row(row: IntervalRow, y: float, across: Scale, frame: Frame) -> list[Markup]:
    parts = [label(frame.left - 14, y + 4, row.name, "name", "end")]
    if row.interval is not None:
        low, high = (across(value) for value in row.interval)
        parts.append(
            element("rect", x=low, width=max(high - low, 1), y=y - 8, height=16, rx=3, class_=f"band {row.kind}")
        )
    for index, value in enumerate(row.values):
        if math.isfinite(value):
            parts.append(
                element(
                    "circle",
                    element("title", number(value, 4)),
                    cx=across(value),
                    cy=y + (index % 3 - 1) * 3,
                    r=3,
                    class_=f"seed {row.kind}",
                )
            )
    if row.centre is not None:
        x = across(row.centre)
        parts.append(element("line", x1=x, x2=x, y1=y - 11, y2=y + 11, class_=f"centre {row.kind}"))
        parts.append(label(frame.width - frame.right + 10, y + 4, number(row.centre), "value"))
    return parts


def _numbers(*values: float) -> str:
    return " ".join(f"{value:.6g}" for value in values)
