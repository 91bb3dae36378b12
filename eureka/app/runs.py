"""Runs from start to end, and the results of a finished one."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from eureka.app.build import require_task_dirs, resume_command, resumed_config
from eureka.app.comparing import best_reward, comparison_lines
from eureka.app.configs import from_yaml
from eureka.app.own_runs import remember, task_folders
from eureka.app.preparing import search_session
from eureka.app.session import SearchSession
from eureka.config import RunConfig, to_yaml
from eureka.config.settings import stored_settings
from eureka.core.errors import ConfigError
from eureka.core.types import Feedback
from eureka.evaluation import Comparison, read_comparison
from eureka.proposers.keys import Key
from eureka.store import RunStore, is_run, require_free
from eureka.store.files import read_text
from eureka.ui.console import interrupted, line
from eureka.ui.web.review.reviewer import leave_answers

_MAY_DIFFER = ("output", "physics", "sandbox", "train.workers", "llm.")
"""Keys, or their prefixes, whose values a resumed run takes from the current command: they concern the machine, or are
caps."""


@dataclass(frozen=True)
class Invocation:
    """What a run is started or resumed with besides its config. Not stored in the run folder.

    Attributes:
        task_dirs: folders with tasks of the user's own.
        environment: the environment variables, without keys.
        keys: API keys of the language models, by provider.
        watch: whether to serve the run's page during the run.
        answers: a person's answers about its generations, written in advance.
    """

    task_dirs: Sequence[Path] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, Key] = field(default_factory=dict, repr=False)
    watch: bool = False
    answers: Sequence[Feedback] = ()


@dataclass(frozen=True)
class FinishedRun:
    """A finished run, as returned by `evolve`.

    Attributes:
        folder: the run folder, for `eureka evaluate`, `eureka export` and the other commands.
        task: the task's name.
        best: the id of the best candidate, such as `g02-c05`.
        comparison: the best reward against the human-written one and the bare metric, with all figures; None if the run
            was made with `evaluation.seeds=0`.
    """

    folder: Path
    task: str
    best: str
    comparison: Comparison | None

    @property
    def reward_path(self) -> Path:
        """The path of the best reward as a module that needs only torch."""
        return self.folder / "best" / "reward.py"

    @property
    def reward(self) -> str:
        """The text of the best reward's module."""
        return read_text(self.reward_path, within=self.folder)

    @property
    def policy_path(self) -> Path:
        """The path of the best reward's policy from the search, to be loaded with `weights_only=True`."""
        return self.folder / "best" / "policy.pt"

    @property
    def table(self) -> str:
        """The comparison as text, as `eureka run` prints it; empty if there was none."""
        return "\n".join(comparison_lines(self.comparison)) if self.comparison else ""

    def __str__(self) -> str:
        found = f"best reward: {self.best}, as a module: {self.reward_path}"
        return f"{self.table}\n\n{found}" if self.comparison else found

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def search_in(folder: Path, config: RunConfig, given: Invocation) -> FinishedRun:
    """Execute a run in `folder`, which must not hold one yet.

    Raises:
        EurekaError: the run cannot start, or failed.
        KeyboardInterrupt: the user interrupted it; the command that resumes it has been printed.
    """
    require_free(folder)
    with search_session(config, given.task_dirs, given.environment, given.keys) as session:
        session.require_judge(has_answers=bool(given.answers))
        with (
            _interruptible(folder, config, given),
            RunStore.create(folder, to_yaml(_with_seeds(config, session)), session.facts()) as store,
        ):
            remember(store, given.environment)
            leave_answers(folder, given.answers)
            session.search(store, watch=given.watch)
    return read_run(folder)


@contextmanager
def _interruptible(folder: Path, config: RunConfig, given: Invocation) -> Iterator[None]:
    """If the user interrupts the context, print the command that resumes the run."""
    try:
        yield
    except KeyboardInterrupt:
        interrupted(resume_command(folder, config, given.task_dirs, given.environment))
        raise


def _with_seeds(config: RunConfig, session: SearchSession) -> RunConfig:
    """The config with the number of seeds that was chosen at the start, so that a resumed run uses the same."""
    return replace(config, train=replace(config.train, seeds=session.config.train.seeds))


def resume_in(folder: Path, overrides: Sequence[str], given: Invocation) -> bool:
    """Resume a run that was stopped; False if it had finished.

    Raises:
        EurekaError: the run cannot be resumed, or failed.
        KeyboardInterrupt: the user interrupted it.
    """
    environment = given.environment
    with RunStore.open(folder) as store:
        if store.is_finished:
            line(f"{folder}: this run has finished; its best reward is {store.best_folder / 'reward.py'}")
            return False
        task_dirs = task_folders(store, given.task_dirs, environment)
        require_task_dirs(store, task_dirs)
        config = resumed_config(store, overrides, environment)
        leave_answers(folder, given.answers)
        with search_session(config, task_dirs, environment, given.keys, store) as session:
            session.search(store, watch=given.watch)
    return True


def start_or_go_on(folder: Path, config: RunConfig, overrides: Sequence[str], given: Invocation) -> FinishedRun:
    """Execute a run as `search_in` does, or resume it if `folder` already holds it.

    Args:
        overrides: the overrides that `config` was composed from; those that a resume accepts apply to the rest of the
            run.

    Raises:
        ConfigError: the run in `folder` was started with another configuration.
        EurekaError: the run cannot start or be resumed, or failed.
        KeyboardInterrupt: the user interrupted it; the command that resumes it has been printed.
    """
    if not is_run(folder):
        return search_in(folder, config, given)
    with RunStore.open(folder, read_only=True) as store:
        stored = stored_settings(store.config_yaml)
    now = stored_settings(to_yaml(config))
    for key in [key for key in now if key in stored]:
        may_differ = key.startswith(_MAY_DIFFER) and key != "llm.name"
        if key == "train.seeds" and now[key] is None:
            continue  # the number of seeds was chosen at the run's start
        if stored.get(key) != now.get(key) and not may_differ:
            raise ConfigError(
                f"{folder}: holds a run with {key}={stored.get(key)}, and this one has {key}={now.get(key)}: give it "
                "another output="
            )
    anew = [text for text in overrides if text.startswith(("llm.", "sandbox="))]
    with _interruptible(folder, config, given):
        resume_in(folder, anew, given)
    return read_run(folder)


def read_run(folder: Path) -> FinishedRun:
    """The results of a run that has a best reward.

    Raises:
        StoreError: it is not a run folder, or has no usable reward.
    """
    with RunStore.open(folder, read_only=True) as store:
        task = from_yaml(store.config_yaml).environment_name
        return FinishedRun(folder, task, best_reward(store).candidate_id, read_comparison(folder))
