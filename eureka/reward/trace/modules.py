"""The modules and builtins that a candidate is given while it is recorded.

A module imports others for its own use (`warnings.sys`, `torch.os`), and what a name leads to shows only when it is
read: by an alias, or by a name put together at run time. So a candidate gets views of modules, whose attributes follow
the same rules as its source (`memory`), and whose attributes cannot be set.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from eureka.reward.trace import rotations
from eureka.reward.trace.explain import TraceFailure

STATELESS = (
    "A reward sees one transition: compute it from the parameters alone; the state has a field for what came before, "
    "where the task offers it."
)
PLAIN = "Compute the reward from the parameters alone, in plain torch."


def words(text: str) -> frozenset[str]:
    """The words of a text, for lists of names."""
    return frozenset(text.split())


_IMPORTABLE = words(
    """
    torch math cmath typing typing_extensions __future__ numpy dataclasses enum functools itertools operator
    collections abc numbers copy contextlib warnings string
    """
)
#: Builtins that run text as code, reach names by text, or give what differs from one process to the next.
REACHES = words("exec eval compile globals locals vars setattr delattr __import__ id hash")
#: Of torch and numpy: what belongs to the process and outlives a call.
_OF_THE_PROCESS = words(
    "manual_seed seed initial_seed get_rng_state set_rng_state random get_num_threads get_num_interop_threads"
)
#: Modules of torch that see more of a call than its values: modes, operators, compilers, profilers.
_OF_TORCH = words("overrides ops utils fx export autograd testing library profiler multiprocessing distributed package")
#: What leads from an object to the interpreter behind it, reads attributes by text, or evaluates text.
INSIDE = words(
    """
    __builtins__ __globals__ __closure__ __code__ __self__ __func__ __wrapped__ __traceback__ __dict__ __subclasses__
    __mro__ __bases__ __loader__ __spec__ __getattribute__ __reduce__ __reduce_ex__ __sizeof__ __dlpack__
    tb_frame f_back f_locals f_globals f_builtins f_code gi_frame cr_frame ag_frame
    _C _ops _dynamo DisableTorchFunction DisableTorchFunctionSubclass _shape_as_tensor
    attrgetter methodcaller get_field get_type_hints ForwardRef _evaluate cache_info cache_clear
    """
)


def is_hidden(module: str) -> bool:
    """Whether a reward may not use a module, given by its full name."""
    root, _, inner = module.partition(".")
    part = inner.partition(".")[0]
    return root not in _IMPORTABLE or (root == "torch" and (part in _OF_TORCH or part.startswith("_")))


def is_of_the_process(module: str, name: str) -> bool:
    """Whether a name of a module reads or sets what belongs to the process, such as random numbers and settings."""
    root = module.partition(".")[0]
    return root in ("torch", "np", "numpy") and (name in _OF_THE_PROCESS or name.startswith("set_"))


class ModuleView(types.ModuleType):
    """A module as a candidate sees it: attributes that a reward may not reach are refused, and none is written."""

    def __getattr__(self, name: str) -> Any:
        module = _MODULES[self]
        value = getattr(module, name)
        is_private = name.startswith("_") and not name.endswith("__")
        if is_private or name in INSIDE or is_of_the_process(module.__name__, name):
            raise _reaches(module, name)
        return _seen(value, module, name)

    def __setattr__(self, name: str, value: object) -> None:
        raise TraceFailure(f"it keeps `{self.__name__}.{name:.80}` from one call to the next", STATELESS)

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)


_MODULES: dict[ModuleView, types.ModuleType] = {}
_VIEWS: dict[types.ModuleType, ModuleView] = {}


def view(module: types.ModuleType) -> ModuleView:
    """The view of a module; the same for every import of it."""
    if module not in _VIEWS:
        _VIEWS[module] = found = ModuleView(module.__name__, module.__doc__)
        _MODULES[found] = module
    return _VIEWS[module]


def _seen(value: Any, module: types.ModuleType, name: str) -> Any:
    if not isinstance(value, types.ModuleType):
        return value
    if is_hidden(value.__name__) and value is not rotations:
        raise _reaches(module, name)
    return view(value)


def _reaches(module: types.ModuleType, name: str) -> TraceFailure:
    return TraceFailure(f"it reaches for `{module.__name__}.{name:.80}`", PLAIN)


def _import(
    name: str,
    globals_: Mapping[str, object] | None = None,
    locals_: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> types.ModuleType:
    """`__import__` that gives views; the import statement itself was looked at in the source."""
    module = __import__(name, globals_, locals_, fromlist or (), level)
    found = view(module)
    if fromlist and "*" in fromlist:
        public = getattr(module, "__all__", None) or [key for key in vars(module) if not key.startswith("_")]
        vars(found).update((key, getattr(found, key)) for key in public)
    return found


def _refusing(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise TraceFailure(f"it calls `{name}`", PLAIN)

    return refuse


def given_builtins() -> dict[str, Any]:
    """Python's builtins for a candidate: imports give views, and what reaches further raises `TraceFailure`."""
    return {**vars(builtins), **{name: _refusing(name) for name in REACHES}, "__import__": _import}
