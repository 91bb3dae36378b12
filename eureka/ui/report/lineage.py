"""The lineage of a search: a column for each generation, and a line from every parent to its children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eureka.ui.report.scale import Scale
from eureka.ui.report.svg import drawing, element, label
from eureka.ui.report.text import number

ROW = 22.0
COLUMN = 204.0
TOP = 30.0
LABEL = 149.0
"""The width of a candidate's mark and label."""


@dataclass(frozen=True)
class LineageNode:
    """One candidate. `note` has its stage of rejection, or that it is a duplicate; `score` is None if untrained.

    `kind` is the CSS class of its mark: trained, rejected, duplicate or pending.
    """

    id: str
    generation: int
    parents: tuple[str, ...]
    score: float | None
    kind: str
    note: str = ""
    best: bool = False


def lineage_tree(nodes: Sequence[LineageNode], *, alt: str) -> Markup:
    """The tree as SVG. Within a generation the best is at the top, and the rejected are at the bottom.

    A line over several generations passes between the rows of those in between, so that it crosses no name.
    """
    generations = sorted({node.generation for node in nodes})
    columns = {g: sorted((n for n in nodes if n.generation == g), key=_rank) for g in generations}
    places = {
        node.id: (14.0 + COLUMN * column, TOP + ROW * row + ROW / 2)
        for column, generation in enumerate(generations)
        for row, node in enumerate(columns[generation])
    }
    parents = {parent for node in nodes for parent in node.parents}
    ancestry = _ancestry(nodes)
    ends = {node.id: (places[node.id][0] + _text_width(node), places[node.id][1]) for node in nodes}
    edges = [
        _edge(ends[parent], places[node.id], node.id, parent, ancestry)
        for node in nodes
        for parent in node.parents
        if parent in places
    ]
    heads = [
        label(14.0 + COLUMN * column - 6, 16, f"generation {generation}" if generation else "start", "axis")
        for column, generation in enumerate(generations)
    ]
    scores = [node.score for node in nodes if node.score is not None]
    shade = Scale(min(scores), max(scores), 0.0, 4.0) if len(set(scores)) > 1 else None
    marks = [_mark(node, *places[node.id], shade, node.id in parents) for node in nodes]
    height = TOP + ROW * max((len(column) for column in columns.values()), default=0) + 6
    width = COLUMN * max(len(generations), 1)
    return drawing([*edges, *heads, *marks], width=width, height=height, label=alt, class_="lineage")


def _rank(node: LineageNode) -> tuple[bool, float, str]:
    return (node.score is None, -(node.score or 0.0), node.id)


def _ancestry(nodes: Sequence[LineageNode]) -> frozenset[str]:
    """The best candidate and its ancestors."""
    by_id = {node.id: node for node in nodes}
    found: set[str] = set()
    waiting = [node.id for node in nodes if node.best]
    while waiting:
        name = waiting.pop()
        if name in by_id and name not in found:
            found.add(name)
            waiting += by_id[name].parents
    return frozenset(found)


def _edge(
    start: tuple[float, float], end: tuple[float, float], child: str, parent: str, ancestry: frozenset[str]
) -> Markup:
    x, y = start
    path = f"M{x:.0f} {y:.0f}"
    for to_x, to_y, through in [*_lanes(start, end), (end[0] - 7, end[1], 0.0)]:
        bend = (to_x - x) / 2
        path += f"C{x + bend:.0f} {y:.0f} {to_x - bend:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"
        path += f"h{through:.0f}" if through else ""
        x, y = to_x + through, to_y
    kind = "edge main" if child in ancestry and parent in ancestry else "edge"
    return element("path", d=path, class_=kind, data_child=child, data_parent=parent)


def _lanes(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float, float]]:
    """Where a line enters each column between its ends, on a border of two rows, and how far it goes straight on."""
    before = 12.0  # the radius of a ring around a mark, and a gap
    first, last = int((start[0] - 14.0) // COLUMN) + 1, round((end[0] - 14.0) / COLUMN)
    lanes = []
    for column in range(first, last):
        x = 14.0 + COLUMN * column - before
        y = start[1] + (end[1] - start[1]) * (x - start[0]) / (end[0] - start[0])
        lanes.append((x, TOP + ROW * max(round((y - TOP) / ROW), 0), LABEL + before))
    return lanes


def _text_width(node: LineageNode) -> float:
    """The approximate width of a candidate's label, in bold as for parents."""
    value = number(node.score) if node.score is not None else ""
    return (
        20 + 7.0 * len(node.id.partition("-")[2]) + 6 + 6.8 * len(value) + (6 + 6.0 * len(node.note)) * bool(node.note)
    )


def _mark(node: LineageNode, x: float, y: float, shade: Scale | None, is_parent: bool) -> Markup:
    words = [node.id, *([number(node.score)] if node.score is not None else []), *([node.note] if node.note else [])]
    title = element("title", ", ".join(words))
    level = f" v{round(shade(node.score))}" if shade and node.score is not None else " v4" if node.score else ""
    if node.kind == "rejected":
        mark = element("path", d=f"M{x - 3.5:.1f} {y - 3.5:.1f}l7 7m0-7l-7 7", class_="cross")
    else:
        mark = element("circle", cx=x, cy=y, r=6 if node.best else 4.5, class_=f"node {node.kind}{level}")
    ring = element("circle", cx=x, cy=y, r=9, class_="ring") if node.best else Markup("")
    name = element("tspan", node.id.partition("-")[2], class_="id")
    value = element("tspan", number(node.score) if node.score is not None else node.note, dx=6, class_="value")
    extra = element("tspan", node.note, dx=6, class_="note") if node.score is not None and node.note else Markup("")
    text = element("text", name, value, extra, x=x + 13, y=y + 4, class_="parent" if is_parent else None)
    hit = element("rect", x=x - 9, y=y - ROW / 2, width=LABEL + 9, height=ROW, class_="hit", rx=4)
    return element("a", title, hit, ring, mark, text, href=f"#{node.id}", aria_label=", ".join(words), data_id=node.id)
