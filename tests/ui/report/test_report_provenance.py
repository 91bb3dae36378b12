"""Where a run's figures come from: seeds, lengths, layers of the sandbox, machine and versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from page_checks import check

from eureka.core.training import TrainingResult
from eureka.core.types import Candidate, Completion
from eureka.store import RunFacts, RunStore
from eureka.ui.report import render_comparison, render_report
from eureka.ui.report.reading import read_run
from eureka.ui.report.sections.provenance import provenance

Make = Callable[..., TrainingResult]
CONFIG = "task: ant\nseed: 7\ntrain:\n  num_envs: 64\n  workers: 1\n"
FACTS = RunFacts(
    eureka="0.1.0",
    gpu="none that torch can use",
    had_metric_access=False,
    processor="A Processor, 2 of 4 cores",
    python="3.11.7",
    sandbox_layers={"seccomp": "on", "landlock": "missing", "private memory": "on"},
    sentence="Run.",
    unsafe="generated code ran without confinement (sandbox=unsafe)",
)


def test_they_are_said_as_far_as_they_are_known(tmp_path: Path, make_result: Make) -> None:
    with RunStore.create(tmp_path / "run", CONFIG, FACTS) as store:
        store.record_completion(Completion("g01-c01", "", "model"))
        store.record_candidate(Candidate("g01-c01", "", ()))
        for seed in (7, 8):
            store.record_result(make_result("g01-c01", (1.0,), seed=seed))
        for seed in (1000, 1001, 1002):
            store.record_evaluation(replace(make_result("g01-c01", (1.0,), seed=seed)))
        found = provenance(read_run(store), 1234.4)
        page = check(render_report(store))
        beside = check(render_comparison([store, store]))
    assert found.search == (
        ("seeds", "7 of the search; 7 and 8 of its trainings; 1000 to 1002 of the final evaluation"),
        ("one training", "200 control steps, 64 worlds, 1 worker"),
        ("speed", "1,234 control steps per second of a worker"),
        ("had metric access", "no"),
    )
    assert found.layers == (("seccomp", "on"), ("landlock", "missing"), ("private memory", "on"))
    assert [name for name, _ in found.machine] == ["processor", "gpu", "python", "eureka"]
    assert page.text.count("generated code ran without confinement (sandbox=unsafe)") == 2
    assert beside.text.count("generated code ran without confinement (sandbox=unsafe)") == 2
    assert "landlock missing" in " ".join(page.text.split())


def test_a_run_that_says_nothing_of_them(tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", "") as store:
        found = provenance(read_run(store), None)
        page = check(render_report(store))
    assert (found.search, found.layers, found.machine) == ((), (), ())
    assert "Nothing is recorded about its layers." in page.text
