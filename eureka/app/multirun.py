"""`eureka run -m`: several runs, one after the other, into one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.app.build import resolve, run_folder
from eureka.app.configs import compose_config
from eureka.app.runs import FinishedRun, search_in
from eureka.config import RunConfig, sweep
from eureka.core.errors import EurekaError
from eureka.evaluation import Role, TextTable
from eureka.evaluation.rows import NONE, interval, value, with_interval
from eureka.proposers.keys import Key
from eureka.ui.console import error_line, say


@dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep; `label` has the overrides that differ from job to job."""

    label: str
    config: RunConfig


@dataclass(frozen=True)
class RunOutcome:
    """What became of a job: a run, or the sentence that says why there is none."""

    label: str
    run: FinishedRun | None
    error: str = ""


def plan(
    overrides: Sequence[str],
    task_dirs: Sequence[Path],
    environment: Mapping[str, str],
    proposer: str,
    *,
    multirun: bool,
) -> list[PlannedRun]:
    """Every job's config, composed before the first of them starts.

    Without `multirun` there is one job, and a comma is part of its value. With it an `output` that is given is the
    folder of the run folders, which are numbered.

    Raises:
        ConfigError: a list cannot be read, or a job's config is not valid.
    """
    if not multirun:
        return [PlannedRun("", resolve(compose_config(overrides, task_dirs, proposer), environment))]
    jobs = []
    for number, job in enumerate(sweep(overrides)):
        config = resolve(compose_config(job.overrides, task_dirs, proposer), environment)
        if config.output is not None and not any(text.startswith("output=") for text in job.varied):
            config = replace(config, output=str(Path(config.output) / str(number)))
        jobs.append(PlannedRun(" ".join(job.varied) or config.environment_name, config))
    return jobs


def run_all(
    jobs: Sequence[PlannedRun], task_dirs: Sequence[Path], environment: Mapping[str, str], keys: Mapping[str, Key]
) -> list[RunOutcome]:
    """Run one after the other. One that fails is told of, and does not stop those after it."""
    outcomes = []
    for number, job in enumerate(jobs, start=1):
        say()
        say(f"run {number} of {len(jobs)}: {job.label}")
        try:
            folder = run_folder(job.config)
            outcomes.append(RunOutcome(job.label, search_in(folder, job.config, task_dirs, environment, keys)))
        except EurekaError as error:
            error_line(str(error))
            outcomes.append(RunOutcome(job.label, None, " ".join(str(error).split())))
    return outcomes


def comparison_of_runs(outcomes: Sequence[RunOutcome]) -> TextTable:
    """One row a run: its best reward against the human-written one; failed ones are named below."""
    header = ("run", "best", "IQM", "95% interval", "human", "better than human", "normalised")
    finished = [outcome for outcome in outcomes if outcome.run is not None]
    return TextTable(
        title=f"{len(finished)} of {len(outcomes)} runs finished",
        header=header,
        rows=tuple(_row(outcome) for outcome in outcomes),
        notes=(
            *(f"{outcome.label}: {outcome.run.folder}" for outcome in outcomes if outcome.run),
            *(f"{outcome.label} failed: {outcome.error}" for outcome in outcomes if outcome.error),
        ),
    )


def _row(outcome: RunOutcome) -> tuple[str, ...]:
    if outcome.run is None:
        return (outcome.label, "failed", *[NONE] * 5)
    comparison = outcome.run.comparison
    best = comparison.method(Role.BEST) if comparison else None
    human = comparison.method(Role.HUMAN) if comparison else None
    if comparison is None or best is None or human is None:
        return (outcome.label, outcome.run.best, *[NONE] * 5)
    return (
        outcome.label,
        outcome.run.best,
        f"{value(best.iqm)} {comparison.unit}",
        interval(best.iqm),
        value(human.iqm),
        with_interval(best.improvement),
        with_interval(best.normalised),
    )
