"""What the tests of mjlab, Isaac Lab and ManiSkill share: stand-ins, rewards, packages installed by hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from interpreters import interpreter

from eureka.core.types import FieldSpec
from eureka.reward.export import export_reward

SIMULATORS = Path(__file__).parent / "simulators"
FIELDS = (
    FieldSpec("robot_joint_pos", (1,), "float32", "m", "joint", "positions of the joints of robot: slide"),
    FieldSpec("robot_joint_vel", (1,), "float32", "m/s", "joint", "velocities of the joints of robot: slide"),
    FieldSpec("action", (1,), "float32", "1", "", "the policy's action: push"),
    FieldSpec("terminated", (), "bool", "1", "", "whether this step ended the episode"),
)
POSITION, VELOCITY = {"node": 1}, {"node": 4}
NODES: Sequence[Mapping[str, Any]] = (
    {"op": "select.int", "args": [{"input": "robot_joint_pos"}, 1, 0]},
    {"op": "mul.Tensor", "args": [{"node": 0}, 3.0], "name": "place"},
    {"op": "select.int", "args": [{"input": "robot_joint_vel"}, 1, 0]},
    {"op": "mul.Tensor", "args": [{"node": 2}, {"node": 2}]},
    {"op": "mul.Tensor", "args": [{"node": 3}, -0.5], "name": "speed"},
    {"op": "add.Tensor", "args": [{"node": 1}, {"node": 4}]},
    {"op": "mul.Tensor", "args": [{"node": 5}, 2.0]},
    {"op": "div.Tensor", "args": [{"node": 0}, 0.0]},
)
"""place = 3 x, speed = -0.5 v^2, their sum, twice that, and x / 0."""


def reward_graph(total: int = 5, **components: Mapping[str, int]) -> str:
    """A reward of the point on its rail; its total is the node of this number."""
    parts = components or {"place": POSITION, "speed": VELOCITY}
    return json.dumps(
        {
            "version": 1,
            "inputs": ["robot_joint_pos", "robot_joint_vel"],
            "constants": {},
            "nodes": list(NODES),
            "total": {"node": total},
            "components": [{"name": name, "value": value} for name, value in parts.items()],
        }
    )


def module_of(graph: str, fields: Sequence[FieldSpec] = FIELDS) -> str:
    """The exported module of a graph."""
    return export_reward(graph=graph, task="Point", candidate_id="g01-c02", fields=fields, provenance={})


def environment(**more: str) -> dict[str, str]:
    """Environment variables with which this Python has the stand-ins."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    return {**kept, "PYTHONPATH": str(SIMULATORS), **more}


def installed(package: Path, site: Path, group: str) -> dict[str, str]:
    """Put a written package where pip would, with its entry point; gives the environment in which it is found."""
    (module,) = [path for path in package.iterdir() if path.is_dir()]
    shutil.copytree(module, site / module.name)
    about = site / f"{module.name}-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.name}\nVersion: 0.1.0\n")
    (about / "entry_points.txt").write_text(f"[{group}.tasks]\n{module.name} = {module.name}\n")
    return environment(PYTHONPATH=f"{site}{os.pathsep}{SIMULATORS}")


def run_python(program: str, variables: Mapping[str, str]) -> str:
    """What a program prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], env=dict(variables), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def python_with(simulator: str, *requirements: str, version: str | None = None) -> str:
    """The Python of an environment with a real simulator, made once; a test is skipped where it cannot be.
    `EUREKA_MJLAB_PYTHON` and the like name one that there is already. It is made with this Python, or with one of
    another version.
    """
    given = os.environ.get(f"EUREKA_{simulator.upper()}_PYTHON")
    if given:
        return given
    base = sys.executable if version is None else interpreter(version)
    if base is None:
        pytest.skip(f"no environment with {simulator} can be made: there is no Python {version}")
    home = os.environ.get("EUREKA_ENVIRONMENTS", os.path.expanduser("~/.cache/eureka-environments"))
    folder = Path(home) / requirements[0].replace("==", "-")
    program = folder / "bin" / "python"
    if not (folder / "ready").exists():
        for command in (
            [base, "-m", "venv", "--clear", str(folder)],
            [str(program), "-m", "pip", "install", "--quiet", *requirements],
        ):
            # What PYTHONPATH has would be taken for installed.
            own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
            done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"no environment with {simulator} can be made: {done.stderr.strip().splitlines()[-1:]}")
        (folder / "ready").touch()
    return str(program)
