"""The matrix of attacks on the sandbox: who stops each of them, with everything on and with each single layer off.
Then the attacks that need no candidate's code: received folders, hostile answers, servers and workers.

    python benchmarks/attacks.py [--family sockets] [--record]

Every attack is a piece of Python that runs where a candidate's would, and an oracle outside that says whether it
succeeded (`tests/sandbox/attack_suite`). In the first column nothing confines it, and it must succeed. The attacks
without code are tests (`attack_suite/doors.py`). Ends with status 1 where an attack succeeds anywhere else, fails in
the first column, or where one of these tests fails.
"""

from __future__ import annotations

import argparse
import collections
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "sandbox"))

from attack_suite.attack import Attack  # noqa: E402
from attack_suite.columns import COLUMNS, CONTROL, Cell  # noqa: E402
from attack_suite.doors import DOORS  # noqa: E402
from attack_suite.runner import Runner  # noqa: E402
from attack_suite.suite import FAMILIES  # noqa: E402
from result_files import add_results_option  # noqa: E402

from eureka.sandbox import inspect_layers  # noqa: E402

LETTERS = {
    "seccomp": "S",
    "landlock": "L",
    "namespaces": "N",
    "privileges": "P",
    "rlimits": "R",
    "descriptors": "D",
    "private memory": "M",
    "environment": "E",
    "clock": "C",
    "watchdog": "W",
    "output cap": "O",
    "own process": "F",
    "host": "H",
    "verifier": "V",
    "refusal": "x",
}
OTHERS = {"+": "succeeded where it should", "!": "succeeded", "?": "failed where it should succeed", "·": "not tried"}
Cells = Mapping[tuple[str, str], Cell]


def letter(cell: Cell, control: bool) -> str:
    """One character for a cell of the matrix."""
    if cell.state == "stopped":
        return "?" if control else LETTERS[cell.by]
    if cell.state == "open":
        return "+" if control else "!"
    return "·"


def lines(families: Mapping[str, list[Attack]], cells: Cells) -> list[str]:
    """The lines of the matrix, with numbered columns."""
    width = max(len(attack.name) for attacks in families.values() for attack in attacks)
    heads = [f"{number:>2}" for number in range(1, len(COLUMNS) + 1)]
    out = [f"{number:>2}  {column.name}" for number, column in enumerate(COLUMNS, 1)]
    out += ["", *legend(), "", f"{'':{width}}  {' '.join(heads)}"]
    for family, attacks in families.items():
        out.append(f"-- {family}")
        for attack in attacks:
            out.append(f"{attack.name:{width}}  {' '.join(f'{mark:>2}' for mark in _row(attack, cells))}")
    return out


def legend() -> list[str]:
    """The legend of the characters."""
    return [
        "stopped by: " + ", ".join(f"{mark} {name}" for name, mark in LETTERS.items()),
        "otherwise: " + ", ".join(f"{mark} {meaning}" for mark, meaning in OTHERS.items()),
        "The JSON file says why: no safe control, or only the layer that is off could hold it; without seccomp,",
        "environment or descriptors nothing generated runs at all.",
    ]


def failures(cells: Cells) -> list[str]:
    """Attacks that succeeded, and controls that did not."""
    wrong = {"control": "stopped"}
    return [
        f"{attack} [{column}]: {cell.why}"
        for (attack, column), cell in cells.items()
        if cell.state == wrong.get(column, "open")
    ]


def record(families: Mapping[str, list[Attack]], cells: Cells, seconds: float) -> dict[str, object]:
    """The complete result as JSON data."""
    return {
        "machine": {"system": platform.release(), "architecture": platform.machine(), "python": sys.version.split()[0]},
        "layers": {report.name: f"{report.state}: {report.detail}" for report in inspect_layers()},
        "seconds": round(seconds, 1),
        "columns": [column.name for column in COLUMNS],
        "legend": {
            **{mark: name for name, mark in LETTERS.items()},
            **OTHERS,
        },
        "attacks": sum(map(len, families.values())),
        "cells": dict(collections.Counter(cell.state for (_, column), cell in cells.items() if column != CONTROL.name)),
        "failures": failures(cells),
        "matrix": {
            family: {
                attack.name: {"row": "".join(_row(attack, cells)), **_reasons(attack, cells)} for attack in attacks
            }
            for family, attacks in families.items()
        },
    }


def _row(attack: Attack, cells: Cells) -> list[str]:
    return [letter(cells[attack.name, column.name], column == CONTROL) for column in COLUMNS]


def _reasons(attack: Attack, cells: Cells) -> dict[str, str]:
    """The reasons why some were not tried, by column."""
    row = {column.name: cells[attack.name, column.name] for column in COLUMNS}
    return {name: cell.why for name, cell in row.items() if cell.state == "n/a"}


@dataclass(frozen=True)
class Door:
    """The result of one attack without code: the number of tests, and those that failed."""

    tries: int
    failed: tuple[str, ...]


def try_doors(doors: Mapping[str, tuple[str, ...]]) -> dict[str, Door]:
    """Run the tests of each attack, all in one process."""
    names = sorted({name for tests in doors.values() for name in tests})
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={results}", *names]
        subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
        cases = list(ElementTree.parse(results).iter("testcase"))
    found: dict[str, list[tuple[str, bool]]] = {name: [] for name in names}
    for case in cases:
        module = case.get("classname", "").replace(".", "/")
        test = case.get("name", "")
        name = f"{module}.py::{test.partition('[')[0]}"
        # A skipped test has not stopped anything.
        held = all(case.find(kind) is None for kind in ("failure", "error", "skipped"))
        found.setdefault(name, []).append((test, held))
    return {
        door: Door(
            sum(len(found[name]) for name in tests),
            tuple(
                test for name in tests for test, held in (found[name] or [(f"{name}: was not run", False)]) if not held
            ),
        )
        for door, tests in doors.items()
    }


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", default="", help="only families whose name contains this")
    add_results_option(parser)
    options = parser.parse_args()
    families = {name: attacks for name, attacks in FAMILIES.items() if options.family in name}
    started = time.monotonic()
    with Runner() as runner:
        cells = runner.run([(a, column) for column in COLUMNS for attacks in families.values() for a in attacks])
    seconds = time.monotonic() - started
    print("\n".join(lines(families, cells)))
    doors = {} if options.family else try_doors(DOORS)
    if doors:
        print("-- without a candidate's code")
    for name, door in doors.items():
        print(f"{name:70} {'SUCCEEDED' if door.failed else 'stopped'}, {door.tries} tries")
    options.results.mkdir(parents=True, exist_ok=True)
    kept = record(families, cells, seconds) | {"doors": {name: asdict(door) for name, door in doors.items()}}
    (options.results / "attacks.json").write_text(json.dumps(kept, indent=1) + "\n")
    found = failures(cells) + [f"{name}: {test}" for name, door in doors.items() for test in door.failed]
    states = collections.Counter(cell.state for (_, column), cell in cells.items() if column != CONTROL.name)
    shown = sum(cell.state == "open" for (_, column), cell in cells.items() if column == CONTROL.name)
    print(
        f"\n{sum(map(len, families.values()))} attacks in {len(COLUMNS) - 1} configurations: {states['stopped']} tries "
        f"stopped, {states['open']} succeeded, {states['n/a']} not tried; {shown} shown to succeed unconfined; "
        f"{seconds:.0f} s; {len(doors)} without a candidate's code, "
        f"{sum(bool(door.failed) for door in doors.values())} succeeded"
    )
    sys.exit("\n".join(["", *found]) if found else 0)


if __name__ == "__main__":
    main()
