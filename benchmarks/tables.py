"""Writes the tables of README and docs/results.md from what stands in `benchmarks/results/`.

    python benchmarks/tables.py

Each stands between two comments, and is made of nothing but those files: the summary and the studies of the search, the
throughput (`bench.json`), the scores against other trainers (`peer_scores.json`), the race (`race.json`) and the parity
of the engines (`engine_parity.json`), advice played through (`advice.json`), tuned constants (`tuning_*.json`), what
a language model answered (`loop_study.json`), also to prompts without some part (`prompt_parts.json`), searches in
Gymnasium environments and what several training processes gain there (`gymnasium.json`, `sb3_workers.json`), and what
was measured on a GPU (`gpu_*.json`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from advice import FILE as ADVICE
from advice import Rows
from advice import lines as advice_lines
from bench_data import bench_lines, read_bench
from engine_parity import parity_lines, read_parity
from gpu_data import gpu_lines
from gymnasium_searches import read_rows, search_lines
from loop_study import loop_lines, read_loops
from peer_scores import read_scores, score_lines
from prompt_parts import lines as parts_lines
from prompt_parts import read_parts
from race import race_lines, read_races
from result_files import COMMITTED
from sb3_workers import read_measured, sentence
from search_study_data import (
    Condition,
    Groups,
    SearchStudy,
    alone,
    clustered_bootstrap,
    read_studies,
    scores_of,
)
from tuning import lines as tuning_lines
from tuning import read_tuning

from eureka.core.serialize import loads
from eureka.evaluation.rows import interval, value, with_interval
from eureka.evaluation.statistics import interquartile_mean, share_above

ROOT = Path(__file__).parents[1]
README, RESULTS = ROOT / "README.md", ROOT / "docs" / "results.md"
SUMMARY_BEGIN = "<!-- summary: made by benchmarks/tables.py from benchmarks/results -->"
SUMMARY_END = "<!-- end of summary -->"
BEGIN = "<!-- results: made by benchmarks/tables.py from benchmarks/results -->"
END = "<!-- end of results -->"
BENCH_BEGIN = "<!-- bench: made by benchmarks/tables.py from benchmarks/results/bench.json -->"
BENCH_END = "<!-- end of bench -->"
SCORES_BEGIN = "<!-- scores: made by benchmarks/tables.py from benchmarks/results/peer_scores.json -->"
SCORES_END = "<!-- end of scores -->"
RACE_BEGIN = "<!-- race: made by benchmarks/tables.py from benchmarks/results/race.json -->"
RACE_END = "<!-- end of race -->"
PARITY_BEGIN = "<!-- parity: made by benchmarks/tables.py from benchmarks/results/engine_parity.json -->"
PARITY_END = "<!-- end of parity -->"
ADVICE_BEGIN = "<!-- advice: made by benchmarks/tables.py from benchmarks/results/advice.json -->"
ADVICE_END = "<!-- end of advice -->"
TUNING_BEGIN = "<!-- tuning: made by benchmarks/tables.py from benchmarks/results/tuning_*.json -->"
TUNING_END = "<!-- end of tuning -->"
LOOP_BEGIN = "<!-- loop: made by benchmarks/tables.py from benchmarks/results/loop_study.json -->"
LOOP_END = "<!-- end of loop -->"
PARTS_BEGIN = "<!-- parts: made by benchmarks/tables.py from benchmarks/results/prompt_parts.json -->"
PARTS_END = "<!-- end of parts -->"
GYMNASIUM_BEGIN = "<!-- gymnasium: made by benchmarks/tables.py from gymnasium.json and sb3_workers.json -->"
GYMNASIUM_END = "<!-- end of gymnasium -->"
GPU_BEGIN = "<!-- gpu: made by benchmarks/tables.py from benchmarks/results/gpu_*.json -->"
GPU_END = "<!-- end of gpu -->"


def study_lines(study: SearchStudy) -> list[str]:
    """The table of one task, and what has to be known to read it."""
    settings = study.settings
    human = alone(study.human)
    lines = [
        f"**{study.task}** ({study.metric}, {study.unit})",
        "",
        "| reward | IQM | 95% interval | better than human-written |",
        "| --- | --- | --- | --- |",
    ]
    for condition in study.conditions:
        told = "metric probed" if condition.use_probe else "metric not probed"
        for which, name in (
            ("first", "best of generation 1"),
            ("last", f"best of generation {settings.generations}"),
            ("called_best", "called best"),
        ):
            groups = scores_of(condition, which)
            if groups:
                lines.append(_row(f"{name}, {told}", groups, human))
    lines.append(_row("human-written", human, None))
    if study.sparse:
        lines.append(_row("bare metric", alone(study.sparse), human))
    gains = [_gain(study, condition) for condition in study.conditions]
    return [*lines, "", *[gain for gain in gains if gain], _provenance(study), ""]


def _row(name: str, groups: Groups, human: Groups | None) -> str:
    score = clustered_bootstrap(interquartile_mean, groups)
    better = clustered_bootstrap(share_above, groups, human) if human else None
    return f"| {name} | {value(score)} | {interval(score)} | {with_interval(better)} |"


def _gain(study: SearchStudy, condition: Condition) -> str:
    """The gain from further generations, search by search."""
    both = [search for search in condition.searches if search.first and search.last]
    firsts = [search.first.scores for search in both if search.first and search.last and search.first.scores]
    lasts = [search.last.scores for search in both if search.first and search.last and search.last.scores]
    if not firsts or len(firsts) != len(lasts):
        return ""
    gain = clustered_bootstrap(
        lambda last, first: interquartile_mean(last) - interquartile_mean(first), lasts, firsts, paired=True
    )
    told = "with the metric probed" if condition.use_probe else "without"
    return (
        f"Generation {study.settings.generations} over generation 1 {told}: {value(gain)} {interval(gain)} "
        f"{study.unit} ({len(firsts)} searches)."
    )


def _provenance(study: SearchStudy) -> str:
    settings, hardware = study.settings, study.hardware
    versions = ", ".join(f"{name} {number}" for name, number in sorted(study.versions.items()))
    return (
        f"{settings.searches} searches each, {settings.generations} generations of {settings.samples}, trainings of "
        f"{settings.search_steps:,} steps; every reward above then trained with {settings.fresh_seeds} fresh seeds a "
        f"search for {settings.fresh_steps:,} steps, the human-written reward and the bare metric with "
        f"{settings.baseline_seeds}. Intervals resample searches, then seeds. {hardware.cores} cores, {hardware.cpu}; "
        f"{versions}. `{_command(study)}`"
    )


def _command(study: SearchStudy) -> str:
    """The command that repeats the study."""
    settings = study.settings
    steps = f" --steps {settings.fresh_steps}" if settings.fresh_steps != settings.search_steps else ""
    overrides = "".join(f" --set {override}" for override in settings.overrides)
    return (
        f"python benchmarks/search_study.py {study.task} --searches {settings.searches} --fresh-seeds "
        f"{settings.fresh_seeds} --baseline-seeds {settings.baseline_seeds}{steps}{overrides}"
    )


def table(studies: Sequence[SearchStudy]) -> str:
    """Everything between the two comments."""
    return "\n".join(line for study in studies for line in study_lines(study))


def with_table(page: str, studies: Sequence[SearchStudy]) -> str:
    """The page's text with the table that the studies give; see `with_block`."""
    return with_block(page, BEGIN, END, table(studies))


