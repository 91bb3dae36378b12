"""A search from Python: `eureka.evolve(task="ant")`."""

from __future__ import annotations

import html
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from eureka.app.build import resolve, resume_command, run_folder
from eureka.app.comparing import best_reward, comparison_lines
from eureka.app.session import search_session
from eureka.config import RunConfig, compose_config, from_yaml, to_yaml
from eureka.core.types import Feedback
from eureka.evaluation import Comparison, read_comparison
from eureka.proposers.keys import KEY_VARIABLES, Key, take_keys
from eureka.sandbox.private_process import private_process
from eureka.store import RunStore, require_free
from eureka.ui.console import choose_mode, interrupted
from eureka.ui.console.output import Mode, mode
from eureka.ui.web.review.waiting import leave_answers


@dataclass(frozen=True)
class FinishedRun:
    """A finished run, as `evolve` gives it.

    Attributes:
        folder: the run folder, for `eureka evaluate`, `eureka export` and the other commands.
        task: the task's name.
        best: the id of the best candidate, such as `g02-c05`.
        comparison: the best reward against the human-written one and the bare metric, every figure of it; None where
            the run was made with `evaluation.seeds=0`.
    """

    folder: Path
    task: str
    best: str
    comparison: Comparison | None

    @property
    def reward_path(self) -> Path:
        """The best reward as a module that needs nothing but torch."""
        return self.folder / "best" / "reward.py"

    @property
    def reward(self) -> str:
        """The text of that module."""
        return self.reward_path.read_text(encoding="utf-8")

    @property
    def policy_path(self) -> Path:
        """The best reward's policy of the search, to be loaded with `weights_only=True`."""
        return self.folder / "best" / "policy.pt"

    @property
    def table(self) -> str:
        """The comparison as text, as `eureka run` prints it; empty where none was made."""
        return "\n".join(comparison_lines(self.comparison)) if self.comparison else ""

    def __str__(self) -> str:
        found = f"best reward: {self.best}, as a module: {self.reward_path}"
        return f"{self.table}\n\n{found}" if self.comparison else found

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def evolve(
    task: str,
    overrides: Sequence[str] = (),
    *,
    task_dirs: Sequence[Path | str] = (),
    quiet: bool = False,
    **keys: object,
) -> FinishedRun:
    """Search for a reward function: `eureka run` from Python, in a notebook too.

        import eureka

        run = eureka.evolve(task="cartpole", budget="quick", seed=1, search={"generations": 2, "samples": 4})
        print(run.table)                    # the best reward against the human-written one, with intervals
        print(run.reward)                   # the best reward as a module that needs nothing but torch
        run.comparison.methods[0].scores    # the figures behind the table

    It returns when the run is finished. API keys are read from the environment, as `eureka run` does. Nothing of the
    calling program changes: neither Hydra's state nor the environment.

    Args:
        task: the task's name.
        overrides: as on the command line, `["search.generations=2"]`; they win over `keys`.
        task_dirs: folders with tasks of your own.
        quiet: print nothing.
        keys: keys of the configuration, with a mapping for those that have parts.

    Raises:
        ConfigError: a key, a value or a choice that does not exist.
        EurekaError: the run cannot start, or broke off; what was finished is in its folder, which the error names.
    """
    given = [*_overrides({"task": task, **keys}), *overrides]
    folders = [Path(directory) for directory in task_dirs]
    with private_process(), _told(quiet), _keys_out_of_the_environment() as api_keys:
        default = next(iter(api_keys), "program_search")
        config = resolve(compose_config(given, folders, default), os.environ)
        return search_in(run_folder(config), config, folders, os.environ, api_keys)


def search_in(
    folder: Path,
    config: RunConfig,
    task_dirs: Sequence[Path],
    environment: Mapping[str, str],
    keys: Mapping[str, Key],
    *,
    watch: bool = False,
    answers: Sequence[Feedback] = (),
) -> FinishedRun:
    """Start a run in `folder`, which must be free, and see it through; with `watch` its page is served beside it.

    Args:
        answers: what a person says about its generations, written down beforehand.

    Raises:
        EurekaError: it cannot start, or broke off.
        KeyboardInterrupt: it was interrupted; how it goes on has been said.
    """
    require_free(folder)
    with search_session(config, task_dirs, environment, keys) as session:
        session.require_judge(has_answers=bool(answers))
        try:
            with RunStore.create(folder, to_yaml(config), session.facts()) as store:
                leave_answers(folder, answers)
                session.search(store, watch=watch)
        except KeyboardInterrupt:
            interrupted(resume_command(folder, config, task_dirs, environment))
            raise
    return read_run(folder)


def read_run(folder: Path) -> FinishedRun:
    """What a run that has a best reward gave.

    Raises:
        StoreError: not a run folder, or one without a usable reward.
    """
    with RunStore.open(folder, read_only=True) as store:
        task = from_yaml(store.config_yaml).task
        return FinishedRun(folder, task, best_reward(store).candidate_id, read_comparison(folder))


def _overrides(keys: Mapping[str, object], prefix: str = "") -> list[str]:
    """`{"seed": 1, "search": {"samples": 4}}` as `["seed=1", "search.samples=4"]`."""
    texts = []
    for key, value in keys.items():
        if isinstance(value, Mapping):
            texts += _overrides(value, f"{prefix}{key}.")
        else:
            texts.append(f"{prefix}{key}={_text(value)}")
    return texts


def _text(value: object) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


@contextmanager
def _told(quiet: bool) -> Iterator[None]:
    """The command line's mode for the while; with `quiet` its results, which are returned, are not printed either."""
    before = mode()
    choose_mode(quiet)
    try:
        with redirect_stdout(io.StringIO()) if quiet else nullcontext():
            yield
    finally:
        choose_mode(before is Mode.QUIET, before is Mode.JSON)


@contextmanager
def _keys_out_of_the_environment() -> Iterator[dict[str, Key]]:
    """The API keys that are set, which nothing that is started meanwhile can inherit; they are put back."""
    before = {variable: os.environ[variable] for variable in KEY_VARIABLES.values() if variable in os.environ}
    try:
        yield take_keys(os.environ)
    finally:
        os.environ.update(before)
