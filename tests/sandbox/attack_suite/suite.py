"""All attacks, by family."""

from __future__ import annotations

from attack_suite import answers, environment, files, graphs, hangs, kernel, memory, processes, sockets, state
from attack_suite.attack import Attack

FAMILIES: dict[str, list[Attack]] = {
    **files.FAMILIES,
    **environment.FAMILIES,
    **sockets.FAMILIES,
    **processes.FAMILIES,
    **kernel.FAMILIES,
    **memory.FAMILIES,
    **hangs.FAMILIES,
    **answers.FAMILIES,
    **state.FAMILIES,
    **graphs.FAMILIES,
}

ATTACKS: list[Attack] = [attack for family in FAMILIES.values() for attack in family]
