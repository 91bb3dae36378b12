"""The sections of the report, one module each, in the order of the page.

To add one: a module here with a `SECTION`, and its line in `SECTIONS`. Longer HTML goes into a template of its own.
"""

from eureka.ui.report.section import Section
from eureka.ui.report.sections import best, candidates, components, evaluation, provenance, search, summary

SECTIONS: tuple[Section, ...] = (
    summary.SECTION,
    best.SECTION,
    search.SECTION,
    candidates.SECTION,
    components.SECTION,
    evaluation.SECTION,
    provenance.SECTION,
)
