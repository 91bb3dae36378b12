"""The provenance of a run's figures: commands, cost, seeds and lengths, confinement, machine and versions."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eureka.config import BUDGETS, ProposerConfig, RunConfig
from eureka.config.settings import flatten
from eureka.core.text import counted
from eureka.proposers.registry import config_classes
from eureka.store.facts import KEYS, RunFacts
from eureka.ui.report.candidates import worker_seconds
from eureka.ui.report.section import ReportView, Section
from eureka.ui.report.sections.search import generation_rows
from eureka.ui.report.templating import fill
from eureka.ui.report.text import listed
from eureka.ui.report.views import RunView

_MACHINE = (
    "processor",
    "memory",
    "gpu",
    "machine",
    "python",
    "eureka",
    "torch",
    "mujoco",
    "gymnasium",
    "stable_baselines3",
    "numpy",
)
_SEARCH = (
    "proposer",
    "trainer",
    "training_workers",
    "physics",
    "seed_stride",
    "run_id",
    "tracking_run",
)


@dataclass(frozen=True)
class Provenance:
    """Rows of name and value for the page's last section; `layers` are the sandbox's layers with their states."""

    search: tuple[tuple[str, str], ...]
    layers: tuple[tuple[str, str], ...]
    machine: tuple[tuple[str, str], ...]


def render(view: ReportView) -> Markup:
    """Everything needed to judge and to repeat the run."""
    run = view.run
    return fill(
        "provenance.jinja2",
        run=run,
        rows=generation_rows(run),
        total=view.spending,
        provenance=provenance(run, steps_per_second(run)),
        reproduce=reproduce_command(run),
        replay=reproduce_command(run, str(run.folder)),
        folder=view.folder,
    )


SECTION = Section("run", "Run", render)


def provenance(run: RunView, steps_per_second: float | None) -> Provenance:
    """The provenance of a run's figures, as recorded."""
    search = [("seeds", _seeds(run)), ("one training", _training(run))]
    if steps_per_second is not None:
        search.append(("speed", f"{steps_per_second:,.0f} control steps per second of a worker"))
    search.append((KEYS["had_metric_access"], run.facts.metric_access))
    search += [*_rows(run.facts, _SEARCH), *run.facts.others.items()]
    return Provenance(
        search=tuple((name, value) for name, value in search if value),
        layers=tuple(run.facts.sandbox_layers.items()),
        machine=tuple(_rows(run.facts, _MACHINE)),
    )


def _rows(facts: RunFacts, names: Sequence[str]) -> list[tuple[str, str]]:
    """These facts by their names on the page, as far as they are known."""
    return [(KEYS[name], str(getattr(facts, name))) for name in names if getattr(facts, name)]


def _seeds(run: RunView) -> str:
    trained = {result.seed for candidate in run.candidates for result in candidate.results}
    fresh = {result.seed for results in run.evaluations.values() for result in results}
    said = [f"{run.settings['seed']} of the search"] if "seed" in run.settings else []
    said += [f"{_numbers(trained)} of its trainings"] if trained else []
    said += [f"{_numbers(fresh)} of the final evaluation"] if fresh else []
    return "; ".join(said)


def _numbers(seeds: Iterable[int]) -> str:
    """`3`, `1, 2 and 7`, `1000 to 1004`."""
    ordered = sorted(seeds)
    if len(ordered) > 2 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{ordered[0]} to {ordered[-1]}"
    return listed([str(seed) for seed in ordered])


def _training(run: RunView) -> str:
    steps = {result.trained_steps for candidate in run.candidates for result in candidate.results}
    said = [f"{listed([f'{count:,}' for count in sorted(steps)])} control steps"] if steps else []
    for key, what in (("train.num_envs", "world"), ("train.workers", "worker")):
        count = run.settings.get(key)
        said += [counted(count, what)] if isinstance(count, int) else []
    return ", ".join(said)


def steps_per_second(run: RunView) -> float | None:
    """Control steps for each second of a worker, over all trainings of the search."""
    steps = sum(result.trained_steps for candidate in run.candidates for result in candidate.results)
    seconds = sum(worker_seconds(run.candidates).values())
    return steps / seconds if seconds > 0 else None


def reproduce_command(run: RunView, replayed: str = "") -> str:
    """`eureka run` with the settings that differ from the defaults of their budget; without the folder.

    With `replayed`, a folder, the answers recorded there stand for the proposer.
    """
    given = [] if run.settings.get("env.id") else [f"task={run.task}"]
    budget = str(run.settings.get("budget", "quick"))
    given += [f"budget={budget}"] if budget != RunConfig().budget else []
    llm = str(run.settings.get("llm.name", ""))
    if replayed:
        given += ["llm=replay", f"llm.run={replayed}"]
    elif llm:
        given.append(f"llm={llm}")
    usual = _usual(budget, llm)
    for key, value in run.settings.items():
        if key in ("task", "budget", "output", "llm.name") or usual.get(key) == value:
            continue
        if replayed and key.startswith("llm."):
            continue
        given.append(f"{key}={_written(value)}")
    folders = [f"--task-dir {shlex.quote(folder)}" for folder in run.facts.task_dirs]
    return " ".join(["eureka run", *map(shlex.quote, given), *folders])


def _usual(budget: str, llm: str) -> dict[str, object]:
    """The values of a config if only the budget and the proposer are given."""
    config = dataclasses.asdict(RunConfig()) | {"llm": dataclasses.asdict(config_classes().get(llm, ProposerConfig)())}
    return flatten(config) | flatten(BUDGETS.get(budget, {}))


def _written(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
