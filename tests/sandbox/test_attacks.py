"""One test an attack: it succeeds where nothing holds it, and nowhere else, whichever layer is missing.

The cells are filled before the first test, many at a time, for the attacks that were selected; `make attacks` fills
the whole matrix, this one leaves out the cells that differ from "all on" in nothing that is meant to hold the attack.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from attack_suite.attack import VERIFIER, Attack
from attack_suite.columns import ALWAYS, COLUMNS, CONTROL, FULL, NAMES, Cell, matters
from attack_suite.doors import DOORS
from attack_suite.runner import Runner
from attack_suite.suite import ATTACKS, FAMILIES

Cells = Mapping[tuple[str, str], Cell]

REFUSED = (
    "Operation not permitted",
    "Permission denied",
    "SIGSYS",
    "forbidden system call",
    "memory",
    "Function not implemented",
)


@pytest.fixture(scope="module")
def cells(request: pytest.FixtureRequest) -> Cells:
    selected = {item.callspec.params["attack"].name for item in request.session.items if _about_attack(item)}
    wanted = [attack for attack in ATTACKS if attack.name in selected] or ATTACKS
    with Runner() as runner:
        return runner.run([(attack, column) for column in COLUMNS for attack in wanted if matters(attack, column)])


def _about_attack(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and hasattr(item, "callspec") and "attack" in item.callspec.params


@pytest.mark.process
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack_is_stopped(attack: Attack, cells: Cells) -> None:
    row = {column: cell for (name, column), cell in cells.items() if name == attack.name}
    control = row.pop(CONTROL.name)
    assert {column: cell for column, cell in row.items() if cell.state == "open"} == {}
    full = row[FULL.name]
    if full.state == "n/a":
        pytest.skip(full.why)
    # An attack that fails without any confinement too shows nothing, unless what refused it is plain.
    assert control.state == "open" or control.why
    if control.state != "open":
        assert control.state == "n/a", control
        assert not {*attack.holders} - ALWAYS or any(word in full.why for word in REFUSED), full


@pytest.mark.process
def test_every_layer_stops_something(cells: Cells) -> None:
    """Where it is the machine's own, and so there to be shown; the canaries stop nothing, they refuse."""
    stopped_by = {cell.by for cell in cells.values() if cell.state == "stopped"}
    assert {*NAMES, VERIFIER} - {"canaries"} <= stopped_by | _absent_here(cells)


def _absent_here(cells: Cells) -> set[str]:
    """Optional layers that nothing could be left to on this machine."""
    return {
        name
        for name in ("landlock", "namespaces", "privileges")
        if not any(cell.by == name for (_, column), cell in cells.items() if column == "no seccomp")
    }


def test_suite_is_large_and_its_names_are_unique() -> None:
    assert len(ATTACKS) >= 100
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    assert all(FAMILIES.values())


def test_every_attack_without_a_control_says_why() -> None:
    assert [attack.name for attack in ATTACKS if (attack.control == "none") != bool(attack.why)] == []


def test_the_tests_of_attacks_without_code_exist() -> None:
    root = Path(__file__).parents[2]
    for name in (name for tests in DOORS.values() for name in tests):
        path, _, test = name.partition("::")
        assert f"def {test}(" in (root / path).read_text(encoding="utf-8"), name
