"""Layer: the cap on the bytes of an answer, kept by the host that reads them."""

from __future__ import annotations

from typing import ClassVar

from eureka.sandbox.layer import Layer, Scope


class OutputCap(Layer):
    """Whoever floods the pipe is killed at the cap; the host never holds more."""

    name: ClassVar[str] = "output cap"
    mandatory: ClassVar[bool] = True
    remedy: ClassVar[str] = "read answers by `Sandbox.run`"
    always: ClassVar[bool] = True

    def apply(self, scope: Scope) -> str:
        """Nothing in the child: says what the host does."""
        return f"killed by the host after {scope.limits.output_bytes >> 20} MiB of answer"
