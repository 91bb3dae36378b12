"""The diagnoses of a reward before its training: kept beside the candidate, and shown in the report."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from in_process import examiner

from eureka.core.diagnosis import Severity
from eureka.core.errors import StoreError
from eureka.core.types import Candidate, Completion, Reward
from eureka.search.diagnoses import record_diagnoses
from eureka.store import RunStore
from eureka.store.diagnoses import read_diagnoses
from eureka.ui.report import render_report
from eureka.ui.report.candidates import diagnosis_text
from eureka.ui.report.reading import read_run

# total = exp(speed), where only the speed itself is reported, which no part of the total is.
UNREPORTED = (
    '{"version":1,"inputs":["speed"],"constants":{},'
    '"nodes":[{"op":"exp","args":[{"input":"speed"}],"line":4,"name":"rush"}],'
    '"total":{"node":0},"components":[{"name":"pace","value":{"input":"speed"}}]}'
)
# Two components, of which the second makes up nearly nothing: noted, and no warning.
NEGLIGIBLE = (
    '{"version":1,"inputs":["speed","height"],"constants":{},'
    '"nodes":[{"op":"mul.Tensor","args":[{"input":"height"},1e-6]},'
    '{"op":"add.Tensor","args":[{"input":"speed"},{"node":0}]}],'
    '"total":{"node":1},"components":[{"name":"pace","value":{"input":"speed"}},{"name":"hint","value":{"node":0}}]}'
)
STATE = {"speed": torch.linspace(-1.0, 1.0, 50), "height": torch.linspace(-1.0, 1.0, 50).abs()}


def store_of(folder: Path) -> RunStore:
    store = RunStore.create(folder, "task: ant\n")
    for name, graph, components in (("g01-c01", UNREPORTED, ("pace",)), ("g01-c02", NEGLIGIBLE, ("pace", "hint"))):
        store.record_completion(Completion(name, "", "model"))
        store.record_candidate(Candidate(name, "", ("speed", "height")))
        store.record_reward(Reward(name, graph, components))
    return store


def test_warnings_and_notes_stand_with_their_candidates(tmp_path: Path) -> None:
    with store_of(tmp_path / "run") as store:
        record_diagnoses(store, examiner(STATE))
        first, second = read_run(store).candidates
        page = render_report(store)
    assert [(d.severity, d.line) for d in first.diagnoses] == [(Severity.WARNING, None), (Severity.WARNING, 4)]
    assert "pace does not reach the total" in diagnosis_text(first.diagnoses[0])
    assert diagnosis_text(first.diagnoses[1]).startswith("rush (of speed) is in the total")
    assert diagnosis_text(first.diagnoses[1]).endswith("and in no component (line 4)")
    assert "negligible" in " ".join(diagnosis_text(d) for d in second.diagnoses if d.severity is Severity.NOTE)
    assert "Before training: rush (of speed) is in the total" in page
    _, of_first, of_second = page.split('<details class="candidate')
    assert "2 warnings" in of_first
    assert "Noted before training: " in of_second


def test_a_reward_is_looked_at_once_and_diagnoses_are_of_this_reward(tmp_path: Path) -> None:
    with store_of(tmp_path / "run") as store:
        record_diagnoses(store, examiner(STATE))
        folder = store.candidate_folder("g01-c01")
        (folder / "diagnoses.json").write_text((folder / "diagnoses.json").read_text().replace("rush", "hurry"))
        record_diagnoses(store, examiner(STATE))
    assert "hurry" in read_diagnoses(folder, UNREPORTED, within=folder)[1].component
    assert read_diagnoses(folder, NEGLIGIBLE, within=folder) == ()
    (folder / "diagnoses.json").write_text("{}")
    with pytest.raises(StoreError, match=r"diagnoses\.json: was changed by hand"):
        read_diagnoses(folder, UNREPORTED, within=folder)
