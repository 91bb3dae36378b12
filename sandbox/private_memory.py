"""Layer: private memory. Shared mappings of the zygote, which some libraries make while loading, are replaced by
copies.

A fork copies private pages at the first write, but shared pages remain common to the zygote and all of its children, so
one candidate could pass data to the next.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

from eureka.sandbox import libc
from eureka.sandbox.layer import Layer, Scope

_PROTECTION = {"r": 1, "w": 2, "x": 4}
_READ_WRITE = 3


class Mapping(NamedTuple):
    """One line of /proc/PID/maps: its first address, its size in bytes, its rights as in `rw-s`."""

    start: int
    size: int
    rights: str


def shared_mappings(maps: str) -> Iterator[Mapping]:
    """The mappings in the text of a /proc/PID/maps that are shared, and can be read."""
    for line in maps.splitlines():
        span, rights, *_ = line.split()
        start, end = (int(word, 16) for word in span.split("-"))
        if rights[0] == "r" and rights[3] == "s":
            yield Mapping(start, end - start, rights)


def _make_private(mapping: Mapping) -> None:
    held = ctypes.string_at(mapping.start, mapping.size)
    libc.map_private(mapping.start, mapping.size, _READ_WRITE)
    ctypes.memmove(mapping.start, held, mapping.size)
    libc.mprotect(mapping.start, mapping.size, sum(_PROTECTION.get(letter, 0) for letter in mapping.rights))


class PrivateMemory(Layer):
    """Shared pages that cannot be read are left: without the forbidden calls they cannot be written either."""

    name: ClassVar[str] = "private memory"
    mandatory: ClassVar[bool] = True
    remedy: ClassVar[str] = "mount /proc"

    def apply(self, scope: Scope) -> str:  # noqa: ARG002 - the interface's
        """Replace every shared mapping by a private copy."""
        shared = list(shared_mappings(Path("/proc/self/maps").read_text(encoding="utf-8")))
        for mapping in shared:
            _make_private(mapping)
        return f"shared mappings of the zygote's replaced by copies: {len(shared)}"
