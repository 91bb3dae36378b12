"""Exports rewards of a run to other training code: Gymnasium, mjlab, Isaac Lab, ManiSkill, Isaac Gym."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from eureka.app.configs import from_yaml
from eureka.app.exporting import chosen_reward, export_gymnasium, reward_module
from eureka.config.environments import without_prefix
from eureka.core.errors import ConfigError, EurekaError
from eureka.reward.export.isaacgym import put_into_task
from eureka.store import RunStore
from eureka.trainers.remote.packages import TermPackage, train_command, write_package


@dataclass(frozen=True)
class ExportRequest:
    """The options of an export. All except the candidate apply to some targets only.

    Attributes:
        candidate: None for the best.
        output: path of the result; None: a default name in the current folder.
        task: id of the task whose reward is replaced; None: that of the run.
        state: a file that gives further State fields.
        source: the module of the Isaac Gym task.
        task_dirs: folders with tasks of the user's own.
        env: the run's environment, given again if it names code.
    """

    candidate: str | None = None
    output: Path | None = None
    task: str | None = None
    state: Path | None = None
    source: Path | None = None
    task_dirs: tuple[Path, ...] = ()
    env: str | None = None


def export_to(target: str, store: RunStore, request: ExportRequest) -> list[str]:
    """Write a reward for a target of `TARGETS`; returns what to print for the user.

    Raises:
        ConfigError: an option is not accepted by the target, or is missing.
        EurekaError: the reward cannot be exported to the target.
    """
    return TARGETS[target](target, store, request)


def _gymnasium(_target: str, store: RunStore, request: ExportRequest) -> list[str]:
    if request.task or request.state or request.source:
        raise ConfigError("--task, --state and --source are for other targets than gymnasium")
    path, text = export_gymnasium(store, request.candidate, request.output, request.task_dirs, request.env)
    _write(path, text, "the file")
    return [f"wrote {path}"]


def _write(path: Path, text: str, what: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EurekaError(f"{path}: {what} cannot be written: {error.strerror}") from error


def _term_package(simulator: str, store: RunStore, request: ExportRequest) -> list[str]:
    if request.source is not None:
        raise ConfigError(
            f"--source is for --to isaacgym: {simulator} gets a package of terms, and no module is changed"
        )
    config = from_yaml(store.config_yaml)
    found_on, is_own = config.environment_name, config.kind == simulator
    own_task = without_prefix(config.env.id or "")
    if not is_own and request.task is None:
        raise ConfigError(
            f"{store.folder}: its reward was found on {found_on}, which is no task of {simulator}: add --task ID for "
            "the task that gets it, and --state FILE for what it reads"
        )
    reward = chosen_reward(store, request.candidate)
    sample = next(iter(store.samples()), None)
    known = frozenset(field.name for field in sample.facts.state) if is_own and sample is not None else frozenset()
    package = TermPackage(
        simulator=simulator,
        task=(request.task or own_task).removeprefix(f"{simulator}:"),
        candidate=reward.candidate_id,
        graph=reward.graph,
        module=reward_module(store, reward),
        known=known,
        state=request.state,
    )
    folder = request.output or Path(package.name)
    write_package(package, folder)
    # Without a slash pip would ask the index for a package of this name.
    installed = shlex.quote(str(folder) if folder.is_absolute() else f"./{folder}")
    return [
        f"wrote {folder}: the task {package.new_task}, with the reward of {reward.candidate_id}",
        f"in the environment that has {simulator}: pip install --no-deps {installed}",
        train_command(package),
    ]


def _isaacgym(_target: str, store: RunStore, request: ExportRequest) -> list[str]:
    if request.source is None:
        raise ConfigError("--to isaacgym needs --source FILE: the task module of IsaacGymEnvs, such as ant.py")
    if request.task is not None or request.state is not None:
        raise ConfigError(
            "--task and --state are for --to mjlab, isaaclab and maniskill: for isaacgym edit eureka_state(task)"
        )
    reward = chosen_reward(store, request.candidate)
    sample = next(iter(store.samples()))
    try:
        source = request.source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EurekaError(f"{request.source}: the task module cannot be read: {error}") from error
    written = put_into_task(source, str(request.source), reward_module(store, reward), sample.facts.state)
    path = request.output or Path(f"{request.source.stem}_eureka.py")
    _write(path, written.text, "the task module")
    said = [f"wrote {path}: {request.source} with the reward of {reward.candidate_id}; it was never executed"]
    if written.taken:
        taken = ", ".join(f"{field} is {expression}" for field, expression in written.taken.items())
        said.append(f"taken by name, to be checked in eureka_state(task): {taken}")
    if written.open:
        said.append(f"to be filled in in eureka_state(task), where nothing has the name: {', '.join(written.open)}")
    return said


TARGETS: Mapping[str, Callable[[str, RunStore, ExportRequest], list[str]]] = {
    "gymnasium": _gymnasium,
    "mjlab": _term_package,
    "isaaclab": _term_package,
    "maniskill": _term_package,
    "isaacgym": _isaacgym,
}
"""Export functions by the name given to `--to`; any other name is the path of a standalone module."""
