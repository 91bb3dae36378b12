"""Under what circumstances a run was made: seeds and lengths of trainings, confinement, machine and versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eureka.ui.report.text import counted, listed
from eureka.ui.report.views import RunView

_MACHINE = ("processor", "memory", "gpu", "machine", "python", "eureka", "torch", "mujoco", "numpy")
_ELSEWHERE = frozenset(
    {"sentence", "metric", "metric unit", "llm calls", "init", "init source", "sandbox layers", "unsafe"}
)
"""Facts that the page says elsewhere, or that are of use to the run alone, as are those that are JSON."""


@dataclass(frozen=True)
class Circumstances:
    """Rows of name and value for the page's last section; `layers` are those of the sandbox with their states."""

    search: tuple[tuple[str, str], ...]
    layers: tuple[tuple[str, str], ...]
    machine: tuple[tuple[str, str], ...]


def circumstances(run: RunView, steps_per_second: float | None) -> Circumstances:
    """All of them, as far as the run has recorded any."""
    facts = {key: value for key, value in run.facts.items() if key not in _ELSEWHERE and value[:1] not in "[{"}
    machine = tuple((key, facts.pop(key)) for key in _MACHINE if key in facts)
    search = [("seeds", _seeds(run)), ("one training", _training(run))]
    if steps_per_second is not None:
        search.append(("speed", f"{steps_per_second:,.0f} control steps per second of a worker"))
    layers = [layer.strip().rpartition(" ") for layer in run.facts.get("sandbox layers", "").split(";")]
    return Circumstances(
        search=tuple((name, value) for name, value in [*search, *facts.items()] if value),
        layers=tuple((name, state) for name, _, state in layers if name),
        machine=machine,
    )


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
    steps = {result.steps[-1] for candidate in run.candidates for result in candidate.results}
    said = [f"{listed([f'{count:,}' for count in sorted(steps)])} control steps"] if steps else []
    for key, what in (("train.num_envs", "world"), ("train.workers", "worker")):
        count = run.settings.get(key)
        said += [counted(count, what)] if isinstance(count, int) else []
    return ", ".join(said)
