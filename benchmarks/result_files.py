"""Where benchmarks keep what they measure: under `outputs/`, and only with `--record` in the committed `results/`."""

from __future__ import annotations

import argparse
from pathlib import Path

COMMITTED = Path(__file__).parent / "results"
MEASURED = Path("outputs") / "benchmarks"


def add_results_option(parser: argparse.ArgumentParser) -> None:
    """Give a command line `--results DIR` and `--record`; both set `options.results`, a folder."""
    parser.add_argument(
        "--results", type=Path, default=MEASURED, metavar="DIR", help=f"for what is measured (default: {MEASURED})"
    )
    parser.add_argument(
        "--record",
        dest="results",
        action="store_const",
        const=COMMITTED,
        help="keep it in benchmarks/results, which is committed and of which the README's tables are made",
    )


def measured_or_committed(folder: Path, name: str) -> Path:
    """The file of that name in `folder`; the committed one where nothing was measured."""
    path = folder / name
    return path if path.is_file() else COMMITTED / name
