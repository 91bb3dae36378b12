"""What a child process of ours is given of the environment variables. Imports nothing heavy."""

from __future__ import annotations

import os
from collections.abc import Mapping

# What a worker may know of the environment: enough to find libraries and devices, and no keys.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
_ENVIRONMENT_PREFIXES = ("LC_", "MUJOCO_", "CUDA_", "NVIDIA_", "COVERAGE_")


def worker_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Of environment variables, what a child process of ours is given: no keys."""
    kept = {
        name: value
        for name, value in environment.items()
        if name in _ENVIRONMENT or name.startswith(_ENVIRONMENT_PREFIXES)
    }
    if "PYTHONPATH" in kept:
        entries = kept["PYTHONPATH"].split(os.pathsep)
        kept["PYTHONPATH"] = os.pathsep.join(os.path.abspath(entry) for entry in entries if entry)
    return {**kept, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
