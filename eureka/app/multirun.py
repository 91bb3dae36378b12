"""`eureka run -m`: several runs, one after the other, summarised in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.app.build import resolve, run_folder
from eureka.app.configs import compose_config
from eureka.app.runs import FinishedRun, Invocation, search_in, start_or_go_on
from eureka.config import RunConfig, sweep
from eureka.core.errors import BudgetReached, EurekaError
from eureka.evaluation import Role, TextTable
from eureka.evaluation.rows import NONE, interval, value, with_interval
from eureka.proposers.provider import ModelConfig
from eureka.proposers.spending import spent_before
from eureka.store import RunStore, is_run
from eureka.ui.console import error_line, say


@dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep; `label` has the overrides that differ between runs."""

    label: str
    config: RunConfig
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunOutcome:
    """The outcome of one planned run: a finished run, or the error message."""

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
    """The config of every run of a sweep, composed before the first one starts.

    Without `multirun` there is one run, and a comma is part of a value. With it, a given `output` is the parent of the
    numbered run folders.

    Raises:
        ConfigError: a list of values cannot be parsed, or a run's config is invalid.
    """
    if not multirun:
        return [PlannedRun("", resolve(compose_config(overrides, task_dirs, proposer), environment))]
    jobs = []
    for number, job in enumerate(sweep(overrides)):
        config = resolve(compose_config(job.overrides, task_dirs, proposer), environment)
        if config.output is not None and not any(text.startswith("output=") for text in job.varied):
            config = replace(config, output=str(Path(config.output) / str(number)))
        jobs.append(PlannedRun(" ".join(job.varied) or config.environment_name, config, job.overrides))
    return jobs


def run_all(
    jobs: Sequence[PlannedRun],
    given: Invocation,
    *,
    go_on: bool = False,
) -> list[RunOutcome]:
    """Execute the runs one after the other. The error of a failed one is printed, and the next ones are still run.

    The cap on money holds for all of them together: each run may spend what is left of its `llm.max_usd`, unless
    `llm.max_usd_per_run` caps each one separately.

    Args:
        go_on: continue runs that already exist in their folders.
    """
    outcomes = []
    spent_usd = {
        number: spent_in(Path(job.config.output), job.config)
        for number, job in enumerate(jobs, start=1)
        if job.config.output is not None
    }
    for number, job in enumerate(jobs, start=1):
        say()
        say(f"run {number} of {len(jobs)}: {job.label}")
        try:
            others_usd = sum(usd for other, usd in spent_usd.items() if other != number)
            left_usd = remaining_budget(job.config, others_usd)
            config = job.config
            left: tuple[str, ...] = ()
            if left_usd is not None and isinstance(config.llm, ModelConfig):
                say(f"${others_usd:.4g} of llm.max_usd={config.llm.max_usd:g} went into the other runs of the sweep")
                config = replace(config, llm=replace(config.llm, max_usd=left_usd))
                left = (f"llm.max_usd={left_usd}",)
            with run_folder(config) as folder:
                try:
                    if go_on:
                        found = start_or_go_on(folder, config, (*job.overrides, *left), given)
                    else:
                        found = search_in(folder, config, given)
                finally:
                    spent_usd[number] = spent_in(folder, config)
            outcomes.append(RunOutcome(job.label, found))
        except EurekaError as error:
            error_line(str(error))
            outcomes.append(RunOutcome(job.label, None, " ".join(str(error).split())))
    return outcomes


def remaining_budget(config: RunConfig, spent_usd: float) -> float | None:
    """The remainder of a run's `llm.max_usd` after other runs spent `spent_usd`; None: the cap stays unchanged.

    Raises:
        BudgetReached: nothing is left.
    """
    llm = config.llm
    if not isinstance(llm, ModelConfig) or llm.max_usd is None or llm.max_usd_per_run is not None or not spent_usd:
        return None
    if spent_usd >= llm.max_usd:
        raise BudgetReached(
            f"the other runs have spent ${spent_usd:.4g}, and llm.max_usd={llm.max_usd:g} counts all of a sweep: "
            "give a higher one, or llm.max_usd_per_run=N"
        )
    return llm.max_usd - spent_usd


def spent_in(folder: Path, config: RunConfig) -> float:
    """The dollars that a run has spent on a language model; 0 if it was never started."""
    if not isinstance(config.llm, ModelConfig) or not is_run(folder):
        return 0.0
    with RunStore.open(folder, read_only=True) as store:
        return spent_before(store, config.llm).usd


def comparison_of_runs(outcomes: Sequence[RunOutcome]) -> TextTable:
    """One row per run: its best reward against the human-written one; failed runs are listed below."""
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
