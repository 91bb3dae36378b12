"""What was measured on a CUDA device, from `benchmarks/results/`, as lines of Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from result_files import COMMITTED


def gpu_lines(results: Path = COMMITTED) -> list[str]:
    """The tables of throughput, of what the recordings are worth, of the profile, and of a whole generation."""
    ant, humanoid, launched = (_read(results, f"gpu_{name}") for name in ("ant", "humanoid", "ant_launched"))
    lines = [
        "| task | K x worlds | bare steps/s | rollouts | training | of bare | time of an update, K = 1 is 1 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_row(row) for measured in (ant, humanoid) for row in measured["rows"]),
        "",
        f"{ant['device']}, one process; control steps a second of all K groups together. Medians of {ant['rounds']} "
        f"rounds of {ant['updates']} updates (humanoid: {humanoid['rounds']} of {humanoid['updates']}), the three "
        f"alternating; {_versions(ant)}. `benchmarks/on_gpu.sh RESULTS ant humanoid`",
        "",
        "| ant, training steps/s | kernel by kernel | recorded, weight gradients in parts |",
        "| --- | --- | --- |",
    ]
    for before, after in zip(launched["rows"], ant["rows"], strict=True):
        ratio = after["training"] / before["training"]
        name = f"K = {after['groups']} x {after['num_envs']:,}"
        lines.append(f"| {name} | {before['training']:,.0f} | {after['training']:,.0f} ({ratio:.2f} x) |")
    before, after, alone = (_read(results, f"gpu_profile_ant_{name}") for name in ("16_before", "16", "1"))
    lines += [
        "",
        f"Where {after['updates']} updates of {after['groups']} Ants go (`benchmarks/gpu_profile.py`, milliseconds of "
        f"the device, under the profiler): busy {after['busy_ms']:.0f}, of which physics {after['physics_ms']:.0f}. "
        f"Before the weight gradients were taken in parts: busy {before['busy_ms']:.0f}, of which one kernel, the "
        f"product of few small matrices over very many rows, {before['kernels'][0]['ms']:.0f}. With one group: busy "
        f"{alone['busy_ms']:.0f} of {alone['wall_ms']:.0f}, of which physics {alone['physics_ms']:.0f}.",
        "",
        *_generation(_read(results, "gpu_generation")),
    ]
    return lines


def _read(results: Path, name: str) -> Any:
    return json.loads((results / f"{name}.json").read_text(encoding="utf-8"))


def _row(row: Any) -> str:
    cost = row["cost"] or 1.0
    return (
        f"| {row['task']} | {row['groups']} x {row['num_envs']:,} | {row['bare']:,.0f} | {row['rollout']:,.0f} | "
        f"{row['training']:,.0f} | {row['share']:.0%} | {cost:.2f} |"
    )


def _versions(measured: Any) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(measured["versions"].items()))


def _generation(measured: Any) -> list[str]:
    seconds, steps = measured["generation_s"], f"{measured['generation_steps']:,} control steps each"
    reached = (
        f"half of them scored as much after {seconds:.0f} s ({steps}, evaluations included)"
        if seconds is not None
        else f"half of them had not scored as much after {steps}; the best score of each was "
        f"{min(measured['scores']):.2f} to {max(measured['scores']):.2f} m/s"
    )
    return [
        f"A generation: {measured['original_epochs']} epochs of {measured['original_num_envs']:,} worlds with the "
        f"original's networks and hyper-parameters score {measured['target']:.2f} m/s after "
        f"{measured['original_s']:.0f} s ({measured['original_epochs'] * measured['original_num_envs'] * 16:,} control "
        f"steps). Of {measured['groups']} policies of {measured['num_envs']:,} worlds each, trained as one population "
        f"with the task's own, {reached}; {measured['device']}, one run of each. "
        "`benchmarks/gpu_generation.py`",
        "",
    ]
