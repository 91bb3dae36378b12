"""What `benchmarks/bench.py` found: the form of `bench.json`, and the tables that are made of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from peers.setups import NAMES
from result_files import COMMITTED
from search_study_data import Hardware

from eureka.core.serialize import dumps, loads

VERSION = 1
FILE = "bench.json"


@dataclass(frozen=True)
class Settings:
    """How it was measured. `groups` are the sizes of our population, the last is what the peers are compared with.

    `steps` is the length of one training that times are extrapolated to; `at_a_time` the trainings that run at once
    where each has a process of its own.
    """

    rounds: int
    seconds: float
    num_envs: int
    horizon: int
    hidden: tuple[int, ...]
    groups: tuple[int, ...]
    steps: int
    at_a_time: int


@dataclass(frozen=True)
class Row:
    """One contestant under one physics (a key of `peers.setups.PHYSICS`).

    `rates` are control steps per second of all its processes, one per round; `start_s` seconds from the start of a
    process to its first step, the median; `groups` candidates are trained in one go (0: none are trained).
    """

    physics: str
    name: str
    rates: tuple[float, ...]
    start_s: float
    groups: int


@dataclass(frozen=True)
class Profile:
    """Shares of the time of training, by kind of work."""

    physics: str
    shares: Mapping[str, float]


@dataclass(frozen=True)
class Bench:
    """The complete result. `stepping` has no learning in it; `missing` says what could not be measured, and why."""

    version: int
    settings: Settings
    hardware: Hardware
    versions: Mapping[str, str]
    took_s: float
    training: tuple[Row, ...]
    stepping: tuple[Row, ...]
    profiles: tuple[Profile, ...]
    missing: tuple[str, ...]


def write_bench(bench: Bench, folder: Path) -> None:
    """Write the result."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(dumps(bench) + "\n", encoding="utf-8")


def read_bench(path: Path = COMMITTED / FILE) -> Bench | None:
    """The measured result, None if there is none.

    Raises:
        DecodeError: the file has another form.
    """
    return loads(Bench, path.read_text(encoding="utf-8")) if path.is_file() else None


def training_s(row: Row, settings: Settings, groups: int) -> float:
    """Seconds that `groups` trainings of `settings.steps` take, by the measured rate and start: extrapolated."""
    rate = median(row.rates)
    if row.groups >= groups:
        return row.start_s + groups * settings.steps / rate
    at_a_time = row.groups if row.groups > 1 else settings.at_a_time
    return math.ceil(groups / at_a_time) * (row.start_s + at_a_time * settings.steps / rate)


def bench_lines(bench: Bench) -> list[str]:
    """The tables, as Markdown."""
    lines = []
    for physics in dict.fromkeys(row.physics for row in bench.training):
        lines += _training_table(bench, physics)
    if bench.stepping:
        lines += ["**Stepping Ant-v5 as it is, without learning**", "", "| who | steps/s | lowest to highest |"]
        lines += ["| --- | --- | --- |"]
        lines += [f"| {row.name} | {median(row.rates):,.0f} | {_span(row.rates)} |" for row in bench.stepping]
        lines += [""]
    if bench.profiles:
        kinds = list(bench.profiles[0].shares)
        lines += ["**Where a second of training goes**", "", f"| | {' | '.join(kinds)} |"]
        lines += ["| --- |" + " --- |" * len(kinds)]
        lines += [
            f"| {NAMES[one.physics]} | {' | '.join(f'{one.shares[kind]:.0%}' for kind in kinds)} |"
            for one in bench.profiles
        ]
        lines += [""]
    return [*lines, *bench.missing, _provenance(bench), ""]


def _training_table(bench: Bench, physics: str) -> list[str]:
    settings = bench.settings
    rows = [row for row in bench.training if row.physics == physics]
    bare = next((row for row in rows if row.groups == 0), None)
    groups = settings.groups[-1]
    ours = _ours(rows, groups) or _ours(bench.training, groups)
    lines = [
        f"**Training Ants: {NAMES[physics]}**",
        "",
        f"| who | steps/s | of the bare physics | the population of {groups} is faster | "
        f"{groups} x {settings.steps:,} steps |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        share = _ratio(row, bare) if bare and row.groups else "-"
        faster = _ratio(ours, row) if ours and row.groups and row is not ours else "-"
        whole = _whole(row, ours, settings) if row.groups else "-"
        lines.append(f"| {row.name} | {median(row.rates):,.0f} | {share} | {faster} | {whole} |")
    return [*lines, ""]


def _whole(row: Row, ours: Row | None, settings: Settings) -> str:
    """The time of all `settings.groups` trainings, including starting processes, and its ratio to ours."""
    groups = settings.groups[-1]
    seconds = training_s(row, settings, groups)
    if ours is None or row is ours:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 60:.1f} min, {seconds / training_s(ours, settings, groups):.2f} x"


def _ours(rows: Sequence[Row], groups: int) -> Row | None:
    """Our population, under the first physics that it has: the task's own step."""
    return next((row for row in rows if row.groups == groups and groups > 1), None)


def _ratio(above: Row, below: Row) -> str:
    """The median of the rounds' ratios, and the lowest and highest."""
    ratios = [a / b for a, b in zip(above.rates, below.rates, strict=True)]
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _span(rates: Sequence[float]) -> str:
    return f"{min(rates):,.0f} to {max(rates):,.0f}"


def _provenance(bench: Bench) -> str:
    settings, hardware = bench.settings, bench.hardware
    versions = ", ".join(f"{name} {number}" for name, number in sorted(bench.versions.items()))
    network = " x ".join(map(str, settings.hidden))
    return (
        f"Medians of {settings.rounds} rounds in alternating order, {settings.seconds:g} s each after warm-up; ratios "
        "are taken within a round, lowest and highest in brackets. "
        f"Policies of {network}, updates of {settings.num_envs} x {settings.horizon} rows, equal hyper-parameters, "
        f"{settings.at_a_time} processes at a time; the last column is extrapolated from these rates and the time that "
        f"a process takes to start. {hardware.cores} cores, {hardware.cpu}; {versions}. "
        f"`make bench`, {bench.took_s / 60:.0f} min"
    )
