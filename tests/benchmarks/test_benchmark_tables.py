"""The study's figures and the README's table: by hand, and against what is committed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import search_study_data as data  # noqa: E402
import tables  # noqa: E402

STUDY = data.SearchStudy(
    version=data.VERSION,
    task="swingup",
    metric="share of the time upright",
    unit="1",
    settings=data.Settings(2, 3, 8, 1024, 2048, 2, 3, 8, ("train.steps=1024",)),
    hardware=data.Hardware("x86_64", "a CPU", 2),
    versions={"torch": "2.13.0", "eureka": "0.1.0"},
    human=(0.5, 0.5, 0.5),
    sparse=(0.0, 0.0, 0.0),
    conditions=(
        data.Condition(
            True,
            (
                data.Search(
                    0,
                    data.Picked("g01-c01", (0.25, 0.25)),
                    data.Picked("g03-c02", (0.75, 0.75)),
                    data.Picked("g02-c01", (0.75, 0.75)),
                ),
                data.Search(
                    1,
                    data.Picked("g01-c03", (0.25, 0.25)),
                    data.Picked("g03-c01", (0.75, 0.75)),
                    data.Picked("g03-c01", (0.75, 0.75)),
                ),
            ),
        ),
        data.Condition(False, (data.Search(0, None, None, data.Picked("g02-c01", (0.25, 0.75))),)),
    ),
)


def test_the_table_of_a_study() -> None:
    lines = tables.study_lines(STUDY)
    assert lines[:8] == [
        "**swingup** (share of the time upright, 1)",
        "",
        "| reward | IQM | 95% interval | better than human-written |",
        "| --- | --- | --- | --- |",
        "| best of generation 1, metric probed | 0.25 | [0.25, 0.25] | 0.00 [0.00, 0.00] |",
        "| best of generation 3, metric probed | 0.75 | [0.75, 0.75] | 1.00 [1.00, 1.00] |",
        "| called best, metric probed | 0.75 | [0.75, 0.75] | 1.00 [1.00, 1.00] |",
        # One search with one training above the human reward and one below.
        "| called best, metric not probed | 0.5 | [0.25, 0.75] | 0.50 [0.00, 1.00] |",
    ]
    assert lines[8:10] == [
        "| human-written | 0.5 | [0.5, 0.5] | - |",
        "| bare metric | 0 | [0, 0] | 0.00 [0.00, 0.00] |",
    ]
    assert lines[11] == "Generation 3 over generation 1 with the metric probed: 0.5 [0.5, 0.5] 1 (2 searches)."
    assert "2 searches each, 3 generations of 8, trainings of 1,024 steps" in lines[12]
    assert "2 cores, a CPU; eureka 0.1.0, torch 2.13.0" in lines[12]
    assert lines[12].endswith(
        "`python benchmarks/search_study.py swingup --searches 2 --fresh-seeds 2 --baseline-seeds 3 --steps 2048 "
        "--set train.steps=1024`"
    )


def test_intervals_resample_searches_and_not_their_trainings_alone() -> None:
    # Two searches of many equal trainings: the mean is 0 or 1 a quarter of the time each.
    groups = [[0.0] * 50, [1.0] * 50]
    assert data.clustered_bootstrap(lambda x: x.mean(axis=-1), groups).interval == (0.0, 1.0)
    pooled = data.clustered_bootstrap(lambda x: x.mean(axis=-1), data.alone([0.0] * 50 + [1.0] * 50)).interval
    assert pooled is not None
    assert pooled[0] == pytest.approx(0.5 - 1.96 * 0.05, abs=0.02)
    # Paired: every search gains 1, whatever its luck.
    later = [[1.0] * 50, [2.0] * 50]
    gain = data.clustered_bootstrap(lambda b, a: b.mean(axis=-1) - a.mean(axis=-1), later, groups, paired=True)
    assert gain.interval == (1.0, 1.0)


def test_a_study_is_read_back(tmp_path: Path) -> None:
    path = data.write_study(STUDY, tmp_path)
    assert path.name == "search_study_swingup.json"
    assert data.read_studies(tmp_path) == [STUDY]


def test_only_what_stands_between_the_comments_is_written() -> None:
    readme = f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n"
    written = tables.with_table(readme, [STUDY])
    assert written.startswith(f"before\n{tables.BEGIN}\n\n**swingup**")
    assert written.endswith(f"\n{tables.END}\nafter\n")
    assert "old" not in written
    assert tables.with_table(written, [STUDY]) == written
    with pytest.raises(ValueError, match=r"the page needs the lines"):
        tables.with_table("nothing", [STUDY])


def test_the_pages_say_what_the_studies_say() -> None:
    studies = data.read_studies()
    readme = tables.RESULTS.read_text(encoding="utf-8")
    if studies or tables.BEGIN in readme:
        assert tables.with_table(readme, studies) == readme, "run `python benchmarks/tables.py`"
    if tables.read_bench() is not None or tables.read_scores():
        assert tables.updated(readme) == readme, "run `python benchmarks/tables.py`"
    summary = tables.README.read_text(encoding="utf-8")
    assert tables.with_summary(summary, studies) == summary, "run `python benchmarks/tables.py`"
    for study in studies:
        assert study.version == data.VERSION
        assert [condition.use_probe for condition in study.conditions] == [True, False]


def test_the_page_of_results_says_what_was_measured_on_a_gpu() -> None:
    page = tables.RESULTS.read_text(encoding="utf-8")
    said = tables.with_block(page, tables.GPU_BEGIN, tables.GPU_END, "\n".join(tables.gpu_lines()))
    assert said == page, "run `python benchmarks/tables.py`"
    assert "| ant | 16 x 2,048 | 6,435,619 | 5,329,698 | 4,236,917 | 66% | 3.84 |" in page
