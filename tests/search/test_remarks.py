"""What is remarked about a reward before its training: kept beside the candidate, and shown in the report."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from in_process import examiner

from eureka.core.errors import StoreError
from eureka.core.types import Candidate, Completion, Reward
from eureka.search.remarks import record_remarks
from eureka.store import RunStore
from eureka.store.remarks import read_remarks
from eureka.ui.report import render_report
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
    store = RunStore.create(folder, "task: ant\n", {})
    for name, graph, components in (("g01-c01", UNREPORTED, ("pace",)), ("g01-c02", NEGLIGIBLE, ("pace", "hint"))):
        store.record_completion(Completion(name, "", "model"))
        store.record_candidate(Candidate(name, "", ("speed", "height")))
        store.record_reward(Reward(name, graph, components))
    return store


def test_warnings_and_notes_stand_with_their_candidates(tmp_path: Path) -> None:
    with store_of(tmp_path / "run") as store:
        record_remarks(store, examiner(STATE))
        first, second = read_run(store).candidates
        page = render_report(store)
    assert [(remark.is_warning, remark.line) for remark in first.remarks] == [(True, None), (True, 4)]
    assert "pace does not reach the total" in first.remarks[0].sentence
    assert first.remarks[1].sentence.startswith("rush (of speed) is in the total")
    assert first.remarks[1].sentence.endswith("and in no component (line 4)")
    assert "negligible" in " ".join(remark.sentence for remark in second.remarks if not remark.is_warning)
    assert "Before training: rush (of speed) is in the total" in page
    _, of_first, of_second = page.split('<details class="candidate')
    assert "2 warnings" in of_first
    assert "Noted before training: " in of_second


def test_a_reward_is_looked_at_once_and_remarks_are_of_this_reward(tmp_path: Path) -> None:
    with store_of(tmp_path / "run") as store:
        record_remarks(store, examiner(STATE))
        folder = store.candidate_folder("g01-c01")
        (folder / "remarks.json").write_text((folder / "remarks.json").read_text().replace("rush", "hurry"))
        record_remarks(store, examiner(STATE))
    assert "hurry" in read_remarks(folder, UNREPORTED)[1].text
    assert read_remarks(folder, NEGLIGIBLE) == ()
    (folder / "remarks.json").write_text("{}")
    with pytest.raises(StoreError, match=r"remarks\.json: was changed by hand"):
        read_remarks(folder, UNREPORTED)
