"""Builds the objects of a run from its config."""

from __future__ import annotations

import os
import platform
import secrets
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from eureka import __version__
from eureka.app.configs import change_resumed, from_yaml
from eureka.app.own_runs import is_own, remember
from eureka.config import (
    HUMAN,
    EnvConfig,
    EnvironmentKind,
    Films,
    Halving,
    PhysicsChoice,
    RunConfig,
    SandboxMode,
    SimulatorConfig,
    declared_values,
)
from eureka.config.environments import is_file
from eureka.core.errors import ConfigError
from eureka.core.ids import INIT_ID
from eureka.core.machine import memory_bytes, usable_cores
from eureka.core.training import TrainingLength
from eureka.proposers import models, registry
from eureka.proposers.base import Proposer
from eureka.proposers.models import ModelAccess, known_endpoints
from eureka.proposers.replay import ReplayConfig, is_answer_folder
from eureka.search.start import recorded_start
from eureka.store import RunFacts, RunStore, claim_name
from eureka.trainers.base import Trainer

UNSAFE = "generated code ran without confinement (sandbox=unsafe)"


@contextmanager
def run_folder(config: RunConfig) -> Iterator[Path]:
    """The configured folder, or a new and unique `outputs/<task>/<date>_<time>` under the current directory, which is
    removed again if it stays empty.

    Raises:
        StoreError: the folder cannot be created.
    """
    if config.output is not None:
        yield Path(config.output)
        return
    folder = claim_name(Path("outputs") / config.environment_name / f"{datetime.now():%Y-%m-%d_%H-%M-%S}")
    try:
        yield folder
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()


def resolve(config: RunConfig, environment: Mapping[str, str] = MappingProxyType({})) -> RunConfig:
    """The config with everything that depends on the current folder and machine resolved, so that a resumed run uses
    the same.

    Args:
        environment: variables that may set other endpoints of the providers, such as OPENAI_BASE_URL.

    Raises:
        ConfigError: the language model cannot be used as configured.
        PhysicsError: the engine is not installed.
    """
    llm = models.resolve(config.llm, environment)
    physics = config.physics
    if config.kind is EnvironmentKind.TASK:
        from eureka.physics.engine import choose  # imports MuJoCo, which other environments do not need

        physics = PhysicsChoice(choose(config.physics.value))
    workers = config.train.workers or usable_cores()
    hyperparameters = config.train.hyperparameters and str(Path(config.train.hyperparameters).absolute())
    train = replace(config.train, workers=workers, hyperparameters=hyperparameters)
    return replace(
        config,
        llm=llm,
        physics=physics,
        train=train,
        env=_absolute(config.env),
        state=config.state and str(Path(config.state).expanduser().absolute()),
        mjlab=_absolute_python(config.mjlab),
        isaaclab=_absolute_python(config.isaaclab),
        maniskill=_absolute_python(config.maniskill),
    )


def _absolute_python(simulator: SimulatorConfig) -> SimulatorConfig:
    """The simulator config with an absolute path of its interpreter. Links are kept, since a virtual environment's
    Python is one.
    """
    return replace(simulator, python=simulator.python and str(Path(simulator.python).expanduser().absolute()))


def _absolute(env: EnvConfig) -> EnvConfig:
    """The environment config with an absolute path, if the environment is a file.

    Raises:
        ConfigError: the file does not exist.
    """
    if env.id is None or not is_file(env.id):
        return env
    path = Path(env.id).expanduser().absolute()
    if not path.is_file():
        raise ConfigError(f"env={env.id}: there is no such file; `eureka init NAME --env ID` writes one")
    return replace(env, id=str(path))


def resumed_config(
    store: RunStore, overrides: Sequence[str], environment: Mapping[str, str] = MappingProxyType({})
) -> RunConfig:
    """The config of a resumed run: its own, changed by the overrides of earlier resumes and then of this one.

    The result is stored for the next resume.

    Args:
        environment: may name the endpoint that is recorded in the folder.

    Raises:
        ConfigError: an override is not allowed for a resumed run, or a value that must not come from a run folder is
            not given again.
    """
    facts = store.facts()
    newest = {text.partition("=")[0]: text for text in [*facts.resumed_with, *overrides]}
    config = change_resumed(from_yaml(store.config_yaml), list(newest.values()))
    own = is_own(store, environment)
    if not own:
        _require_given(store, _to_give(config, environment), overrides)
    config = resolve(config)
    if overrides:
        store.record_facts(replace(facts, resumed_with=tuple(newest.values())))
        if own:
            remember(store, environment)
    return config


def _require_given(store: RunStore, wanted: Mapping[str, str], overrides: Sequence[str]) -> None:
    """Raise ConfigError if the overrides lack one of the `wanted` ones, by key."""
    given = {text.partition("=")[0] for text in overrides}
    for key, text in wanted.items():
        if key not in given:
            instead = ", or sandbox=enforced to confine generated code" if key == "sandbox" else ""
            raise ConfigError(
                f"{store.folder}: its config has {text}, which a run folder may not decide: give {text} again if you "
                f"trust it{instead}"
            )


