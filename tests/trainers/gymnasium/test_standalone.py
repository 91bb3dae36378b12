"""The file of `eureka export --to gymnasium` pays what a training was paid, without Eureka."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gym_environments import HERE

from eureka.core.errors import EurekaError
from eureka.reward.export import export_reward
from eureka.reward.graph.runtime import compile_graph
from eureka.trainers.gymnasium.environment import STATE, EnvironmentMaker
from eureka.trainers.gymnasium.recipe import EnvironmentRecipe
from eureka.trainers.gymnasium.standalone import standalone_file
from eureka.trainers.gymnasium.template import environment_file

SUPPORT = Path(__file__).parents[2] / "support"
PLAY = """
import builtins, json, sys
import numpy as np
builtins_import = builtins.__import__
def without_us(name, *rest, **more):
    assert name.split(".")[0] != "eureka", name
    return builtins_import(name, *rest, **more)
builtins.__import__ = without_us
from written import make_environment
env = make_environment()
env.reset(seed=5)
paid = []
for action in json.loads(sys.argv[1]):
    _, reward, *_, info = env.step(np.array(action, np.float32) if isinstance(action, list) else action)
    assert abs(sum(info["reward_components"].values()) - reward) < 1e-6
    paid.append(reward)
print(json.dumps(paid))
"""


def graph(field: str) -> str:
    """Three times a field."""
    return json.dumps(
        {
            "version": 1,
            "inputs": [field],
            "constants": {},
            "nodes": [{"op": "mul.Tensor", "args": [{"input": field}, 3.0]}],
            "total": {"node": 0},
            "components": [{"name": "thrice", "value": {"node": 0}}],
        }
    )


@pytest.mark.process
@pytest.mark.parametrize(
    ("env", "field"),
    [("CartPole-v1", "pole_angle"), (f"{HERE}:Walk", "speed"), (f"{HERE}:Parts", "body_gear"), ("file", "speed")],
)
def test_it_pays_the_same_without_us(env: str, field: str, tmp_path: Path) -> None:
    if env == "file":
        path = tmp_path / "walk.py"
        path.write_text(environment_file(f"{HERE}:Walk", "walk", "").text)
        env = str(path)
    recipe = EnvironmentRecipe(env)
    maker = EnvironmentMaker(recipe)
    module = export_reward(
        graph=graph(field), task="walk", candidate_id="g01-c01", fields=maker.reader.fields, provenance={}
    )
    (tmp_path / "written.py").write_text(standalone_file(module, recipe, "written"))
    made, reward = maker.make(), compile_graph(graph(field))
    made.action_space.seed(0)
    made.reset(seed=5)
    actions = [made.action_space.sample() for _ in range(6)]
    rows = np.stack([made.step(action)[-1][STATE] for action in actions])
    total, _ = reward(maker.reader.tensors(rows))
    played = subprocess.run(
        [sys.executable, "-P", "-c", PLAY, json.dumps([np.asarray(action).tolist() for action in actions])],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": f"{tmp_path}:{SUPPORT}", "PATH": ""},
    )
    assert played.returncode == 0, played.stderr
    assert json.loads(played.stdout) == pytest.approx(total.tolist(), rel=1e-5, abs=1e-6)


def test_names_that_the_file_needs_itself(tmp_path: Path) -> None:
    path = tmp_path / "walk.py"
    path.write_text(environment_file(f"{HERE}:Walk", "walk", "").text + "\n\ndef make_environment():\n    pass\n")
    fields = EnvironmentMaker(EnvironmentRecipe(str(path))).reader.fields
    module = export_reward(graph=graph("speed"), task="walk", candidate_id="g01-c01", fields=fields, provenance={})
    with pytest.raises(EurekaError, match="defines `make_environment`, which a file that stands alone needs"):
        standalone_file(module, EnvironmentRecipe(str(path)), "written")


def test_it_imports_the_package_that_registers_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"import gymnasium\ngymnasium.register('walks_of_others/Walk-v0', '{HERE}:Walk', max_episode_steps=9)"
    (tmp_path / "walks_of_others.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    recipe = EnvironmentRecipe("walks_of_others:walks_of_others/Walk-v0")
    fields = EnvironmentMaker(recipe).reader.fields
    module = export_reward(graph=graph("speed"), task="walk", candidate_id="g01-c01", fields=fields, provenance={})
    alone = standalone_file(module, recipe, "alone")
    assert "\nimport walks_of_others  # registers" in alone
    assert 'gymnasium.make("walks_of_others/Walk-v0", **kwargs)' in alone
