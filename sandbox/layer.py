"""The interface of a layer of confinement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from eureka.sandbox.results import LayerReport, Limits, Mode, State

Breach = Literal["time", "memory", "threads"]
"""Reasons for which a guard can have a child killed."""


class LayerMissingError(Exception):
    """A layer is not available here; the text is a clause that says why."""


@dataclass(frozen=True)
class Scope:
    """The facts about a confined child that a layer needs.

    `keep` are the descriptors above 2 that stay open; `parent` is the process id of the zygote.
    """

    limits: Limits
    parent: int
    keep: frozenset[int]


class Layer(ABC):
    """One layer. `remedy` says how to get a missing one; `always` ones are applied in mode `unsafe` too."""

    name: ClassVar[str]
    mandatory: ClassVar[bool]
    remedy: ClassVar[str]
    always: ClassVar[bool] = False

    @abstractmethod
    def apply(self, scope: Scope) -> str:
        """Confine the calling process permanently, and return a description of what was done.

        Raises:
            LayerMissingError: the layer is not available here.
            OSError: the kernel refused.
        """

    def report(self, state: State, detail: str) -> LayerReport:
        """This layer's state, for the run's record and for people."""
        return LayerReport(name=self.name, state=state, mandatory=self.mandatory, detail=detail)


class LayerGuard(ABC):
    """The zygote's part of one layer for one child, from its fork to its end."""

    @abstractmethod
    def breach(self) -> Breach | None:
        """The reason to kill the child now; None if there is none."""

    @abstractmethod
    def patience_s(self) -> float:
        """Maximum seconds until the next check."""

    def close(self) -> None:  # noqa: B027 - most guards hold nothing
        """Release the guard's resources."""


class GuardedLayer(Layer):
    """A layer that works from outside the child; `apply` does in the child what it needs there."""

    always: ClassVar[bool] = True

    @abstractmethod
    def guard(self, pid: int, limits: Limits) -> LayerGuard | None:
        """Start guarding a child that was just forked; None if that is not possible."""


def confine(layers: Sequence[Layer], scope: Scope, mode: Mode, without: Collection[str]) -> tuple[LayerReport, ...]:
    """Apply the layers in their order, all but those named in `without`, and report on every one."""
    reports = []
    for layer in layers:
        if mode == "unsafe" and not layer.always:
            reports.append(layer.report("off", "sandbox=unsafe"))
        elif layer.name in without:
            reports.append(layer.report("off", "left out on request"))
        else:
            reports.append(_attempt(layer, scope))
    return tuple(reports)


def _attempt(layer: Layer, scope: Scope) -> LayerReport:
    try:
        return layer.report("on", layer.apply(scope))
    except LayerMissingError as missing:
        return layer.report("missing", f"{missing}; {layer.remedy}")
    except OSError as error:
        return layer.report("missing", f"the kernel said: {error.strerror}; {layer.remedy}")


def lacking(reports: Sequence[LayerReport]) -> tuple[LayerReport, ...]:
    """The mandatory layers that are requested and missing; if there are any, no generated code may run."""
    return tuple(report for report in reports if report.mandatory and report.state == "missing")