def with_block(page: str, begin: str, end: str, text: str) -> str:
    """The page's text with this between the two comments.

    Raises:
        ValueError: the comments that the text stands between are missing.
    """
    before, found_begin, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"the page needs the lines `{begin}` and `{end}` where the table is to stand")
    return f"{before}{begin}\n\n{text}\n{end}{after}"


def updated(page: str) -> str:
    """The text of docs/results.md with everything that `results/` has.

    Raises:
        ValueError: comments are missing between which there is something to say.
    """
    studies, bench, scores, races, parity = read_studies(), read_bench(), read_scores(), read_races(), read_parity()
    if studies:
        page = with_table(page, studies)
    if bench is not None:
        page = with_block(page, BENCH_BEGIN, BENCH_END, "\n".join(bench_lines(bench)))
    if scores:
        page = with_block(page, SCORES_BEGIN, SCORES_END, "\n".join(score_lines(scores)))
    if races is not None:
        page = with_block(page, RACE_BEGIN, RACE_END, "\n".join(race_lines(races)))
    if (COMMITTED / ADVICE).is_file():
        rows = loads(Rows, (COMMITTED / ADVICE).read_text(encoding="utf-8")).rows
        page = with_block(page, ADVICE_BEGIN, ADVICE_END, "\n".join(advice_lines(rows)))
    if studied := read_tuning():
        page = with_block(
            page, TUNING_BEGIN, TUNING_END, "\n\n".join("\n".join(tuning_lines(each)) for each in studied)
        )
    if loops := read_loops():
        page = with_block(page, LOOP_BEGIN, LOOP_END, "\n".join(loop_lines(loops)))
    if (parts := read_parts()).sets:
        page = with_block(page, PARTS_BEGIN, PARTS_END, "\n".join(parts_lines(parts)))
    if searches := read_rows():
        page = with_block(page, GYMNASIUM_BEGIN, GYMNASIUM_END, "\n".join([*search_lines(searches), *_workers_lines()]))
    if parity is not None:
        page = with_block(page, PARITY_BEGIN, PARITY_END, "\n".join(parity_lines(parity)))
    return page


def _workers_lines() -> list[str]:
    """What several training processes gain, if it was measured."""
    measured = read_measured()
    return [] if measured is None else ["", f"{sentence(measured)}. `python benchmarks/sb3_workers.py`"]


def summary_lines(studies: Sequence[SearchStudy]) -> list[str]:
    """One row a task: what its searches called best, against the human-written reward and the bare metric."""
    lines = [
        "| task | found | human-written | bare metric | found better than human-written |",
        "| --- | --- | --- | --- | --- |",
    ]
    for study in studies:
        groups = scores_of(study.conditions[0], "called_best")
        human = alone(study.human)
        better = clustered_bootstrap(share_above, groups, human)
        cells = [_estimate(each) for each in (groups, human, alone(study.sparse) if study.sparse else None)]
        lines.append(f"| {study.task}, {study.unit} | {' | '.join(cells)} | {with_interval(better)} |")
    return [
        *lines,
        "",
        "IQM over trainings, 95% intervals; the searches knew which State quantities move with the metric.",
        "",
    ]


def _estimate(groups: Groups | None) -> str:
    if groups is None:
        return "-"
    score = clustered_bootstrap(interquartile_mean, groups)
    return f"{value(score)} {interval(score)}"


def with_summary(page: str, studies: Sequence[SearchStudy]) -> str:
    """The README's text with its summary of the studies; see `with_block`."""
    return with_block(page, SUMMARY_BEGIN, SUMMARY_END, "\n".join(summary_lines(studies)))


def main() -> None:
    """Rewrite both pages."""
    page = with_block(RESULTS.read_text(encoding="utf-8"), GPU_BEGIN, GPU_END, "\n".join(gpu_lines()))
    RESULTS.write_text(updated(page), encoding="utf-8")
    README.write_text(with_summary(README.read_text(encoding="utf-8"), read_studies()), encoding="utf-8")


if __name__ == "__main__":
    main()
