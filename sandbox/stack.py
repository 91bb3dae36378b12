"""The layers in the order in which a child applies them."""

from __future__ import annotations

from eureka.sandbox.canaries import Canaries
from eureka.sandbox.environment import Descriptors, Environment
from eureka.sandbox.landlock import Landlock
from eureka.sandbox.layer import Layer
from eureka.sandbox.namespaces import Namespaces
from eureka.sandbox.privileges import Privileges
from eureka.sandbox.rlimits import ResourceLimits
from eureka.sandbox.seccomp import Seccomp

LAYERS: tuple[Layer, ...] = (
    Environment(),
    Descriptors(),
    Namespaces(),
    Privileges(),
    ResourceLimits(),
    Landlock(),
    Seccomp(),
    Canaries(),
)
"""Namespaces need a dumpable process and clear the death signal, so they come before Privileges; Landlock and
seccomp need NO_NEW_PRIVS, so they come after; limits need /proc, so they come before Landlock."""
