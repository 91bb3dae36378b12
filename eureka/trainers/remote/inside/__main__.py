"""The server in the other interpreter: answers requests from its standard input until that ends.

It is started by the path of this file, since Eureka is not installed there. It creates the parent packages as empty
modules, so that the modules of this folder can be imported under their full names, and nothing else of Eureka can.
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
    # With this file's folder on the path, its modules could shadow others by their short names.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != folder]


if __name__ == "__main__":
    # Before anything is imported that an older Python lacks, or cannot read.
    if sys.version_info < (3, 10):  # noqa: UP036
        sys.exit("it is Python %d.%d, and must be 3.10 or newer" % sys.version_info[:2])  # noqa: UP031
    _make_packages()
    from eureka.trainers.remote.inside.server import serve

    serve()
