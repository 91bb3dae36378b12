"""Finds an OpenGL that renders without a screen. Each one is tried in a child, since a broken driver may crash the
process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eureka.core.errors import RenderingUnavailable
from eureka.core.processes import Child, child_environment, python_command

BACKENDS = ("egl", "osmesa")
"""Values of MUJOCO_GL, in the order in which they are tried: EGL uses a GPU where there is one."""

PROBE_TIMEOUT_S = 60.0

_PREFIXES = ("LIBGL_", "MESA_", "GALLIUM_", "EGL_", "__EGL_", "__GLX_", "PYOPENGL_")
_NAMES = ("DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "WAYLAND_DISPLAY")

_PROBE = """
import mujoco
model = mujoco.MjModel.from_xml_string(
    "<mujoco><worldbody><light pos='0 0 3'/><geom type='sphere' size='.5' rgba='1 0 0 1'/></worldbody></mujoco>"
)
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 32, 32) as renderer:
    renderer.update_scene(data)
    assert renderer.render().any(), "the picture of a red ball is black"
"""

# Prints the Debian packages whose libraries cannot be loaded. Drivers are in `dri/`; since Mesa 25, in libgallium.
_MISSING = """
import ctypes, glob, sys
def loads(name):
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
drivers = [f for where in ("/usr/lib", "/usr/lib64", "/usr/lib/*") for name in ("dri/*_dri.so", "libgallium-*.so")
           for f in glob.glob(where + "/" + name)]
found = {
    "egl": {
        "libegl1": loads("libEGL.so.1"),
        "libegl-mesa0": loads("libEGL_mesa.so.0"),
        "libgl1": loads("libOpenGL.so.0") or loads("libGL.so.1"),
        "libgl1-mesa-dri": bool(drivers),
    },
    "osmesa": {"libosmesa6": loads("libOSMesa.so.8")},
}
print(*(package for package, there in found.get(sys.argv[1], {}).items() if not there))
"""


@dataclass(frozen=True)
class GlReport:
    """The result for one value of MUJOCO_GL: `error` is empty if it works; else its last error line, and the missing
    Debian packages.
    """

    backend: str
    error: str
    missing: tuple[str, ...] = ()


def drawing_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment variables for a child that renders, without keys."""
    drawing = {name: value for name, value in environment.items() if name in _NAMES or name.startswith(_PREFIXES)}
    return {**child_environment(environment), **drawing}


def gl_report(environment: Mapping[str, str]) -> list[GlReport]:
    """Try to render: with the value of MUJOCO_GL if that is set, else with EGL, then OSMesa until one works."""
    reports: list[GlReport] = []
    named = environment.get("MUJOCO_GL", "").strip().lower()
    for backend in (named,) if named else BACKENDS:
        reports.append(_try(environment, backend))
        if not reports[-1].error:
            break
    return reports


def find_gl(environment: Mapping[str, str]) -> str:
    """The value of MUJOCO_GL that works here.

    Raises:
        RenderingUnavailable: none works; the message says what to install.
    """
    reports = gl_report(environment)
    if not reports[-1].error:
        return reports[-1].backend
    raise RenderingUnavailable(f"nothing here can draw without a screen: {explain(reports)}")


def explain(reports: list[GlReport]) -> str:
    """Why none of them works, and what to install, in one sentence."""
    errors = "; ".join(f"MUJOCO_GL={report.backend}: {report.error}" for report in reports)
    # Installing the first of them is enough.
    missing = next((report.missing for report in reports if report.missing), ())
    return f"{errors} (on Debian or Ubuntu: apt-get install {' '.join(missing)})" if missing else errors


def _try(environment: Mapping[str, str], backend: str) -> GlReport:
    variables = {**drawing_environment(environment), "MUJOCO_GL": backend}
    with Child(python_command("-c", _PROBE), variables, own_session=False) as probe:
        if not probe.wait(PROBE_TIMEOUT_S):
            return GlReport(backend, f"gave no picture in {PROBE_TIMEOUT_S:.0f} s: broken, or this machine is too busy")
        if probe.returncode == 0:
            return GlReport(backend, "")
        reason = probe.reason()
    with Child(python_command("-c", _MISSING, backend), variables, stdout=True, own_session=False) as missing:
        return GlReport(backend, reason, tuple(missing.stdout.read().split()))