def evaluated_config(store: RunStore, overrides: Sequence[str], environment: Mapping[str, str]) -> RunConfig:
    """The config for training a run's rewards again: the run's own.

    Args:
        overrides: `KEY=VALUE` of values that must not come from a run folder and so are given again, such as
            `env.id=lander.py`.

    Raises:
        ConfigError: a key that names code is not given again, or an override differs from the run's own value.
    """
    config = from_yaml(store.config_yaml)
    wanted = {key: text for key, text in _to_give(config, {}).items() if not key.startswith(("llm.", "sandbox"))}
    same = {key: f"{key}={value}" for key, value in declared_values(config).items()}
    for text in overrides:
        key = _full_key(text.partition("=")[0])
        if key not in wanted:
            raise ConfigError(
                f"`{text}`: what was searched with is evaluated; given again is only what names code "
                f"({', '.join(wanted.values()) or 'here nothing does'})"
            )
        given = text.partition("=")[2]
        if given != str(declared_values(config)[key]) and not _is_same_file(given, str(declared_values(config)[key])):
            raise ConfigError(f"`{text}`: the run was started with {same[key]}")
    if not is_own(store, environment):
        keys = [f"{_full_key(text.partition('=')[0])}={text.partition('=')[2]}" for text in overrides]
        _require_given(store, wanted, keys)
    return config


def _full_key(key: str) -> str:
    return "env.id" if key == "env" else key


def _is_same_file(given: str, recorded: str) -> bool:
    return is_file(given) and Path(given).expanduser().absolute() == Path(recorded)


def _to_give(config: RunConfig, environment: Mapping[str, str]) -> dict[str, str]:
    """By key, the overrides that must be given again to continue a run with this config."""
    known = known_endpoints(config.llm, environment)
    values = declared_values(config)
    return {key: _quoted(f"{key}={value}") for key, value in values.items() if value not in known.get(key, ())}


def _quoted(text: str) -> str:
    """Text quoted as a word of a command line; it may come from an untrusted run folder."""
    return shlex.quote("".join(c if c.isprintable() else "?" for c in text[:1000]))


def resume_command(
    folder: Path, config: RunConfig, task_dirs: Sequence[Path], environment: Mapping[str, str], command: str = "resume"
) -> str:
    """The command that resumes a run, with all values that must not come from a run folder."""
    wanted = _to_give(config, environment).values() if command == "resume" else ()
    return " ".join([f"eureka {command} {folder}", *wanted, *map(_again, map(str, task_dirs))])


def _again(directory: str) -> str:
    return f"--task-dir {_quoted(directory)}"


def judged_by_preferences(config: RunConfig) -> RunConfig:
    """The config with everything switched off that needs a metric: successive halving, trainings of the leaders again,
    confirmation and the final comparison.

    Raises:
        ConfigError: the config asks for something that needs a metric.
    """
    asked = {"search.preflight=true": config.search.preflight, "train.target": config.train.target is not None}
    for key, is_asked in asked.items():
        if is_asked:
            raise ConfigError(f"{key} needs a task metric, and {config.environment_name} has none")
    search = replace(config.search, finalists=1, retrain=0)
    return replace(
        config,
        llm=registry.without_metric(config.llm),
        search=search,
        train=replace(config.train, halving=Halving.off),
        evaluation=replace(config.evaluation, seeds=0),
    )


def within_capabilities(config: RunConfig, trainer: Trainer) -> tuple[RunConfig, tuple[str, ...]]:
    """The config without features that the trainer lacks, and a sentence for each of them.

    Raises:
        ConfigError: the config asks for something that needs a missing feature.
    """
    said = []
    if config.search.preflight and not trainer.can.records_trajectories:
        raise ConfigError(f"search.preflight=true needs recorded trajectories, and {trainer.spec.name} has none")
    if config.train.halving is not Halving.off and not trainer.can.continues:
        config = replace(config, train=replace(config.train, halving=Halving.off))
        said.append("no training can be carried on here, so every candidate is trained to the end (train.halving=off)")
    if config.report.films is not Films.none and not trainer.can.renders:
        config = replace(config, report=replace(config.report, films=Films.none))
        said.append("policies cannot be filmed here, so the report has no films (report.films=none)")
    if not trainer.can.repeatable:
        said.append("the same command may give slightly other scores: trainings here are not bitwise repeatable")
    return config, tuple(said)


