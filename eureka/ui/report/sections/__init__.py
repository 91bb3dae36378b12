"""The sections of the report, one module each, in the order in which they stand on the page."""

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
