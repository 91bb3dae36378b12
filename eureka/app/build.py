"""Makes the objects of a run from its config."""

from __future__ import annotations

import json
import os
import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from eureka import __version__
from eureka.app.configs import change_resumed, from_yaml
from eureka.config import (
    EnvConfig,
    EnvironmentKind,
    Films,
    Halving,
    PhysicsChoice,
    RunConfig,
    SandboxMode,
    declared_values,
)
from eureka.config.environments import is_file
from eureka.core.errors import ConfigError
from eureka.core.ids import INIT_ID
from eureka.core.training import TrainingLength
from eureka.proposers import models, registry
from eureka.proposers.base import Proposer
from eureka.proposers.models import ModelAccess, known_endpoints
from eureka.proposers.replay import ReplayConfig, is_answer_folder
from eureka.search.start import HUMAN, recorded_start
from eureka.store import RunStore, free_name
from eureka.trainers.base import Trainer

_RESUMED_WITH = "resumed with"
UNSAFE = "generated code ran without confinement (sandbox=unsafe)"


def run_folder(config: RunConfig) -> Path:
    """The configured folder, or a free `outputs/<task>/<date>_<time>` under the current directory."""
    if config.output is not None:
        return Path(config.output)
    return free_name(Path("outputs") / config.environment_name / f"{datetime.now():%Y-%m-%d_%H-%M-%S}")


def resolve(config: RunConfig, environment: Mapping[str, str] = MappingProxyType({})) -> RunConfig:
    """The config with what depends on where and on which machine it was given, so that a resumed run has the same.

    Args:
        environment: names other endpoints of the providers' protocols, such as OPENAI_BASE_URL.

    Raises:
        ConfigError: a language model that cannot be asked as configured.
        PhysicsError: an engine that is not installed.
    """
    llm = models.resolve(config.llm, environment)
    physics = config.physics
    if config.kind is EnvironmentKind.TASK:
        from eureka.physics.engine import choose  # MuJoCo, which no other environment needs

        physics = PhysicsChoice(choose(config.physics.value))
    workers = config.train.workers or len(os.sched_getaffinity(0))
    hyperparameters = config.train.hyperparameters and str(Path(config.train.hyperparameters).absolute())
    train = replace(config.train, workers=workers, hyperparameters=hyperparameters)
    return replace(config, llm=llm, physics=physics, train=train, env=_absolute(config.env))


