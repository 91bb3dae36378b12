"""A search from Python: `eureka.evolve(task="ant")`."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path

from eureka.app.build import resolve, run_folder
from eureka.app.configs import compose_config
from eureka.app.from_python import all_overrides, keys_out_of_the_environment
from eureka.app.runs import FinishedRun, Invocation, search_in
from eureka.app.study import Study
from eureka.core.paths import Folders, path_list
from eureka.evaluation.loaded import LoadedRuns
from eureka.proposers.registry import default_proposer
from eureka.sandbox.private_process import private_process
from eureka.store import runs_in
from eureka.trainers.population.policy_module import PolicyModule, read_policy_module
from eureka.ui.console import choose_mode
from eureka.ui.console.output import Mode, mode

__all__ = ["FinishedRun", "Study", "evolve", "load", "load_policy"]


def evolve(
    task: str | None = None,
    overrides: str | Sequence[str] = (),
    *,
    task_dirs: Folders = (),
    quiet: bool = False,
    **keys: object,
) -> FinishedRun:
    """Search for a reward function: `eureka run` from Python, in a notebook too.

        import eureka

        run = eureka.evolve(task="cartpole", budget="quick", seed=1, search={"generations": 2, "samples": 4})
        print(run.table)                    # the best reward against the human-written one, with intervals
        print(run.reward)                   # the best reward as a module that needs nothing but torch
        run.comparison.methods[0].scores    # the figures behind the table

    It returns when the run is finished. API keys are read from the environment, as `eureka run` does. The calling
    program's state does not change: neither Hydra's nor the environment.

    Args:
        task: the task's name; without one give `env="CartPole-v1", description="..."` for a Gymnasium environment.
        overrides: as on the command line, `["search.generations=2"]`; they win over `keys`.
        task_dirs: a folder with tasks of your own, or several.
        quiet: print nothing.
        keys: keys of the configuration, with a mapping for those that have parts.

    Raises:
        ConfigError: a key, a value or a choice that does not exist.
        EurekaError: the run cannot start, or was aborted; finished results are in its folder, which the error names.
    """
    given = all_overrides(task, keys, overrides)
    folders = path_list(task_dirs)
    with private_process(), _output_mode(quiet), keys_out_of_the_environment() as api_keys:
        config = resolve(compose_config(given, folders, default_proposer(api_keys)), os.environ)
        with run_folder(config) as folder:
            return search_in(folder, config, Invocation(folders, os.environ, api_keys))


def load(path: str | Path) -> LoadedRuns:
    """Recorded runs: a run folder, or all of them below a folder such as `outputs`.

        frames = eureka.load("outputs").to_pandas()
        frames.trainings.groupby("candidate").score.mean()

    Raises:
        StoreError: there is no run.
    """
    return LoadedRuns(tuple(runs_in([Path(path)])))


def load_policy(path: str | Path) -> PolicyModule:
    """The policy in a file such as `best/policy.pt` of a run folder, with `act(observation)`.

    Raises:
        TrainingError: the file cannot be read, or is not a policy of a task.
    """
    return read_policy_module(path)


@contextmanager
def _output_mode(quiet: bool) -> Iterator[None]:
    """Set the command line's output mode within the context; with `quiet`, results are returned but not printed."""
    before = mode()
    choose_mode(quiet)
    try:
        with redirect_stdout(io.StringIO()) if quiet else nullcontext():
            yield
    finally:
        choose_mode(before is Mode.QUIET, before is Mode.JSON)
