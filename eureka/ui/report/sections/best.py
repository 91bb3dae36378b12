"""The best reward: its code, its film and the baselines', and how it learned."""

from __future__ import annotations

from markupsafe import Markup

from eureka.ui.report.code import highlighted
from eureka.ui.report.section import ReportView, Section
from eureka.ui.report.templating import fill

MAX_SOURCE = 40_000
"""Maximum number of characters of its code."""


def render(view: ReportView) -> Markup:
    """Films, code and curves, or a sentence that there is no best reward yet."""
    best = view.run.best
    return fill(
        "best.jinja2",
        run=view.run,
        films=view.films,
        code=highlighted(best.source[:MAX_SOURCE]) if best else None,
        part=next((part for part in view.parts if best and part.view.id == best.id), None),
        folder=view.folder,
    )


SECTION = Section("best", "Best", render)
