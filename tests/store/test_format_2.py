"""A run folder of format 2, written by the version before format 3, is read: for report, comparison of runs and export.

`format_2/` is a search of two generations of two on cartpole, with its comparison and without its policies.
"""

import shutil
from pathlib import Path

import pytest

from eureka.app.exporting import export_run
from eureka.core.errors import StoreError
from eureka.core.types import Origin, Selection
from eureka.evaluation import read_comparison
from eureka.store import RunStore
from eureka.ui.report import render_comparison, render_report

FOLDER = Path(__file__).parent / "format_2"
IDS = ["g01-c01", "g01-c02", "g02-c01", "g02-c02"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "run"))


def test_its_records_are_those_of_today(folder: Path) -> None:
    with RunStore.open(folder, read_only=True) as store:
        samples, prompts = store.samples(), store.prompts()
        assert [(sample.id, sample.parents, sample.origin) for sample in samples] == [
            ("g01-c01", (), Origin.ASKED),
            ("g01-c02", (), Origin.ASKED),
            ("g02-c01", ("g01-c02",), Origin.ASKED),
            ("g02-c02", ("g01-c02",), Origin.ASKED),
        ]
        assert [field.name for field in samples[0].facts.state][:1] == ["cart_position"]
        assert list(prompts) == [(name, 0) for name in IDS]
        assert "The reward to improve, g01-c02" in prompts["g02-c01", 0].messages[1].content
        assert prompts["g01-c01", 0].messages != prompts["g02-c01", 0].messages
        assert store.selections() == [Selection(generation=1, best="g01-c02"), Selection(generation=2, best="g01-c01")]
        assert [result.candidate_id for result in store.results()] == IDS


def test_it_is_reported_compared_and_exported(folder: Path) -> None:
    with RunStore.open(folder, read_only=True) as store:
        page = render_report(store)
        assert "g02-c01" in page
        assert "The reward to improve, g01-c02" in page
        assert "g01-c01" in render_comparison([store, store])
        assert "def compute_reward(" in export_run(store, None)
    comparison = read_comparison(folder)
    assert comparison is not None
    assert comparison.methods[0].name == "g01-c01"


def test_it_is_not_written_to(folder: Path) -> None:
    before = (folder / "run.db").read_bytes()
    with pytest.raises(StoreError, match=r"run format 2, which this eureka .* reads and does not write: `report`"):
        RunStore.open(folder)
    assert (folder / "run.db").read_bytes() == before
