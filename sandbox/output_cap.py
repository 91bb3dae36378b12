"""Layer: the cap on the bytes of an answer, kept by the host that reads them."""

from __future__ import annotations

from typing import ClassVar

from eureka.sandbox.layer import Layer, Scope


class OutputCap(Layer):
    """A child that writes more than the cap is killed; the host never holds more."""

    name: ClassVar[str] = "output cap"
    mandatory: ClassVar[bool] = True
    remedy: ClassVar[str] = "read answers by `Sandbox.run`"
    always: ClassVar[bool] = True

    def apply(self, scope: Scope) -> str:
        """No effect in the child; returns a description of the host's part."""
        return f"killed by the host after {scope.limits.output_bytes >> 20} MiB of answer"
