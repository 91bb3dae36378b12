"""Explain the keys of the configuration: `eureka config`."""

from __future__ import annotations

from typing import Annotated

import typer

from eureka.app.commands.common import app
from eureka.ui.console import line, paragraph


@app.command()
def config(
    key: Annotated[str | None, typer.Argument(help="One key, or the first word of several, such as search.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As docs/configuration.md has it.")] = False,
) -> None:
    """Explain the keys that `eureka run` takes: type, default, meaning, presets."""
    from eureka.app.configs import choices
    from eureka.config.reference import keys_about, reference
    from eureka.config.reference_page import as_markdown

    found = keys_about(key, choices()) if key else reference(choices())
    if markdown:
        line(as_markdown(found).rstrip())
        return
    for entry in found:
        presets = "".join(f", {name}: {value}" for name, value in entry.presets.items())
        least = "" if entry.minimum is None else f", at least {entry.minimum:g}"
        owners = f" [llm={', '.join(entry.owners)}]" if entry.owners else ""
        line(f"{entry.name}={entry.default}  ({entry.kind}{least}{presets}){owners}")
        paragraph(f"    {entry.meaning}")
