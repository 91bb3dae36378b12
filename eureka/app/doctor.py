"""The work behind `eureka doctor`: describes this machine."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version

from eureka import __version__
from eureka.core.errors import ConfigError
from eureka.core.machine import usable_cores
from eureka.core.text import table
from eureka.proposers.registry import key_variables


def diagnose(set_names: Collection[str], environment: Mapping[str, str]) -> list[str]:
    """Lines on versions, devices, drawing, confinement and keys.

    Args:
        set_names: names of the environment variables that are set; values are never looked at.
        environment: the variables passed to a child process that renders.
    """
    import torch

    from eureka.physics.engine import describe

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none that torch can use"
    rows = [
        ("eureka", __version__),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        ("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        ("torch", torch.__version__),
        ("mujoco", version("mujoco")),
        ("physics", describe()),
        ("cpu", f"{usable_cores()} cores for this process, {os.cpu_count()} in the machine"),
        ("gpu", gpu),
        ("video", _video(environment)),
        *((name, "set" if name in set_names else "not set") for name in key_variables().values()),
    ]
    return [*table(rows), "", *_confinement()]


def ask_interpreters(given: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """A line on each interpreter that `KEY=PATH` names.

    Raises:
        ConfigError: no such key.
    """
    from eureka.config.environments import PREFIXED
    from eureka.trainers.remote.asking import describe_interpreter

    lines = []
    for text in given:
        key, _, python = text.partition("=")
        keys = [f"{kind}.python" for kind in PREFIXED]
        if key not in keys or not python:
            raise ConfigError(f"`{text}`: eureka doctor takes {', '.join(f'{name}=PATH' for name in keys)}")
        lines.append(f"{key}  {describe_interpreter(key, python, environment)}")
    return lines


def _confinement() -> list[str]:
    """Whether generated code can run here, and the state of every layer of confinement."""
    from eureka.sandbox import inspect_layers
    from eureka.sandbox.worker_profile import in_words, inspect_worker_layers

    reports = inspect_layers()
    missing = [report.name for report in reports if report.mandatory and report.state == "missing"]
    refused = f"not to be had for lack of {', '.join(missing)}: runs are refused unless sandbox=unsafe"
    rows = [
        (report.name, report.state, "mandatory" if report.mandatory else "optional", report.detail)
        for report in reports
    ]
    workers = f"confinement of training workers on the CPU: {in_words(inspect_worker_layers())}"
    return [
        f"confinement of generated code: {refused if missing else 'holds'}",
        *(f"  {text}" for text in table(rows)),
        workers,
    ]


def _video(environment: Mapping[str, str]) -> str:
    """The rendering backend for `eureka play`, or what to install."""
    from eureka.ui.video.gl import explain, gl_report

    reports = gl_report(environment)
    return explain(reports) if reports[-1].error else f"drawn by {reports[-1].backend.upper()}, needs no screen"
