"""Number types with a range, for dataclasses read from files; `core.serialize` checks them."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le

Count = Annotated[int, Gt(0)]
"""A whole number above 0."""

Positive = Annotated[float, Gt(0)]
"""A number above 0."""

NotNegative = Annotated[float, Ge(0)]
"""A number that is at least 0."""

Share = Annotated[float, Ge(0), Le(1)]
"""A number from 0 to 1."""
