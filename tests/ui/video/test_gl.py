"""Finding something to draw with: what is broken, missing or misnamed breaks a child and never us."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import eureka.ui.video.gl
from eureka.app.cli import main
from eureka.core.errors import RenderingUnavailable
from eureka.ui.video.gl import GlReport, drawing_environment, explain, find_gl, gl_report

pytestmark = pytest.mark.process


def test_found_by_itself(gl: str) -> None:
    assert gl in ("egl", "osmesa")


def test_a_driver_that_crashes_takes_only_its_own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eureka.ui.video.gl, "_PROBE", "import os; os.abort()")
    reports = gl_report({"PATH": os.environ["PATH"]})
    assert [(report.backend, report.error) for report in reports] == [
        ("egl", "killed by signal 6"),
        ("osmesa", "killed by signal 6"),
    ]


def test_a_driver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eureka.ui.video.gl, "_PROBE", "import time; time.sleep(60)")
    monkeypatch.setattr(eureka.ui.video.gl, "PROBE_TIMEOUT_S", 0.2)
    with pytest.raises(RenderingUnavailable, match="MUJOCO_GL=osmesa: gave no picture"):
        find_gl({})


@pytest.fixture
def broken_libraries(tmp_path: Path) -> str:
    """A folder for LD_LIBRARY_PATH in which the libraries of EGL and OSMesa are not libraries."""
    versions = ["", *(f".{number}" for number in range(10))]
    for name in (
        f"{library}.so{version}" for library in ("libEGL", "libEGL_mesa", "libOSMesa") for version in versions
    ):
        (tmp_path / name).write_bytes(b"not a library" * 100)
    return str(tmp_path)


def test_missing_debian_packages_are_named(broken_libraries: str) -> None:
    with pytest.raises(RenderingUnavailable) as caught:
        find_gl({**os.environ, "MUJOCO_GL": "", "LD_LIBRARY_PATH": broken_libraries})
    assert "nothing here can draw without a screen: MUJOCO_GL=egl: " in str(caught.value)
    assert re.search(r"\(on Debian or Ubuntu: apt-get install libegl1 libegl-mesa0( [\w-]+)*\)$", str(caught.value))


def test_doctor_names_them_too(
    broken_libraries: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", broken_libraries)
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    with pytest.raises(SystemExit):
        main(["doctor"])
    assert re.search(
        r"^video +MUJOCO_GL=osmesa: .*apt-get install libosmesa6\)$", capsys.readouterr().out, re.MULTILINE
    )


def test_what_the_user_names_is_what_is_tried() -> None:
    (report,) = gl_report({**os.environ, "MUJOCO_GL": "crayons"})
    assert report.error.endswith("invalid value for environment variable MUJOCO_GL: crayons")
    assert report.missing == ()


def test_one_installed_library_is_enough() -> None:
    reports = [GlReport("egl", "no EGL", ("libegl1",)), GlReport("osmesa", "no OSMesa", ("libosmesa6",))]
    assert explain(reports) == (
        "MUJOCO_GL=egl: no EGL; MUJOCO_GL=osmesa: no OSMesa (on Debian or Ubuntu: apt-get install libegl1)"
    )


def test_keys_do_not_reach_a_child_that_draws() -> None:
    given = {"PATH": "/bin", "OPENAI_API_KEY": "secret", "DISPLAY": ":0", "LIBGL_ALWAYS_SOFTWARE": "1"}
    child = drawing_environment(given)
    assert "OPENAI_API_KEY" not in child
    assert {"PATH": "/bin", "DISPLAY": ":0", "LIBGL_ALWAYS_SOFTWARE": "1"}.items() <= child.items()
