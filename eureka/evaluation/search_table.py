"""The table of several searches as text, CSV, LaTeX and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from eureka.evaluation.data import Estimate
from eureka.evaluation.rows import NONE, TextTable, interval, number, value, with_interval
from eureka.evaluation.searches import TaskRow

_TEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_HEADER = (
    "task",
    "searches",
    "IQM",
    "95% interval",
    "human",
    "better than human",
    "normalised",
    "steps",
    "tokens",
    "cost",
)


def text_table(rows: Sequence[TaskRow], without: Sequence[Path]) -> TextTable:
    """The table for the terminal.

    Args:
        without: run folders without a comparison, which are in no row.
    """
    return TextTable(
        title="what the searches found, re-trained with fresh seeds",
        header=_HEADER,
        rows=tuple(_texts(row) for row in rows),
        notes=(
            "intervals resample searches, then the seeds of each; better than human: the probability that a training "
            "of a search's best reward scores above one of the human-written; steps, tokens and cost are a search's, "
            "on average",
            *(_note(row) for row in rows),
            *(f"{folder}: no comparison yet, so in no row" for folder in without),
        ),
    )


def _texts(row: TaskRow) -> tuple[str, ...]:
    return (
        row.task,
        str(row.searches),
        f"{value(row.best)} {row.unit}",
        interval(row.best),
        value(row.human),
        with_interval(row.improvement),
        with_interval(row.normalised),
        f"{row.control_steps:,.0f}",
        NONE if row.tokens is None else f"{row.tokens:,.0f}",
        NONE if row.usd is None else f"${number(row.usd)}",
    )


def _note(row: TaskRow) -> str:
    shared = (
        f"; {row.shared} trainings of baselines stand in several runs (the cache) and count once" if row.shared else ""
    )
    return (
        f"{row.task}: {row.metric}; {row.trainings} trainings of {row.steps:,} control steps; "
        f"written by {', '.join(row.proposers)}{shared}"
    )


def _flat(row: TaskRow) -> dict[str, object]:
    """Plain values by column; an estimate gives three."""
    flat: dict[str, object] = {}
    for field in fields(row):
        entry = getattr(row, field.name)
        if isinstance(entry, Estimate) or field.name in ("best", "human", "improvement", "normalised"):
            low, high = entry.interval if entry is not None and entry.interval is not None else (None, None)
            flat |= {field.name: entry.value if entry else None, f"{field.name}_low": low, f"{field.name}_high": high}
        else:
            flat[field.name] = " ".join(entry) if isinstance(entry, tuple) else entry
    return flat


def as_csv(rows: Sequence[TaskRow]) -> str:
    """Unrounded figures as CSV, one line per task; `_low` and `_high` are the ends of 95% intervals."""
    written = io.StringIO()
    flat = [_flat(row) for row in rows]
    writer = csv.DictWriter(written, list(flat[0]) if flat else ["task"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return written.getvalue()


def as_json(rows: Sequence[TaskRow]) -> str:
    """The rows with all figures as JSON."""
    return json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False) + "\n"


def as_latex(rows: Sequence[TaskRow]) -> str:
    """A LaTeX tabular with the rules of booktabs."""
    lines = [r"\begin{tabular}{lrrrrrrrrr}", r"\toprule", f"{' & '.join(map(_tex, _HEADER))} \\\\", r"\midrule"]
    lines += [f"{' & '.join(map(_tex, _texts(row)))} \\\\" for row in rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)
