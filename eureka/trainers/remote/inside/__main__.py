"""The server in the other interpreter: answers requests from its standard input until there are no more.

Started by the path of this file, with nothing of Eureka installed there: the packages above this folder are made here,
empty, so that the modules of this folder are found under their own names and nothing else of Eureka is.
"""

import os
import sys
import types
from pathlib import Path

_INSIDE = "eureka.trainers.remote.inside"


def _make_packages() -> None:
    folder, parts = str(Path(__file__).parent), _INSIDE.split(".")
    for count in range(1, len(parts) + 1):
        package = types.ModuleType(".".join(parts[:count]))
        package.__path__ = [folder] if count == len(parts) else []
        sys.modules[package.__name__] = package
    # The folder of this file would give its modules under short names, in front of everybody's.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != folder]


if __name__ == "__main__":
    _make_packages()
    from eureka.trainers.remote.inside.server import serve

    serve()
