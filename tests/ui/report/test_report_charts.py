"""Charts: places and ticks worked out by hand, and drawings that hold together whatever the numbers are."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from eureka.ui.report.charts import (
    Dot,
    Frame,
    IntervalRow,
    Series,
    bar,
    compact,
    generation_chart,
    interval_plot,
    line_chart,
    quantile,
    sparkline,
)
from eureka.ui.report.lineage import LineageNode, lineage_tree
from eureka.ui.report.scale import Scale, robust_range, thinned, ticks, value_range
from eureka.ui.report.svg import element

FRAME = Frame(120, 70, left=10, right=10, top=10, bottom=10)


def tree(drawing: Markup) -> ElementTree.Element:
    """The drawing as XML; fails where it is not well formed."""
    root = ElementTree.fromstring(str(drawing))
    assert root.get("role") == "img"
    assert root.get("aria-label")
    for node in root.iter():
        for key, value in node.attrib.items():
            assert "nan" not in value.lower() or key == "aria-label", (key, value)
            assert not re.search(r"\binf\b", value), (key, value)
    return root


def test_scale_is_linear_and_stays_inside() -> None:
    scale = Scale(0.0, 10.0, 100.0, 0.0)
    assert [scale(value) for value in (0.0, 2.5, 10.0, 11.0, -5.0)] == [100.0, 75.0, 0.0, 0.0, 100.0]


@pytest.mark.parametrize(
    ("low", "high", "about", "expected"),
    [
        (0.0, 1.0, 4, (0.0, 0.5, 1.0)),
        (0.0, 1.0, 5, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        (-3.0, 7.0, 5, (-2.0, 0.0, 2.0, 4.0, 6.0)),
        (1990.0, 2060.0, 4, (2000.0, 2020.0, 2040.0, 2060.0)),
        (0.001, 0.002, 2, (0.001, 0.0015, 0.002)),
    ],
)
def test_ticks_are_round(low: float, high: float, about: int, expected: tuple[float, ...]) -> None:
    assert ticks(low, high, about) == pytest.approx(expected)


def test_a_range_is_never_empty() -> None:
    assert value_range([]) == (0.0, 1.0)
    assert value_range([math.nan, math.inf]) == (0.0, 1.0)
    assert value_range([0.0, 0.0]) == (0.0, 1.0)
    assert value_range([20.0]) == (18.0, 22.0)
    # What is never negative begins at 0, and what is never positive ends there.
    assert value_range([0.0, 10.0]) == (0.0, 10.5)
    assert value_range([-10.0, 0.0]) == (-10.5, 0.0)
    assert value_range([-1.0, 1.0]) == (-1.1, 1.1)


def test_far_outliers_below_do_not_flatten_the_rest() -> None:
    low, high = robust_range([1.0, 1.1, 1.2, 1.3, -1e6])
    assert 0.0 < low < 1.0
    assert high < 1.4
    assert robust_range([1.0, 2.0, -50.0])[0] < -50.0  # of three nothing is an outlier


def test_thinning_takes_means_of_stretches() -> None:
    assert thinned([1.0, 2.0, 3.0], 3) == (1.0, 2.0, 3.0)
    assert thinned([1.0, 3.0, 5.0, 7.0], 2) == (2.0, 6.0)
    assert len(thinned([0.0] * 1000, 60)) == 60


def test_a_line_goes_where_its_values_are() -> None:
    # y from 0 to 10.5 over 50 units: 10 is at 60 - 50 * 10 / 10.5; x from 0 to 4 over 100 units.
    root = tree(line_chart([Series("", (0.0, 2.0, 4.0), (0.0, 5.0, 10.0))], alt="a line", frame=FRAME))
    (line,) = root.findall("polyline")
    assert line.get("points") == "10,60 60,36.2 110,12.4"
    assert root.get("data-x") == "0 4 10 110"
    assert root.get("data-y") == "0 10.5 60 10"


def test_what_is_not_finite_breaks_the_line() -> None:
    values = (1.0, 2.0, math.nan, 3.0, -math.inf, 4.0, 5.0)
    drawn = line_chart([Series("s", tuple(map(float, range(7))), values)], alt="broken", frame=FRAME)
    root = tree(drawn)
    assert len(root.findall("polyline")) == 2  # the lone 3 is a dot
    assert len(root.findall("circle")) == 1
    assert 'data-names="s\ns\ns"' in drawn


def test_lines_without_anything_to_draw() -> None:
    tree(line_chart([], alt="nothing"))
    tree(line_chart([Series("", (1.0,), (math.nan,))], alt="nothing"))
    tree(sparkline([math.nan], alt="nothing", low=0, high=0))


def test_generations_have_their_dots_and_the_best_so_far() -> None:
    dots = [Dot(1, value, f"g01-c{i:02d}", f"#g01-c{i:02d}") for i, value in enumerate((1.0, 1.0, 2.0, -1e9), 1)]
    dots.append(Dot(2, 3.0, "g02-c01", "#g02-c01", "dot best"))
    root = tree(generation_chart(dots, [2.0, 3.0], alt="search", unit="m/s"))
    links = root.findall("a")
    assert [link.get("href") for link in links] == [dot.href for dot in dots]
    xs = [link.find("circle").get("cx") for link in links[:2]]  # type: ignore[union-attr]
    assert len(set(xs)) == 2  # equal scores stand side by side
    assert links[3].find("path") is not None  # far below: a triangle at the edge
    assert links[3].find("path/title").text == "g01-c04: −1.00e9"  # type: ignore[union-attr]
    (best,) = [line for line in root.findall("polyline") if line.get("class") == "line best"]
    assert best.get("points", "").count(",") == 4


def test_a_generations_band_is_of_those_that_were_trained_to_the_end() -> None:
    whole = [Dot(1, value, f"g01-c{i:02d}", "#") for i, value in enumerate((1.0, 2.0, 3.0), 1)]
    stopped = [Dot(1, 0.0, f"g01-c{i:02d}", "#", whole=False) for i in range(4, 8)]

    def bands(dots: list[Dot]) -> list[tuple[str | None, str | None]]:
        root = tree(generation_chart(dots, [3.0, 3.0], alt="search", unit="m/s"))
        return [(r.get("y"), r.get("height")) for r in root.findall("rect") if r.get("class") == "band"]

    assert bands([*whole, *stopped]) == bands([*whole, *(replace(dot, group=2) for dot in stopped)])
    assert len(bands([*whole, *stopped])) == 1
    assert bands(stopped) == []


def test_quartiles_between_values() -> None:
    assert [quantile([1.0, 2.0, 3.0, 4.0], share) for share in (0.0, 0.25, 0.5, 1.0)] == [1.0, 1.75, 2.5, 4.0]
    assert quantile([7.0], 0.25) == 7.0


def test_interval_plot_has_a_row_for_each_and_skips_what_is_not_known() -> None:
    rows = [
        IntervalRow("best", (1.0, 2.0, math.nan), 1.5, (1.0, 2.0)),
        IntervalRow("alone", (1.0,), 1.0, None),
        IntervalRow("failed", (), None, None),
    ]
    root = tree(interval_plot(rows, alt="evaluation", unit="s"))
    assert len([c for c in root.findall("circle") if "seed" in c.get("class", "")]) == 3
    assert len([r for r in root.findall("rect") if "band" in r.get("class", "")]) == 1
    assert [t.text for t in root.findall("text") if t.get("class") == "value"] == ["1.50", "1.00"]


def test_bars_show_the_size_and_the_sign() -> None:
    assert tree(bar(0.5, alt="half")).find("rect").get("width") == "40"  # type: ignore[union-attr]
    hollow = tree(bar(-2.0, alt="negative")).find("rect")
    assert (hollow.get("width"), hollow.get("class")) == ("80", "hollow")  # type: ignore[union-attr]


def test_compact_steps() -> None:
    assert [compact(v) for v in (0, 999, 450_560, 1_200_000, 3e9)] == ["0", "999", "451k", "1.2M", "3G"]


def test_everything_in_an_element_is_escaped() -> None:
    drawn = element("text", '<script>&"\u202e', x=1, aria_label='"><script>')
    assert drawn == '<text x="1" aria-label="&#34;&gt;&lt;script&gt;">&lt;script&gt;&amp;&#34;⟨U+202E⟩</text>'


def test_lineage_orders_by_score_and_marks_where_the_best_came_from() -> None:
    nodes = [
        LineageNode("g01-c01", 1, (), 1.0, "trained"),
        LineageNode("g01-c02", 1, (), 2.0, "trained"),
        LineageNode("g01-c03", 1, (), None, "rejected", "trace"),
        LineageNode("g02-c01", 2, ("g01-c02",), 3.0, "trained", best=True),
        LineageNode("g02-c02", 2, ("g01-c02",), 2.0, "duplicate", "= g01-c02"),
        LineageNode("g02-c03", 2, ("g01-c02",), None, "pending"),
    ]
    root = tree(lineage_tree(nodes, alt="lineage"))
    heights = {link.get("data-id"): float(link.find("text").get("y")) for link in root.findall("a")}  # type: ignore
    assert heights["g01-c02"] < heights["g01-c01"] < heights["g01-c03"]
    edges = {path.get("data-child"): path.get("class") for path in root.findall("path")}
    assert edges == {"g02-c01": "edge main", "g02-c02": "edge", "g02-c03": "edge"}
    words = {link.get("data-id"): link.get("aria-label") for link in root.findall("a")}
    assert words["g02-c02"] == "g02-c02, 2.00, = g01-c02"
    assert words["g01-c03"] == "g01-c03, trace"


def test_a_line_over_a_generation_passes_between_the_names_of_those_in_it() -> None:
    """Rows are 22 high from y = 30 on and columns 204 apart from x = 14 on; a name is written 13 to 149 to the right
    of its mark, in the middle of its row.
    """
    first = [LineageNode(f"g01-c{number:02d}", 1, (), 10.0 - number, "trained") for number in range(1, 5)]
    between = [LineageNode(f"g02-c{number:02d}", 2, (), 10.0 - number, "trained") for number in range(1, 5)]
    last = [
        LineageNode(f"g03-c{number:02d}", 3, (f"g01-c{number:02d}",), 10.0 - number, "trained") for number in (1, 3, 4)
    ]
    paths = [
        path.get("d") or "" for path in tree(lineage_tree([*first, *between, *last], alt="lineage")).findall("path")
    ]
    assert len(paths) == 3
    for path in paths:
        straight = re.search(r" (\d+) (\d+)h(\d+)C", path)
        assert straight is not None, path
        left, height, length = map(int, straight.groups())
        assert left < 14 + 204 - 9
        assert left + length > 14 + 204 + 149 - 1
        assert (height - 30) % 22 == 0, path


def test_a_lineage_of_nothing_and_of_a_circle() -> None:
    tree(lineage_tree([], alt="nothing"))
    circle = [
        LineageNode("g01-c01", 1, ("g01-c02",), 1.0, "trained", best=True),
        LineageNode("g01-c02", 1, ("g01-c01",), 1.0, "trained"),
    ]
    tree(lineage_tree(circle, alt="cannot be"))
