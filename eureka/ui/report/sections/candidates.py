"""Every candidate: its curves, its code and the changes in it, prompts and answers."""

from __future__ import annotations

from markupsafe import Markup

from eureka.ui.report.candidates import MAX_TEXT
from eureka.ui.report.section import ReportView, Section
from eureka.ui.report.templating import fill
from eureka.ui.report.text import excerpt

MAX_PROMPT = 40_000
"""Maximum number of characters of each message of a prompt."""


def render(view: ReportView) -> Markup:
    """The list of candidates, and the prompts of their generations."""
    asked = [(g.number, g.prompt.messages) for g in view.run.generations if g.prompt is not None]
    return fill(
        "candidates.jinja2",
        run=view.run,
        films=view.films,
        parts=view.parts,
        prompts=[(number, [(m.role, excerpt(m.content, MAX_PROMPT)) for m in messages]) for number, messages in asked],
        texts=[(t.candidate_id, excerpt(t.text, MAX_TEXT)) for g in view.run.generations for t in g.texts],
        prompted={number for number, _ in asked},
    )


SECTION = Section("candidates", "Candidates", render)
