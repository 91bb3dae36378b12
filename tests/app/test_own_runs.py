"""The user's own runs go on without giving anything again; those that were received or changed do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from eureka.app.build import evaluated_config, resumed_config
from eureka.app.own_runs import is_own, remember, task_folders
from eureka.config import EnvConfig, RunConfig, SandboxMode, to_yaml
from eureka.core.errors import ConfigError, StoreError
from eureka.proposers.openai import OpenAIConfig
from eureka.proposers.program_search.proposer import ProgramSearchConfig
from eureka.store import RunFacts, RunStore

ID = "0123456789abcdef0123456789abcdef"
UNSAFE = RunConfig(task="balance", sandbox=SandboxMode.unsafe, llm=OpenAIConfig(base_url="https://own:1/v1", model="m"))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    folder = tmp_path / "tasks" / "balance"
    folder.mkdir(parents=True)
    (folder / "task.yaml").touch()
    (folder / "env.py").write_text("# mine")
    return folder.parent


def run(folder: Path, config: RunConfig, task_dirs: list[Path], identity: str = ID) -> RunStore:
    named = tuple(str(directory) for directory in task_dirs)
    return RunStore.create(folder, to_yaml(config), RunFacts(run_id=identity, task_dirs=named))


def test_an_own_run_goes_on_as_it_was_started(tmp_path: Path, tasks: Path, environment: dict[str, str]) -> None:
    with run(tmp_path / "run", UNSAFE, [tasks]) as store:
        assert not is_own(store, environment)
        with pytest.raises(ConfigError, match="which a run folder may not decide"):
            resumed_config(store, [], environment)
        assert task_folders(store, [], environment) == []
        remember(store, environment)
        assert is_own(store, environment)
        assert resumed_config(store, [], environment).sandbox is SandboxMode.unsafe
        assert task_folders(store, [], environment) == [tasks]
        assert task_folders(store, [tmp_path], environment) == [tmp_path]
        # What is given anew is the user's own word, for later resumes too.
        resumed_config(store, ["llm.base_url=http://other:1/v1"], environment)
        assert is_own(store, environment)
        assert not is_own(store, {"XDG_STATE_HOME": str(tmp_path / "of_another_user")})
    (kept,) = (tmp_path / "state" / "eureka" / "runs").iterdir()
    assert set(json.loads(kept.read_text())) == {"config", "code"}  # hashes, and nothing else


CHANGES: dict[str, Callable[[RunStore, Path], object]] = {
    "config": lambda store, _: store._database.set_value("meta", "config", to_yaml(UNSAFE).replace("own:1", "evil:1")),
    "task_dirs": lambda store, tasks: store._database.set_value("fact", "task_dirs", json.dumps([str(tasks), "evil"])),
    "resumed with": lambda store, _: store._database.set_value(
        "fact", "resumed with", '["llm.base_url=http://evil:1/v1"]'
    ),
    "id": lambda store, _: store._database.set_value("fact", "run id", "f" * 32),
    "no id": lambda store, _: store._database.set_value("fact", "run id", "../../" + ID),
    "code": lambda _, tasks: (tasks / "balance" / "env.py").write_text("# another's"),
    "further code": lambda _, tasks: (tasks / "balance" / "helpers.py").touch(),
    "code is gone": lambda _, tasks: (tasks / "balance" / "task.yaml").unlink(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_changed_is_asked_about(
    tmp_path: Path, tasks: Path, environment: dict[str, str], change: Callable[[RunStore, Path], object]
) -> None:
    with run(tmp_path / "run", UNSAFE, [tasks]) as store:
        remember(store, environment)
        assert is_own(store, environment)
        change(store, tasks)
        assert not is_own(store, environment)


def test_what_cannot_be_read_is_nobodys(tmp_path: Path, tasks: Path, environment: dict[str, str]) -> None:
    with run(tmp_path / "run", UNSAFE, [tasks]) as store:
        remember(store, environment)
        store._database.set_value("fact", "task_dirs", "[" * 5000)
        with pytest.raises(StoreError, match=r"the fact 'task_dirs' of run\.db was changed by hand"):
            is_own(store, environment)


def test_a_state_folder_that_cannot_be_written_costs_the_memory_alone(tmp_path: Path, tasks: Path) -> None:
    (tmp_path / "state").touch()
    with run(tmp_path / "run", UNSAFE, [tasks]) as store:
        remember(store, {"XDG_STATE_HOME": str(tmp_path / "state")})
        assert not is_own(store, {"XDG_STATE_HOME": str(tmp_path / "state")})


def test_what_names_code_is_given_again_to_evaluate_a_run_of_others(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "lander.py").write_text("raise SystemExit")
    env = EnvConfig(id=str(tmp_path / "lander.py"), kwargs={"wind": True})
    config = RunConfig(env=env, trainer="json:loads", llm=ProgramSearchConfig(), sandbox=SandboxMode.unsafe)
    with run(tmp_path / "run", config, []) as store:
        with pytest.raises(ConfigError, match=r"its config has env\.id=.*lander\.py, which a run"):
            evaluated_config(store, [], environment)
        with pytest.raises(ConfigError, match=r"its config has trainer=json:loads"):
            evaluated_config(store, [f"env={tmp_path}/lander.py", "env.kwargs.wind=True"], environment)
        with pytest.raises(ConfigError, match=r"the run was started with env\.id=.*lander\.py"):
            evaluated_config(store, ["env=other.py"], environment)
        with pytest.raises(ConfigError, match=r"`seed=3`: what was searched with is evaluated"):
            evaluated_config(store, ["seed=3"], environment)
        given = [f"env={tmp_path}/lander.py", "env.kwargs.wind=True", "trainer=json:loads"]
        assert evaluated_config(store, given, environment) == config
        remember(store, environment)
        assert evaluated_config(store, [], environment) == config
        (tmp_path / "lander.py").write_text("another")
        with pytest.raises(ConfigError, match=r"its config has env\.id"):
            evaluated_config(store, [], environment)
