"""RunView -> one self-contained HTML file.

The file loads nothing: its style sheet and its script stand in it, allowed by their hashes in a Content-Security-Policy
that forbids everything else. Whatever is printed by a template is made `visible` and escaped.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import shlex
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from eureka import __version__
from eureka.store import RunStore
from eureka.ui.report import text
from eureka.ui.report.budget import excerpt, fair_cap
from eureka.ui.report.candidates import candidate_parts, told
from eureka.ui.report.charts import compact
from eureka.ui.report.circumstances import circumstances
from eureka.ui.report.code import highlighted
from eureka.ui.report.comparing import comparison_page
from eureka.ui.report.films import RunFilms, run_films
from eureka.ui.report.ideas import ideas
from eureka.ui.report.reading import proposers, read_run, spending
from eureka.ui.report.sections import evaluation_section, reproduce_command, search_section, steps_per_second
from eureka.ui.report.verdict import verdict
from eureka.ui.report.views import RunEntry, RunView
from eureka.ui.report.writer import REPORT

MAX_PAGE_BYTES = 2_000_000
"""Without films."""
SHARES = (1.0, 0.4, 0.15, 0.05)
"""How much of the usual room for texts is tried one after the other: markup can make them many times longer."""
PROMPT_BUDGET = 160_000
"""Characters of all prompts together."""
MAX_BEST_SOURCE = 40_000


def render_report(store: RunStore, live_script: str = "") -> str:
    """The report of a run, whether it has finished or not.

    Args:
        live_script: a further script for a page that is served: the policy then lets it talk to its own server.

    Raises:
        StoreError: the run cannot be read.
    """
    run = read_run(store)
    films = run_films(run)
    embedded = sum(
        len(clip.data or "") + len(clip.poster or "") for clip in (*films.head, *films.of_candidates.values())
    )
    html = ""
    for share in SHARES:
        html = _report(run, films, share, live_script)
        if len(html.encode()) - embedded <= MAX_PAGE_BYTES:
            break
    return html


def _report(run: RunView, films: RunFilms, share: float, live_script: str) -> str:
    """The page with `share` of the usual room for texts and curves."""
    parts = candidate_parts(run, share)
    prompts = [(g.number, g.prompt.messages) for g in run.generations if g.prompt is not None]
    cap = fair_cap([len(m.content) for _, messages in prompts for m in messages], round(share * PROMPT_BUDGET))
    return _page(
        "report.jinja2",
        live_script,
        run=run,
        films=films,
        verdict=verdict(run),
        best_code=highlighted(excerpt(run.best.source, round(share * MAX_BEST_SOURCE)).text) if run.best else None,
        search=search_section(run),
        parts=parts,
        best_part=next((part for part in parts if run.best and part.view.id == run.best.id), None),
        prompts=[(number, [(m.role, excerpt(m.content, cap)) for m in messages]) for number, messages in prompts],
        prompted={number for number, _ in prompts},
        ideas=ideas(run),
        idea_generations=[g.number for g in run.generations if any(c.components for c in g.candidates)],
        evaluation=evaluation_section(run),
        total=spending(a.answer for c in run.candidates for a in c.attempts),
        circumstances=circumstances(run, steps_per_second(run)),
        reproduce=reproduce_command(run),
        replay=reproduce_command(run, str(run.folder)),
        proposer=proposers(run),
        folder=shlex.quote(str(run.folder)),
    )


def write_report(store: RunStore) -> Path:
    """Write `report.html` into the run folder, atomically, and give its path.

    Raises:
        StoreError: the run cannot be read, or the file not be written.
    """
    return store.write_file(REPORT, render_report(store))


def render_comparison(stores: Sequence[RunStore]) -> str:
    """Several runs side by side, in the order given.

    Raises:
        StoreError: a run cannot be read.
    """
    return _page("compare.jinja2", "", page=comparison_page([read_run(store) for store in stores]))


def render_runs(runs: Sequence[RunEntry], live_script: str = "") -> str:
    """A list of runs with links to their reports, for a server that has these at `runs/NAME/`."""
    return _page("runs.jinja2", live_script, runs=runs)


def _page(template: str, live_script: str, **values: Any) -> str:
    style, script = _asset("style.css"), _asset("script.js")
    scripts = [script, live_script] if live_script else [script]
    policy = [
        "default-src 'none'",
        f"style-src {_hash(style)}",
        f"script-src {' '.join(_hash(one) for one in scripts)}",
        "img-src data:",
        "media-src data:",
        *(["connect-src 'self'"] if live_script else []),
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return (
        _environment()
        .get_template(template)
        .render(
            values,
            policy="; ".join(policy),
            style=Markup(style),
            scripts=[Markup(one) for one in scripts],
            version=__version__,
        )
    )


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@functools.cache
def _asset(name: str) -> str:
    return resources.files("eureka.ui.report.templates").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=text.shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "told": told,
        "number": text.number,
        "percent": text.percent,
        "duration": text.duration,
        "compact": compact,
    }
    environment.globals |= {
        "counted": text.counted,
        "listed": text.listed,
        "show_number": text.number,
        "show_percent": text.percent,
    }
    return environment
