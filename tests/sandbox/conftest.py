"""Sandboxes for the tests, and the coverage of the processes that they start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from eureka.sandbox import Sandbox, environment

HERE = Path(__file__).parent


@pytest.fixture(scope="session", autouse=True)
def measured_zygotes() -> Iterator[None]:
    """Let a coverage measurement, where one is running, reach into the zygotes' empty environment."""
    with pytest.MonkeyPatch.context() as patch:
        names = tuple(name for name in os.environ if name.startswith("COVERAGE_PROCESS"))
        patch.setattr(environment, "PASSED_ON", environment.PASSED_ON + names)
        yield


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
