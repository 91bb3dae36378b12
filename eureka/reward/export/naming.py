"""Chooses identifiers of a generated module: the candidate's own if they are free, and never one that shadows
another."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

# : Names that the module defines or imports, and names that TorchScript does not accept for variables.
_TAKEN = frozenset(
    {
        *("torch", "math", "F", "Dict", "List", "Tuple", "print", "self"),
        *("TASK", "INPUTS", "COMPONENTS", "components", "compute_reward", "compute_reward_from_state"),
    }
)
_STEMS = {
    **dict.fromkeys(("add", "sub", "rsub", "mul", "div", "neg", "pow", "where"), "term"),
    **dict.fromkeys(("gt", "ge", "lt", "le", "eq", "ne", "bitwise_and", "bitwise_or", "bitwise_not"), "mask"),
    **dict.fromkeys(("full", "zeros", "ones", "scalar_tensor", "tensor"), "constant"),
    **dict.fromkeys(("select", "slice", "unbind", "split"), "part"),
    **dict.fromkeys(("select_scatter", "slice_scatter"), "written"),
    **dict.fromkeys(("view", "expand", "permute"), "reshaped"),
    "linalg_vector_norm": "norm",
    "linalg_cross": "cross",
    "stack": "stacked",
    "cat": "joined",
    "abs": "absolute",
    "clamp": "clamped",
    "_to_copy": "converted",
}


def stem(op: str) -> str:
    """A variable name for the result of an unnamed operation: `norm` for a vector norm."""
    base = op.partition(".")[0]
    return _STEMS.get(base, base.strip("_"))


def from_text(text: str) -> str:
    """An identifier made from a component's name: `height_of_the_object_m` for `height of the object (m)`; may be
    empty.
    """
    words = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
    return f"value_{words}" if words[:1].isdigit() else words


class Names:
    """Gives out each identifier once."""

    def __init__(self, wanted_later: Iterable[str] = ()) -> None:
        self._used = set(_TAKEN)
        self._wanted_later = frozenset(wanted_later)

    def field(self, name: str) -> str:
        """A parameter name for a State field: its own name, unless the module cannot use it."""
        return self.take(name, hides_builtins=True)

    def own(self, name: str) -> str:
        """The candidate's name for a constant or a variable, with a number appended if it is in use."""
        return self.take(name)

    def invented(self, name: str) -> str:
        """A generated name that does not take any of the candidate's names."""
        return self.take(name, avoid=self._wanted_later)

    def take(self, name: str, *, hides_builtins: bool = False, avoid: frozenset[str] = frozenset()) -> str:
        """The first free one of `name`, `name_2`, `name_3`..."""
        name = name.lstrip("_") if name.startswith("__") else name
        if not name.isidentifier() or keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in _TAKEN:
            name = f"{name or 'value'}_"
        if hasattr(builtins, name) and not hides_builtins:
            name = f"{name}_"
        candidate, count = name, 1
        while candidate in self._used or candidate in avoid:
            count += 1
            candidate = f"{name.rstrip('_')}_{count}"
        self._used.add(candidate)
        return candidate
