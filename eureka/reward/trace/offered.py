"""Predefined rotation functions, with the names and import lines of Isaac's own code.

A reward may use the functions of `rotations` without defining them. Imports of Isaac's modules (`from
isaacgym.torch_utils import *`, `import isaaclab.utils.math as math_utils`) are resolved to these functions.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from eureka.reward.trace import rotations
from eureka.reward.trace.explain import TraceFailure

HELPERS: Mapping[str, Any] = {name: getattr(rotations, name) for name in rotations.__all__}

_MODULES = frozenset(
    [
        *("isaacgym.torch_utils", "torch_utils", "torch_jit_utils", "utils.torch_jit_utils"),
        *("isaacgymenvs.utils.torch_jit_utils", "omniisaacgymenvs.utils.torch_jit_utils"),
        *("omni.isaac.core.utils.torch", "omni.isaac.core.utils.torch.rotations"),
        *(
            "isaaclab.utils.math",
            "omni.isaac.lab.utils.math",
            "omni.isaac.orbit.utils.math",
            "isaacsim.core.utils.torch",
        ),
    ]
)


def is_offered(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> bool:
    """Whether an import is of Isaac's rotations: from their module, or of the module under another name."""
    if isinstance(node, ast.Import):
        return alias.name in _MODULES and alias.asname is not None
    module = node.module or ""
    return module in _MODULES or f"{module}.{alias.name}" in _MODULES


def resolved(node: ast.Import | ast.ImportFrom) -> ast.stmt:
    """An import of Isaac's rotations, replaced by one of ours; any other is unchanged.

    Raises:
        TraceFailure: it imports a name that is not available.
    """
    if not all(is_offered(node, alias) for alias in node.names):
        return node
    if isinstance(node, ast.Import):
        return _ours([ast.alias("rotations", alias.asname) for alias in node.names], node)
    if (node.module or "") not in _MODULES:
        return _ours([ast.alias("rotations", alias.asname or alias.name) for alias in node.names], node)
    missing = [alias.name for alias in node.names if alias.name != "*" and alias.name not in HELPERS]
    if missing:
        raise _not_offered(f"`{missing[0]:.80}` of {node.module}", node.lineno)
    return ast.copy_location(ast.ImportFrom(rotations.__name__, node.names, 0), node)


def _ours(names: list[ast.alias], node: ast.stmt) -> ast.stmt:
    return ast.copy_location(ast.ImportFrom("eureka.reward.trace", names, 0), node)


def _not_offered(what: str, line: int) -> TraceFailure:
    offered = ", ".join(sorted(HELPERS))
    return TraceFailure(f"{what} is not there", f"These need neither import nor definition: {offered}.", line)
