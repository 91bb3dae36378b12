"""`math` as a candidate imports it: what it computes of a number of environments is still known to be one (`sizes`)."""

from __future__ import annotations

import math
from typing import Any

from eureka.reward.trace.sizes import still_counted

__all__ = [name for name in dir(math) if not name.startswith("_")]


def __getattr__(name: str) -> Any:
    value = getattr(math, name)
    return still_counted(value) if callable(value) else value
