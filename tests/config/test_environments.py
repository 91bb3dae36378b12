"""What `env=` may name, and which of it names code."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka.app.build import resolve
from eureka.app.configs import change_resumed, compose_config, from_yaml
from eureka.config import EnvironmentKind, declared_values, to_yaml
from eureka.config.environments import kind_of, names_code, short_name, without_prefix
from eureka.core.errors import ConfigError


@pytest.mark.parametrize(
    ("env", "kind", "name", "is_code"),
    [
        ("LunarLanderContinuous-v3", EnvironmentKind.GYMNASIUM, "LunarLanderContinuous-v3", False),
        ("ALE/Pong-v5", EnvironmentKind.GYMNASIUM, "ALE_Pong-v5", False),
        ("minigrid:MiniGrid-Empty-5x5-v0", EnvironmentKind.GYMNASIUM, "MiniGrid-Empty-5x5-v0", True),
        ("my_package.arms:YamReach", EnvironmentKind.GYMNASIUM, "YamReach", True),
        ("some/lander.py", EnvironmentKind.GYMNASIUM, "lander", True),
        ("mjlab:Mjlab-Cartpole-Balance", EnvironmentKind.MJLAB, "Mjlab-Cartpole-Balance", False),
        ("isaaclab:Isaac-Ant-v0", EnvironmentKind.ISAACLAB, "Isaac-Ant-v0", False),
    ],
)
def test_kinds(env: str, kind: EnvironmentKind, name: str, is_code: bool) -> None:
    assert (kind_of(env), short_name(env), names_code(env)) == (kind, name, is_code)


def test_a_prefix_is_not_part_of_the_id() -> None:
    assert without_prefix("mjlab:Mjlab-Cartpole-Balance") == "Mjlab-Cartpole-Balance"
    assert without_prefix("arms:Reach") == "arms:Reach"
    assert kind_of(None) is EnvironmentKind.TASK


def test_arguments_of_an_environment() -> None:
    config = compose_config(["env=CartPole-v1", "env.kwargs.sutton_barto_reward=true", "env.kwargs.size=[1,2]"])
    assert config.env.kwargs == {"sutton_barto_reward": True, "size": [1, 2]}
    assert from_yaml(to_yaml(config)) == config
    # Arguments go into code of the environment's, so a run folder may not decide them.
    assert declared_values(config) == {"env.kwargs.sutton_barto_reward": True, "env.kwargs.size": [1, 2]}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["env=CartPole-v1", "task=ant"], "task=ant and env=CartPole-v1: give one of them"),
        (["task=cartpole", "metric=return"], "metric= is about an environment that env= names, and none is given"),
        (["task=cartpole", "env.kwargs.a=1"], "env.kwargs.a= is about an environment"),
        (["task=cartpole", "mjlab.python=python"], "mjlab.python= is about env=mjlab:ID, which this run does not have"),
        (["env=isaaclab:A", "mjlab.device=cpu"], "mjlab.device= is about env=mjlab:ID"),
        (["env=CartPole-v1", "env.kwargs.=1"], "there is no such key"),
    ],
)
def test_what_does_not_go_together(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose_config(overrides)


def test_a_file_is_kept_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"env=lander.py: there is no such file; `eureka init"):
        resolve(compose_config(["env=lander.py"]))
    (tmp_path / "lander.py").write_text("")
    assert resolve(compose_config(["env=lander.py"])).env.id == str(tmp_path / "lander.py")


def test_a_resumed_run_keeps_its_environment(tmp_path: Path) -> None:
    config = compose_config([f"env={tmp_path}/lander.py", "trainer=mine:train"])
    assert declared_values(config) == {"env.id": f"{tmp_path}/lander.py", "trainer": "mine:train"}
    assert change_resumed(config, [f"env={tmp_path}/lander.py", "trainer=mine:train"]) == config
    with pytest.raises(ConfigError, match="a resumed run keeps its environment and trainer, and they were others"):
        change_resumed(config, ["env=other.py"])
