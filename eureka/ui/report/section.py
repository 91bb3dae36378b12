"""The interface of a report's sections, and the view passed to all of them."""

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
    """A run, with parts that several sections show."""

    run: RunView

    @cached_property
    def headline(self) -> Headline:
        """The result of the run in one sentence."""
        return headline(self.run)

    @cached_property
    def films(self) -> RunFilms:
        """The films in the run folder."""
        return run_films(self.run)

    @cached_property
    def parts(self) -> list[CandidatePart]:
        """All candidates with their figures and texts."""
        return candidate_parts(self.run)

    @cached_property
    def spending(self) -> Spending:
        """Tokens and money of all answers together."""
        return spending(self.run.answers)

    @property
    def folder(self) -> str:
        """The run folder, quoted as a word of a command line."""
        return shlex.quote(str(self.run.folder))


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        id: id of its element in the page, for links.
        title: title in the line of links at the top; empty: not listed there.
        render: returns its content, beginning with its heading. Text written by a model must go through
            `templating.fill` or `markupsafe.escape`.
    """

    id: str
    title: str
    render: Callable[[ReportView], Markup]
