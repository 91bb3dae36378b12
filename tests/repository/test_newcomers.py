"""What a newcomer does with nothing but the pages, on every supported Python: install from a clone, search, a task of
one's own, the wrapper, a table. Takes minutes and the network: `make test-wide`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from interpreters import interpreter

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.11", "3.12", "3.13")
SMALL = ["llm=program_search", "search.generations=1", "search.samples=2", "search.finalists=1"]
SMALL += ["search.confirmation_seeds=0", "train.steps=2048", "train.eval_episodes=2", "evaluation.seeds=1"]
SMALL += ["report.films=none"]
ROBOT = """
<mujoco><worldbody><body name="arm"><joint name="hinge" axis="0 1 0" damping="1"/>
<geom type="capsule" fromto="0 0 0 0.4 0 0" size="0.05"/></body></worldbody>
<actuator><motor joint="hinge" ctrlrange="-1 1" gear="10"/></actuator></mujoco>
"""
WRAPPED = """
import gymnasium
from eureka.wrappers import RewardWrapper
env = RewardWrapper(gymnasium.make("InvertedPendulum-v5"), "first/best/reward.py")
env.reset(seed=0)
print(env.step(env.action_space.sample())[4]["reward_components"])
"""


@pytest.mark.wide
@pytest.mark.process
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_newcomer_on(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"needs Python {version}")
    clone, home = tmp_path / "eureka", tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "XDG_CONFIG"))}
    # What pip has fetched once is not fetched again: torch alone is half a gigabyte.
    kept.setdefault("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip"))
    environment = {**kept, "PATH": os.environ["PATH"], "HOME": str(home)}

    def run(*command: str, cwd: Path) -> str:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    run("git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", str(clone), cwd=tmp_path)
    run(python, "-m", "venv", ".venv", cwd=clone)
    pip = str(clone / ".venv" / "bin" / "pip")
    run(pip, "install", "--quiet", "-c", "constraints.txt", "-e", ".", cwd=clone)
    eureka = str(clone / ".venv" / "bin" / "eureka")
    work = tmp_path / "work"
    work.mkdir()
    assert "confinement of generated code: holds" in run(eureka, "doctor", cwd=work)
    run(eureka, "run", "task=cartpole", *SMALL, "output=first", cwd=work)
    (work / "robot.xml").write_text(ROBOT)
    run(eureka, "init", "arm", "--xml", "robot.xml", cwd=work)
    run(eureka, "run", "task=arm", "--task-dir", "arm", *SMALL, "output=second", cwd=work)
    assert "{" in run(str(clone / ".venv" / "bin" / "python"), "-c", WRAPPED, cwd=work)
    table = run(eureka, "table", "first", "second", cwd=work)
    assert "cartpole" in table
    assert "arm" in table
