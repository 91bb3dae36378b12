"""Sandboxes for the tests, and the coverage of the processes that they start."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from eureka.sandbox import Finished, Sandbox, environment

HERE = Path(__file__).parent


@pytest.fixture(scope="session", autouse=True)
def measured_processes() -> Iterator[None]:
    """Where coverage is measured, let it reach into the zygotes' empty environment and fetch it from the children."""
    measured = tuple(name for name in os.environ if name.startswith("COVERAGE_PROCESS"))
    if not measured:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "PASSED_ON", environment.PASSED_ON + measured)
        yield
        for mode in ("enforced", "unsafe"):
            with Sandbox(mode=mode, import_path=[HERE]) as sandbox:
                _fetch_coverage(sandbox)


def _fetch_coverage(sandbox: Sandbox) -> None:
    import coverage

    measurement = coverage.Coverage.current()
    outcome = sandbox.run("jail_targets:covered_lines", b"")
    assert isinstance(outcome, Finished), outcome
    assert measurement is not None
    measurement.get_data().add_lines(json.loads(outcome.output))


@pytest.fixture(scope="session")
def jail() -> Iterator[Sandbox]:
    """One confined sandbox for all tests that leave it as it was."""
    with Sandbox("jail_targets:warm_up", import_path=[HERE]) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def open_jail() -> Iterator[Sandbox]:
    """The same without confinement: shows that an attack is one."""
    with Sandbox("jail_targets:warm_up", mode="unsafe", import_path=[HERE]) as sandbox:
        yield sandbox
