"""A run as one HTML file: what was tried, what the policies learned, and why the next reward changed."""

from eureka.ui.report.page import render_comparison, render_report, render_runs, write_report
from eureka.ui.report.views import RunEntry

__all__ = ["RunEntry", "render_comparison", "render_report", "render_runs", "write_report"]
