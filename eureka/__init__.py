"""Eureka: language models write reward functions, populations of policies show which ones work.

`eureka.evolve(task="ant")` does from Python what `eureka run task=ant` does from a shell.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eureka.api import FinishedRun, Study, evolve, load, load_policy

__version__ = "0.1.0"

__all__ = ["FinishedRun", "Study", "__version__", "evolve", "load", "load_policy"]


def __getattr__(name: str) -> Any:
    # Imported lazily, since torch takes a second to import and `eureka --help` must be fast.
    if name in ("FinishedRun", "Study", "evolve", "load", "load_policy"):
        from eureka import api

        return getattr(api, name)
    raise AttributeError(f"module 'eureka' has no attribute {name!r}")
