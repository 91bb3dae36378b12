"""The jail on machines that lack something: each is simulated, in the zygote, by a filter or by another user.

`test_attacks.py` runs the attacks on them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka.core.errors import SandboxUnavailable
from eureka.sandbox import Finished, Sandbox

pytestmark = pytest.mark.process

HERE = Path(__file__).parent

USERNS = "allow unprivileged user namespaces"


def machine(kind: str, **options: object) -> Sandbox:
    return Sandbox(f"attack_suite.target:{kind}", import_path=[HERE], **options)


def details(sandbox: Sandbox) -> dict[str, str]:
    """The layers that are missing and why."""
    return {report.name: report.detail for report in sandbox.layers if report.state == "missing"}


@pytest.mark.parametrize(
    ("kind", "without", "reasons"),
    [
        # What the machine that tests run on lacks, the others lack too, so that only these are looked at.
        ("warm_up", (), {}),
        ("as_ordinary_user", (), {}),
        ("without_namespaces", (), {"namespaces": "the kernel said: Operation not permitted; " + USERNS}),
        ("without_namespaces", ("landlock",), {"namespaces": USERNS}),
        ("without_landlock", (), {"landlock": "the kernel said: Function not implemented; use Linux 5.13 or newer"}),
        ("in_container", (), {"namespaces": USERNS, "landlock": "the kernel said: Operation not permitted"}),
        ("warm_up", ("watchdog", "namespaces", "landlock"), {}),
    ],
)
def test_generated_code_runs_where_an_optional_layer_is_missing(
    kind: str, without: tuple[str, ...], reasons: dict[str, str]
) -> None:
    with machine(kind, without=without) as sandbox:
        outcome = sandbox.run("attack_suite.target:run", b'{"sources": ["result = os.getuid()"], "names": {}}')
        assert isinstance(outcome, Finished)
        assert (outcome.output == b"65534") or kind not in ("as_ordinary_user", "in_container") or _ordinary()
        missing = details(sandbox)
    for layer, reason in reasons.items():
        assert reason in missing[layer]
    assert all(report.state == "on" for report in sandbox.layers if report.mandatory)


def _ordinary() -> bool:
    import os

    return os.getuid() != 0


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("without_seccomp", "Function not implemented"),
        ("in_strict_container", "Operation not permitted"),
    ],
)
def test_nothing_runs_where_a_mandatory_layer_is_missing(kind: str, reason: str) -> None:
    sandbox = machine(kind)
    with pytest.raises(SandboxUnavailable) as refusal:
        sandbox.start()
    text = str(refusal.value)
    assert f"for lack of seccomp (the kernel said: {reason}; use a Linux kernel with CONFIG_SECCOMP_FILTER" in text
    assert "in a container allow seccomp(2)" in text
    # The property that is lost, as the canaries found it.
    assert "canaries (generated code could still" in text
    assert "start processes" in text
    assert text.endswith("sandbox=unsafe is for a machine that holds nothing of worth.")
    assert "seccomp" in details(sandbox)


def test_unsafe_runs_there_and_says_so() -> None:
    with machine("without_seccomp", mode="unsafe") as sandbox:
        assert {report.name: report.state for report in sandbox.layers}["seccomp"] == "off"
        outcome = sandbox.run("eureka.sandbox.child:echo", b"x")
    assert isinstance(outcome, Finished)