def training_length(config: RunConfig, trainer: Trainer) -> TrainingLength:
    """The length of each training; if the config leaves it open, the trainer's number of steps for the budget.

    Raises:
        ConfigError: the trainer has no number of steps for the budget.
    """
    steps = config.train.steps or trainer.budgets.get(config.budget)
    if steps is None:
        known = ", ".join(trainer.budgets)
        raise ConfigError(
            f"task {trainer.spec.name} has no training steps for budget={config.budget} (it has them for {known}): "
            "give train.steps=N"
        )
    return TrainingLength(steps, config.train.checkpoints, config.train.eval_episodes)


def evaluation_length(config: RunConfig, trainer: Trainer) -> TrainingLength:
    """The length of trainings for the final comparison: as in the search, except for `evaluation.steps`."""
    searched = training_length(config, trainer)
    return replace(searched, steps=config.evaluation.steps or searched.steps)


def full_length(config: RunConfig, trainer: Trainer) -> TrainingLength:
    """The length of trainings for `eureka evaluate`: at least that of `budget=standard`.

    Short trainings are enough to rank rewards in a search, but their final scores need full ones.
    """
    compared = evaluation_length(config, trainer)
    if config.evaluation.steps or config.train.steps:
        return compared
    return replace(compared, steps=max(compared.steps, trainer.budgets.get("standard", 0)))


def cache_folder(environment: Mapping[str, str], kept: str = "trainings") -> Path:
    """The folder for data kept between runs: `$XDG_CACHE_HOME/eureka/<kept>`, or the same under `~/.cache`."""
    home = environment.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "eureka" / kept


def make_proposer(config: RunConfig, access: ModelAccess | None = None) -> Proposer:
    """The proposer that writes the rewards, see `eureka.proposers.models.make_proposer`.

    Raises:
        ConfigError: the replayed run started from a given reward, and this one does not.
    """
    if isinstance(config.llm, ReplayConfig) and not is_answer_folder(Path(config.llm.run)):
        _require_its_start(config, config.llm.run)
    return models.make_proposer(config, access)


def _require_its_start(config: RunConfig, run: str) -> None:
    with RunStore.open(Path(run), read_only=True) as recorded:
        start = recorded_start(recorded.facts())
        source = recorded.candidate_folder(INIT_ID) / "source.py"
    if start is not None and config.search.init is None:
        raise ConfigError(
            f"llm.run={run} started from a reward of its own: add "
            f"search.init={HUMAN if start.origin == HUMAN else source}"
        )


def run_facts(config: RunConfig, proposer: Proposer, task_dirs: Sequence[Path]) -> RunFacts:
    """The facts of a run that its config, its proposer and this machine give."""
    is_task, is_gymnasium = (config.kind is kind for kind in (EnvironmentKind.TASK, EnvironmentKind.GYMNASIUM))
    processor, memory, gpu = hardware()
    return RunFacts(
        eureka=__version__,
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=processor,
        memory=memory,
        gpu=gpu,
        torch=version("torch"),
        numpy=version("numpy"),
        mujoco=version("mujoco") if is_task else "",
        gymnasium=version("gymnasium") if is_gymnasium else "",
        stable_baselines3=version("stable-baselines3") if is_gymnasium else "",
        physics=config.physics.value if is_task else "",
        proposer=proposer.description,
        had_metric_access=proposer.capabilities.uses_metric or config.search.preflight,
        run_id=secrets.token_hex(16),
        task_dirs=tuple(str(directory.resolve()) for directory in task_dirs),
        unsafe=UNSAFE if config.sandbox is SandboxMode.unsafe else "",
    )


def hardware() -> tuple[str, str, str]:
    """Names of this machine's processor, memory and GPU, for display."""
    import torch

    cores = f"{usable_cores()} of {os.cpu_count()} cores"
    named = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = memory_bytes()
    return (
        f"{named[0]}, {cores}" if named else cores,
        f"{memory / 2**30:.0f} GiB" if memory else "not known",
        torch.cuda.get_device_name() if torch.cuda.is_available() else "none that torch can use",
    )


def _lines(path: str) -> list[str]:
    """The lines of a file; empty if it does not exist, since not every kernel provides it."""
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


def require_task_dirs(store: RunStore, given: Sequence[Path]) -> None:
    """Raise if a run used task folders that are not given again, since code must not be named by a run folder.

    Raises:
        ConfigError: a task folder is not given; the message says what to type.
        StoreError: the recorded folders cannot be read.
    """
    recorded = store.facts().task_dirs
    if not recorded:
        return
    from eureka.tasks import find_tasks

    if given and from_yaml(store.config_yaml).task in find_tasks(given):
        return
    names = ", ".join(map(_quoted, recorded))
    folders = (
        f"the task folder {names}, whose env.py is"
        if len(recorded) == 1
        else f"the task folders {names}, whose env.py are"
    )
    trusted = "it" if len(recorded) == 1 else "them"
    raise ConfigError(
        f"{store.folder}: this run used {folders} code: give {' '.join(map(_again, recorded))} again if you trust "
        f"{trusted}"
    )
