"""Renders a run, several runs or a list of runs as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eureka.store import RunStore
from eureka.ui.report.comparing import comparison_page
from eureka.ui.report.reading import read_run
from eureka.ui.report.section import ReportView
from eureka.ui.report.sections import SECTIONS
from eureka.ui.report.templating import page
from eureka.ui.report.views import RunEntry
from eureka.ui.report.writer import REPORT


def render_report(store: RunStore, live_script: str = "") -> str:
    """The report of a run, whether it has finished or not.

    Args:
        live_script: see `eureka.ui.report.templating.page`.

    Raises:
        StoreError: the run cannot be read.
    """
    view = ReportView(read_run(store))
    sections = [(section, section.render(view)) for section in SECTIONS]
    return page("report.jinja2", live_script, run=view.run, headline=view.headline, sections=sections)


def write_report(store: RunStore) -> Path:
    """Write `report.html` into the run folder, atomically, and return its path.

    Raises:
        StoreError: the run cannot be read, or the file not be written.
    """
    return store.write_file(REPORT, render_report(store))


def render_comparison(stores: Sequence[RunStore]) -> str:
    """Several runs side by side, in the order given.

    Raises:
        StoreError: a run cannot be read.
    """
    return page("compare.jinja2", page=comparison_page([read_run(store) for store in stores]))


def render_runs(runs: Sequence[RunEntry], live_script: str = "") -> str:
    """A page with a list of runs, for a server that has their reports at `runs/NAME/`."""
    return page("runs.jinja2", live_script, runs=runs)
