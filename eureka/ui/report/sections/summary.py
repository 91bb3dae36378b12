"""The result of the run, and the run's facts in one line."""

from __future__ import annotations

from markupsafe import Markup

from eureka.ui.report.reading import proposers
from eureka.ui.report.section import ReportView, Section
from eureka.ui.report.templating import fill


def render(view: ReportView) -> Markup:
    """The headline, how sure it is, and the facts."""
    return fill(
        "summary.jinja2",
        run=view.run,
        headline=view.headline,
        proposer=proposers(view.run),
        total=view.spending,
    )


SECTION = Section("verdict", "", render)
