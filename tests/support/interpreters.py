"""Other Pythons than the one that runs the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def interpreter(version: str) -> str | None:
    """A Python of this version on the path, or one that pyenv keeps."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(f"python{version}"), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python")))]
    for each in filter(None, found):
        told = subprocess.run([each, "-c", "import venv, ensurepip"], capture_output=True, check=False)
        if told.returncode == 0:
            return each
    return None
