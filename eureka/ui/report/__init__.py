"""Renders a run as one HTML file: the candidates, what their policies learned, and why each reward was changed."""

from eureka.ui.report.page import render_comparison, render_report, render_runs, write_report
from eureka.ui.report.views import RunEntry

__all__ = ["RunEntry", "render_comparison", "render_report", "render_runs", "write_report"]