def _absolute(env: EnvConfig) -> EnvConfig:
    """A file that is an environment by its absolute path.

    Raises:
        ConfigError: there is no such file.
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
    """The config that a run goes on with: its own, with what this and earlier resumes gave anew, the newest last.

    It is kept for the next resume.

    Args:
        environment: may name the endpoint that the folder does.

    Raises:
        ConfigError: an override that a resumed run cannot take, or a value that a run folder may not decide and that is
            not given again.
    """
    earlier = store.fact_list(_RESUMED_WITH)
    newest = {text.partition("=")[0]: text for text in [*earlier, *overrides]}
    config = change_resumed(from_yaml(store.config_yaml), list(newest.values()))
    given = {text.partition("=")[0] for text in overrides}
    wanted = {key: text for key, text in _to_give(config, environment).items() if key not in given}
    for key, text in wanted.items():
        instead = ", or sandbox=enforced to confine generated code" if key == "sandbox" else ""
        raise ConfigError(
            f"{store.folder}: its config has {text}, which a run folder may not decide: give {text} again if you trust "
            f"it{instead}"
        )
    config = resolve(config)
    if overrides:
        store.set_fact(_RESUMED_WITH, json.dumps(list(newest.values()), ensure_ascii=False))
    return config


def _to_give(config: RunConfig, environment: Mapping[str, str]) -> dict[str, str]:
    """The overrides that a run with this config goes on with only where they are given again, by key."""
    known = known_endpoints(config.llm, environment)
    values = declared_values(config)
    return {key: _quoted(f"{key}={value}") for key, value in values.items() if value not in known.get(key, ())}


def _quoted(text: str) -> str:
    """A word of a command line, which may come from a run folder."""
    return shlex.quote("".join(c if c.isprintable() else "?" for c in text[:1000]))


def resume_command(
    folder: Path, config: RunConfig, task_dirs: Sequence[Path], environment: Mapping[str, str], command: str = "resume"
) -> str:
    """What is typed to go on with a run, with all that a run folder may not decide."""
    wanted = _to_give(config, environment).values() if command == "resume" else ()
    return " ".join([f"eureka {command} {folder}", *wanted, *map(_again, map(str, task_dirs))])


def _again(directory: str) -> str:
    return f"--task-dir {_quoted(directory)}"


def judged_by_preferences(config: RunConfig) -> RunConfig:
    """The config without what measures a metric. Further trainings would tell nothing: a person saw those there are.

    Raises:
        ConfigError: what cannot be without one is asked for.
    """
    asked = {"search.preflight=true": config.search.preflight, "train.target": config.train.target is not None}
    for key, is_asked in asked.items():
        if is_asked:
            raise ConfigError(f"{key} needs a task metric, and {config.environment_name} has none")
    search = replace(config.search, finalists=1)
    return replace(
        config,
        llm=registry.without_metric(config.llm),
        search=search,
        train=replace(config.train, halving=Halving.off),
        evaluation=replace(config.evaluation, seeds=0),
    )


def within_capabilities(config: RunConfig, trainer: Trainer) -> tuple[RunConfig, tuple[str, ...]]:
    """The config without what the trainer cannot do, and a sentence for each thing that the run goes without.

    Raises:
        ConfigError: what the run was told to do cannot be done without it.
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
    """How long each training is: the trainer's own number of steps for the budget where the config leaves it open.

    Raises:
        ConfigError: there is none for the budget.
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
    """How rewards are re-trained for the final comparison: as in the search, but for `evaluation.steps`."""
    searched = training_length(config, trainer)
    return replace(searched, steps=config.evaluation.steps or searched.steps)


def full_length(config: RunConfig, trainer: Trainer) -> TrainingLength:
    """How rewards are re-trained by `eureka evaluate`: for as long as `budget=standard` does where that is longer.

    A search can rank rewards by short trainings; what they are worth takes a full one.
    """
    compared = evaluation_length(config, trainer)
    if config.evaluation.steps or config.train.steps:
        return compared
    return replace(compared, steps=max(compared.steps, trainer.budgets.get("standard", 0)))


def cache_folder(environment: Mapping[str, str], kept: str = "trainings") -> Path:
    """Where something is kept from run to run: `$XDG_CACHE_HOME/eureka/trainings`, or under `~/.cache`."""
    home = environment.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "eureka" / kept


def make_proposer(config: RunConfig, access: ModelAccess | None = None) -> Proposer:
    """Who writes the rewards, see `eureka.proposers.models.make_proposer`.

    Raises:
        ConfigError: the run to replay started from a reward, and this one does not.
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


def run_facts(config: RunConfig, proposer: Proposer, task_dirs: Sequence[Path]) -> dict[str, str]:
    """What is kept about a run beside its config."""
    simulators = ("mujoco",) if config.kind is EnvironmentKind.TASK else ("gymnasium", "stable-baselines3")
    facts = {
        "eureka": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.release()} {platform.machine()}",
        **hardware(),
        **{name: version(name) for name in ("torch", "numpy", *simulators)},
        **({"physics": config.physics.value} if config.kind is EnvironmentKind.TASK else {}),
        "proposer": proposer.description,
        "had metric access": "yes" if proposer.capabilities.uses_metric or config.search.preflight else "no",
        "task_dirs": json.dumps([str(directory.resolve()) for directory in task_dirs]),
    }
    if config.sandbox is SandboxMode.unsafe:
        facts["unsafe"] = UNSAFE
    return facts


def hardware() -> dict[str, str]:
    """Processor, memory and GPU of this machine, for people."""
    import torch

    cores = f"{len(os.sched_getaffinity(0))} of {os.cpu_count()} cores"
    named = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": f"{named[0]}, {cores}" if named else cores,
        "memory": f"{memory / 2**30:.0f} GiB",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none that torch can use",
    }


def _lines(path: str) -> list[str]:
    """Of a file that not every kernel has."""
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


def require_task_dirs(store: RunStore, given: Sequence[Path]) -> None:
    """Raise where a run used task folders that are not given again: it names them, and data never names code.

    Raises:
        ConfigError: says what to type.
        StoreError: the recorded folders cannot be read.
    """
    recorded = store.fact_list("task_dirs")
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
