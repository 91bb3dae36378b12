"""Elements of SVG. Looks come from the page's style sheet by class; nothing here has a style of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from eureka.ui.report.text import visible


def element(name: str, *children: str | Markup, **attributes: str | float | None) -> Markup:
    """`<name ...>children</name>` with everything escaped.

    `class_` is `class`, other underscores become hyphens; an attribute of None is left out, numbers are cut to one
    decimal.
    """
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is not None:
            text = short(value) if isinstance(value, (int, float)) else str(escape(visible(value)))
            parts.append(f' {key.rstrip("_").replace("_", "-")}="{text}"')
    inside = "".join(child if isinstance(child, Markup) else str(escape(visible(child))) for child in children)
    parts.append(f">{inside}</{name}>" if inside else "/>")
    return Markup("".join(parts))


def short(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def drawing(
    children: Iterable[Markup], *, width: float, height: float, label: str, class_: str = "", **attributes: str | None
) -> Markup:
    """A whole drawing. `label` describes it for screen readers."""
    return element(
        "svg",
        *children,
        class_=class_ or None,
        viewBox=f"0 0 {short(width)} {short(height)}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
        **attributes,
    )


def polyline(points: Sequence[tuple[float, float]], class_: str) -> Markup:
    """A line through `points`; a dot where there is only one."""
    if len(points) == 1:
        return element("circle", cx=points[0][0], cy=points[0][1], r=1.5, class_=f"{class_} dot")
    return element("polyline", points=" ".join(f"{short(x)},{short(y)}" for x, y in points), class_=class_)


def label(x: float, y: float, content: str, class_: str = "", anchor: str | None = None) -> Markup:
    """A text at a place; `anchor` is start, middle or end."""
    return element("text", content, x=x, y=y, class_=class_ or None, text_anchor=anchor)
