"""The configurations in which the attacks are run, and who is meant to hold an attack in each of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from attack_suite.attack import FORK, HOST, VERIFIER, Attack

from eureka.sandbox import Failed, Finished, LayerReport
from eureka.sandbox.results import Mode
from eureka.sandbox.stack import LAYERS

NAMES = tuple(layer.name for layer in LAYERS)

ALWAYS = frozenset({FORK, HOST, VERIFIER})
"""Holders that are no layers: they cannot be missing."""

WATCHED_BY_CANARIES = frozenset({"environment", "descriptors", "seccomp"})
"""Layers without which the canaries refuse; to see what the others hold, they are silenced with them."""


@dataclass(frozen=True)
class Column:
    """One configuration. `zygote` names the warm-up; `without` the layers left out."""

    name: str
    zygote: str = "warm_up"
    without: tuple[str, ...] = ()
    mode: Mode = "enforced"


CONTROL = Column("control", without=NAMES, mode="unsafe")
CONTROL_WITH_CLOCK = Column("control", without=tuple(name for name in NAMES if name != "clock"), mode="unsafe")
FULL = Column("all on")


def _off(name: str) -> Column:
    return Column(f"no {name}", without=(name, "canaries") if name in WATCHED_BY_CANARIES else (name,))


SINGLE_LAYER_OFF = tuple(_off(name) for name in NAMES)
MACHINES = (
    Column("ordinary user", "as_ordinary_user"),
    Column("user namespaces denied", "without_namespaces"),
    Column("Landlock absent", "without_landlock"),
    Column("container", "in_container"),
)
COLUMNS = (CONTROL, FULL, *SINGLE_LAYER_OFF, *MACHINES)


_MISSING = {"user namespaces denied": "namespaces", "Landlock absent": "landlock"}


def matters(attack: Attack, column: Column) -> bool:
    """Whether the column differs from `FULL` in something that is meant to hold the attack.

    The control and whole machines of another kind always do.
    """
    lost = _MISSING.get(column.name) or column.name.removeprefix("no ")
    return lost not in NAMES or lost in {holder.partition(">=")[0] for holder in attack.holders}


State = Literal["stopped", "open", "n/a"]


@dataclass(frozen=True)
class Cell:
    """What came of one attack in one column: `stopped` by whom, or why it is `n/a` or `open`."""

    state: State
    by: str
    why: str


def standing(attack: Attack, column: Column, layers: Mapping[str, LayerReport]) -> list[str]:
    """The attack's holders that are in place in this column, on this machine."""
    return [name for name in attack.holders if _stands(name, column, layers)]


def _stands(holder: str, column: Column, layers: Mapping[str, LayerReport]) -> bool:
    name, _, least = holder.partition(">=")
    if name in ALWAYS:
        return True
    if name in column.without or layers[name].state != "on":
        return False
    version = re.search(r"ABI (\d+)", layers[name].detail)
    return not least or (version is not None and int(version[1]) >= int(least))


_SIGNS = (
    ("watchdog", ("held more than", "threads.")),
    ("rlimits", ("processor time", "MemoryError", "allocate memory", "SIGXFSZ", "Too many open", "start new thread")),
    ("clock", ("did not finish within",)),
    ("output cap", ("answered with more",)),
    ("host", ("host: ",)),
    ("landlock", ("Permission denied",)),
    ("namespaces", ("unreachable", "refused")),
)
"""What in an outcome's text betrays who stopped it; where nothing does, it is the first that stands."""


def stopped_by(outcome: Finished | Failed, standing: list[str]) -> str:
    """Who stopped an attack, as far as its outcome tells."""
    text = outcome.detail if isinstance(outcome, Failed) else ""
    layers = [name.partition(">=")[0] for name in standing]
    signs = (layer for layer, words in _SIGNS if layer in layers and any(word in text for word in words))
    return next(signs, layers[0])
