"""What `eureka doctor` says about this machine."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Collection
from importlib.metadata import version

from eureka import __version__
from eureka.console import table

API_KEYS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")


def diagnose(set_names: Collection[str]) -> list[str]:
    """Lines on versions, devices, confinement and keys.

    Args:
        set_names: names of the environment variables that are set; values are never looked at.
    """
    import torch

    from eureka.sandbox import inspect_layers

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none that torch can use"
    rows = [
        ("eureka", __version__),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        ("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        ("torch", torch.__version__),
        ("mujoco", version("mujoco")),
        ("engine", "mujoco_c (mujoco.batch on CPU threads)"),
        ("cpu", f"{len(os.sched_getaffinity(0))} cores for this process, {os.cpu_count()} in the machine"),
        ("gpu", gpu),
        *((name, "set" if name in set_names else "not set") for name in API_KEYS),
    ]
    layers = [
        (report.name, report.state, "mandatory" if report.mandatory else "optional", report.detail)
        for report in inspect_layers()
    ]
    return [*table(rows), "", "confinement of generated code:", *(f"  {text}" for text in table(layers))]
