"""From config to objects."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_trainer import FakeTrainer

from eureka.app.build import (
    cache_folder,
    evaluation_length,
    full_length,
    make_proposer,
    require_task_dirs,
    resolve,
    resume_command,
    run_facts,
    run_folder,
    training_length,
)
from eureka.config import EvaluationConfig, RunConfig, SandboxMode, SearchConfig, to_yaml
from eureka.config.schema import TrainConfig
from eureka.core.errors import ConfigError, StoreError
from eureka.core.training import TrainingLength
from eureka.core.types import Completion, Prompt, PromptFacts
from eureka.proposers.openai import OpenAIConfig
from eureka.proposers.program_search.proposer import ProgramSearch, ProgramSearchConfig
from eureka.proposers.replay import ReplayConfig
from eureka.store import RunFacts, RunStore
from eureka.trainers.registry import make_trainer


def test_run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with run_folder(RunConfig(task="ant", output="here")) as given:
        assert given == Path("here")
    with run_folder(RunConfig(task="ant")) as folder:
        assert folder.parent == Path("outputs/ant")
        assert len(folder.name.split("_")) == 2


def test_a_training_takes_the_trainers_numbers_where_the_config_is_open() -> None:
    trainer = FakeTrainer(budgets={"quick": 1, "standard": 30})
    assert training_length(RunConfig(budget="standard"), trainer) == TrainingLength(30, 4, 8)
    own = TrainConfig(steps=77, checkpoints=2, eval_episodes=3)
    assert training_length(RunConfig(train=own), trainer) == TrainingLength(77, 2, 3)
    with pytest.raises(ConfigError, match=r"cartpole has no training steps for budget=paper .*it has them for quick"):
        training_length(RunConfig(budget="paper"), trainer)


def test_resolving_fixes_what_depends_on_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = resolve(RunConfig(task="ant", llm=ReplayConfig(run="other")))
    assert config.llm == ReplayConfig(run=str(tmp_path / "other"))
    assert config.train.workers == len(os.sched_getaffinity(0))
    assert resolve(replace(config, train=TrainConfig(workers=7))).train.workers == 7
    make_trainer(config, [], {}).close()


def test_how_long_a_re_training_is() -> None:
    trainer = FakeTrainer(budgets={"quick": 100, "standard": 300})

    def steps(**changes: Any) -> tuple[int, int]:
        config = RunConfig(task="cartpole", **changes)
        return evaluation_length(config, trainer).steps, full_length(config, trainer).steps

    assert steps(budget="standard") == (300, 300)
    assert steps(budget="quick") == (100, 300)
    assert steps(budget="quick", train=TrainConfig(steps=50)) == (50, 50)
    assert steps(budget="quick", evaluation=EvaluationConfig(steps=70)) == (70, 70)


def test_where_trainings_are_kept() -> None:
    assert cache_folder({"XDG_CACHE_HOME": "/somewhere"}) == Path("/somewhere/eureka/trainings")
    assert cache_folder({}) == Path.home() / ".cache" / "eureka" / "trainings"


def test_proposers(tmp_path: Path) -> None:
    proposer = make_proposer(RunConfig(task="ant", llm=ProgramSearchConfig()))
    assert isinstance(proposer, ProgramSearch)
    assert proposer.capabilities.uses_metric
    with RunStore.create(tmp_path / "run", "", RunFacts(had_metric_access=True)) as store:
        store.record_completion(Completion("g01-c01", "text", "m"))
        # A run may be replayed while it is being written.
        config = RunConfig(task="ant", llm=ReplayConfig(run=str(tmp_path / "run")), search=SearchConfig(1, 1))
        replay = make_proposer(config)
    (completion,) = replay.sample_each(dict.fromkeys(["g01-c01"], Prompt((), PromptFacts("ant", 0, 1, ()))))
    assert completion.text == "text"
    assert replay.capabilities.uses_metric
    with pytest.raises(ConfigError, match=r"for 1 candidates and none for g01-c02: give search\.generations"):
        make_proposer(replace(config, search=SearchConfig(1, 2)))
    with pytest.raises(StoreError, match="not a run folder"):
        make_proposer(RunConfig(task="ant", llm=ReplayConfig(run=str(tmp_path))))


def test_facts(tmp_path: Path) -> None:
    config = RunConfig(task="ant", sandbox=SandboxMode.unsafe, llm=ProgramSearchConfig())
    facts = run_facts(config, make_proposer(config), [tmp_path])
    assert facts.had_metric_access
    assert "not a language model" in facts.proposer
    assert facts.unsafe.startswith("generated code ran without")
    assert facts.task_dirs == (str(tmp_path),)
    assert not run_facts(RunConfig(task="ant"), make_proposer(config), []).unsafe


def test_the_task_folders_of_a_run_folder_are_not_used(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "balance").mkdir(parents=True)
    (own / "balance" / "task.yaml").touch()
    yaml = to_yaml(RunConfig(task="balance", llm=ProgramSearchConfig()))
    with RunStore.create(tmp_path / "run", yaml, RunFacts(task_dirs=("evil dir",))) as store:
        said = (
            f"{tmp_path}/run: this run used the task folder 'evil dir', whose env.py is code: "
            "give --task-dir 'evil dir' again if you trust it"
        )
        for given in ([], [tmp_path]):
            with pytest.raises(ConfigError) as caught:
                require_task_dirs(store, given)
            assert str(caught.value) == said
        require_task_dirs(store, [own])
        store._database.set_value("fact", "task_dirs", '["a", "b"]')
        with pytest.raises(ConfigError, match=r"folders a, b, whose env\.py are code: give --task-dir a --task-dir b"):
            require_task_dirs(store, [])
        store._database.set_value("fact", "task_dirs", '"/tmp"')
        with pytest.raises(StoreError, match="changed by hand: tuple: must be a list"):
            require_task_dirs(store, [])
    # A built-in task needs none, but for a run that had others, which may have held one of the same name.
    with RunStore.create(tmp_path / "built-in", to_yaml(RunConfig(task="ant", llm=ProgramSearchConfig()))) as store:
        require_task_dirs(store, [])
        store._database.set_value("fact", "task_dirs", '["evil"]')
        with pytest.raises(ConfigError, match="give --task-dir evil again"):
            require_task_dirs(store, [])
        require_task_dirs(store, [own])


def test_what_a_resume_is_told_to_type(tmp_path: Path) -> None:
    config = RunConfig(task="ant", sandbox=SandboxMode.unsafe, llm=OpenAIConfig(base_url="http://me:1/v1"))
    command = resume_command(Path("run"), config, [Path("my tasks")], {})
    # In the order of the config's keys.
    assert command == "eureka resume run sandbox=unsafe llm.base_url=http://me:1/v1 --task-dir 'my tasks'"
    known = resume_command(Path("run"), config, [], {"OPENAI_BASE_URL": "http://me:1/v1"})
    assert known == "eureka resume run sandbox=unsafe"
    assert resume_command(Path("run"), RunConfig(task="ant"), [], {}) == "eureka resume run"
