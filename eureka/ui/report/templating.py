"""Templates, and what they have in common: assets, filters, the Content-Security-Policy.

Whatever is printed by a template is made `visible` and escaped.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from eureka import __version__
from eureka.core.text import counted
from eureka.ui.report import text
from eureka.ui.report.candidates import diagnosis_text
from eureka.ui.report.charts import compact

_TEMPLATES = "eureka.ui.report.templates"


def fill(template: str, package: str = _TEMPLATES, **values: Any) -> Markup:
    """The template of this name in a package with these values in it."""
    return Markup(_environment(package).get_template(template).render(values))


def page(template: str, live_script: str = "", **values: Any) -> str:
    """A whole page, a file that loads nothing: its style sheet and its script stand in it, allowed by their hashes.

    Args:
        live_script: a further script for a page that is served: the policy then lets it talk to its own server.
    """
    style, script = asset("style.css"), asset("script.js")
    scripts = [script, live_script] if live_script else [script]
    return fill(
        template,
        policy=_policy(style, scripts, talks=bool(live_script)),
        style=Markup(style),
        scripts=[Markup(one) for one in scripts],
        version=__version__,
        **values,
    )


def source_hash(content: str) -> str:
    """The hash source of a script or a style sheet for a Content-Security-Policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


@functools.cache
def asset(name: str, package: str = _TEMPLATES) -> str:
    """A text file of a package."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, scripts: Sequence[str], *, talks: bool) -> str:
    parts = [
        "default-src 'none'",
        f"style-src {source_hash(style)}",
        f"script-src {' '.join(map(source_hash, scripts))}",
        "img-src data:",
        "media-src data:",
        *(["connect-src 'self'"] if talks else []),
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(parts)


@functools.cache
def _environment(package: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(functools.partial(asset, package=package)),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=text.shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "diagnosis_text": diagnosis_text,
        "number": text.number,
        "percent": text.percent,
        "duration": text.duration,
        "compact": compact,
    }
    environment.globals |= {
        "counted": counted,
        "listed": text.listed,
        "show_number": text.number,
        "show_percent": text.percent,
    }
    return environment
