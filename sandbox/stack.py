"""The layers in the order in which a child applies them."""

from __future__ import annotations

from eureka.sandbox.canaries import Canaries
from eureka.sandbox.clock import Clock
from eureka.sandbox.environment import Descriptors, Environment
from eureka.sandbox.landlock import Landlock
from eureka.sandbox.layer import GuardedLayer, Layer
from eureka.sandbox.namespaces import Namespaces
from eureka.sandbox.output_cap import OutputCap
from eureka.sandbox.private_memory import PrivateMemory
from eureka.sandbox.privileges import Privileges
from eureka.sandbox.rlimits import ResourceLimits
from eureka.sandbox.seccomp import Seccomp
from eureka.sandbox.watchdog import Watchdog

GUARDED: tuple[GuardedLayer, ...] = (Clock(), Watchdog())
"""The layers that the zygote enforces from outside the child."""

LAYERS: tuple[Layer, ...] = (
    *GUARDED,
    OutputCap(),
    Environment(),
    Descriptors(),
    PrivateMemory(),
    Namespaces(),
    Privileges(),
    ResourceLimits(),
    Landlock(),
    Seccomp(),
    Canaries(),
)
"""Namespaces need a dumpable process and clear the death signal, so they come before Privileges; Landlock and
seccomp need NO_NEW_PRIVS, so they come after; limits, the watchdog and private memory need /proc, so they come before
Landlock."""
