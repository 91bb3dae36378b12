"""Layers: a clean environment, and no inherited descriptors."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from typing import ClassVar

from eureka.core.machine import resource
from eureka.sandbox.layer import Layer, Scope

VARIABLES: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
}
_DESCRIPTORS = 1024
"""Assumed maximum if the system has no limit: more descriptors than a zygote opens."""
PASSED_ON: tuple[str, ...] = ("LD_LIBRARY_PATH",)
"""Variables copied from the host if set, since loading the interpreter may need them."""


def clean_environment() -> dict[str, str]:
    """The complete environment of a zygote."""
    return {**VARIABLES, **{name: os.environ[name] for name in PASSED_ON if name in os.environ}}


class Environment(Layer):
    """The zygote is started by exec with an environment without keys; variables added by libraries are removed."""

    name: ClassVar[str] = "environment"
    mandatory: ClassVar[bool] = True
    remedy: ClassVar[str] = "start the sandbox by exec"
    always: ClassVar[bool] = True

    def apply(self, scope: Scope) -> str:  # noqa: ARG002 - the interface's
        """Remove every variable."""
        os.environ.clear()
        return "empty; never held any variable of the host's"


class Descriptors(Layer):
    """Own session without a terminal, standard streams at /dev/null, every other descriptor closed."""

    name: ClassVar[str] = "descriptors"
    mandatory: ClassVar[bool] = True
    remedy: ClassVar[str] = "make /dev/null available"
    always: ClassVar[bool] = True

    def apply(self, scope: Scope) -> str:
        """Leave the session and close all descriptors but 0, 1, 2 and `scope.keep`."""
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        end = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if resource is not None else _DESCRIPTORS
        kept = [2, *sorted(scope.keep), end]
        for before, after in itertools.pairwise(kept):
            os.closerange(before + 1, after)
        return "standard streams at /dev/null, one pipe for the answer, all others closed"
