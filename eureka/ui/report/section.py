"""A section of the report, and what all sections are given."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from eureka.ui.report.candidates import CandidatePart, candidate_parts
from eureka.ui.report.films import RunFilms, run_films
from eureka.ui.report.headline import Headline, headline
from eureka.ui.report.reading import spending
from eureka.ui.report.views import RunView, Spending


@dataclass(frozen=True)
class ReportView:
    """A run, and what several sections show of it."""

    run: RunView

    @cached_property
    def headline(self) -> Headline:
        """What the run found."""
        return headline(self.run)

    @cached_property
    def films(self) -> RunFilms:
        """The films that lie in the run folder."""
        return run_films(self.run)

    @cached_property
    def parts(self) -> list[CandidatePart]:
        """All candidates with their figures and texts."""
        return candidate_parts(self.run)

    @cached_property
    def spending(self) -> Spending:
        """What all answers took together."""
        return spending(self.run.answers)

    @property
    def folder(self) -> str:
        """The run folder, as a word of a command line."""
        return shlex.quote(str(self.run.folder))


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        id: of its element in the page, to link to.
        title: in the line of links at the top; empty for one that is not named there.
        render: gives its content, which begins with its heading. What a model wrote goes through `templating.fill` or
            `markupsafe.escape`.
    """

    id: str
    title: str
    render: Callable[[ReportView], Markup]
