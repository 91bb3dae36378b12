"""Candidates a second through the sandbox once it is warm, and what a reward's graph costs a trainer.

    python benchmarks/verification.py [--candidates 48] [--repeats 5] [--output FILE]

Throughput: the embedded proposer's first answers for Ant are confined, traced and verified, one at a time and then on
every core. Cost: compiled graphs and the Python that they came from are called in turn on the same tensors, as the
trainer calls them: the State of one whole rollout of Ant, 64 worlds x 32 steps, one thread, without gradients. What the
Python gives is brought into a reward's form, float32 (num_envs,), as a trainer needs it. The rewards are those of the
proposer, Ant's human-written one, and the whole corpus of the tests, on a State of its own of as many rows. Each ratio
is the median of the repeats' ratios of medians.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))

from result_files import add_results_option

from eureka.core.ids import candidate_id
from eureka.core.types import Candidate, Prompt, PromptFacts, Reward
from eureka.proposers.program_search.proposer import ProgramSearch
from eureka.reward.extract.extraction import extract
from eureka.reward.graph.runtime import compile_graph
from eureka.reward.trace.service import PRELOAD, RewardVerifier
from eureka.reward.trace.trusted import trace_trusted
from eureka.sandbox import Sandbox
from eureka.tasks import Task, load_task
from eureka.trainers.population.recording import record

FILE = "verification.json"
TASK = "ant"
CALLS = 40
"""Number of calls of each function within a repeat."""

State = Mapping[str, torch.Tensor]
Call = Callable[[], object]


@dataclass(frozen=True)
class Cost:
    """Median seconds of one call for a whole rollout: the graph's, the Python's, and their ratio."""

    reward: str
    graph_s: float
    eager_s: float
    ratio: float


@dataclass(frozen=True)
class Measured:
    """What the benchmark gives; `rows` are those of one rollout."""

    rows: int
    cores: int
    versions: Mapping[str, str]
    candidates: int
    verified: int
    warm_up_s: float
    one_at_a_time_s: float
    candidates_per_s: float
    costs: Sequence[Cost]


# ---------------------------------------------------------------------------------------------- throughput


def proposed(task: Task, count: int) -> list[Candidate]:
    """The embedded proposer's first answers."""
    prompt = Prompt((), PromptFacts(task=task.info.name, seed=0, generation=1, state=task.fields))
    ids = [candidate_id(1, sample) for sample in range(1, count + 1)]
    found = [extract(answer, task.fields) for answer in ProgramSearch(0, False).sample_each(dict.fromkeys(ids, prompt))]
    return [candidate for candidate in found if isinstance(candidate, Candidate)]


def seconds(call: Call) -> float:
    """The seconds of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


# ---------------------------------------------------------------------------------------------- cost


def compare(name: str, graph: str, state: State, eager: Call, repeats: int) -> Cost:
    """Call the compiled graph and the Python in turn."""
    compiled = compile_graph(graph)

    def call() -> object:
        return compiled(state)

    graph_s, eager_s = [], []
    for _ in range(repeats):
        pairs = [(seconds(call), seconds(eager)) for _ in range(CALLS)]
        graph_s.append(statistics.median(pair[0] for pair in pairs))
        eager_s.append(statistics.median(pair[1] for pair in pairs))
    ratios = [g / e for g, e in zip(graph_s, eager_s, strict=True)]
    return Cost(name, statistics.median(graph_s), statistics.median(eager_s), statistics.median(ratios))


def ant_costs(task: Task, pairs: Sequence[tuple[Candidate, Reward]], state: State, repeats: int) -> list[Cost]:
    """The costs of the human-written reward and of the proposer's, whose source is ours and needs no sandbox."""
    human = trace_trusted(lambda values: task.human_reward(task.State(**values)), task.fields, state)
    values = task.State(**state)
    costs = [compare("human-written", human, state, lambda: task.human_reward(values), repeats)]
    for candidate, reward in pairs:
        scope: dict[str, Any] = {}
        exec(candidate.source, scope)
        inputs = [state[name] for name in candidate.inputs]
        costs.append(
            compare(candidate.id, reward.graph, state, lambda f=scope["compute_reward"], i=inputs: f(*i), repeats)
        )
    return costs


def corpus_costs(sandbox: Sandbox, rows: int, repeats: int) -> list[Cost]:
    """The costs of every valid reward in the tests' corpus."""
    import reward_corpus
    from reward_helpers import FIELDS, candidate, plain, states

    candidates = [candidate(source, name) for name, source in reward_corpus.SANE.items()]
    verdicts = RewardVerifier(FIELDS, states(256), sandbox).verify_all(candidates)
    state = states(rows)
    costs = []
    for found, verdict in zip(candidates, verdicts, strict=True):
        assert isinstance(verdict, Reward), verdict
        with redirect_stdout(io.StringIO()):  # some of them print
            costs.append(compare(found.id, verdict.graph, state, plain(found.source, state), repeats))
    return costs


# ---------------------------------------------------------------------------------------------- the command


@torch.no_grad()
def measure(count: int, repeats: int) -> Measured:
    """Run all measurements."""
    task = load_task(TASK)
    rows = task.info.num_envs * task.info.ppo.horizon
    recording = record(task)
    candidates = proposed(task, count)
    started = time.perf_counter()
    with Sandbox(preload=PRELOAD) as sandbox:
        verifier = RewardVerifier(task.fields, recording.state, sandbox)
        warm_up_s = time.perf_counter() - started
        verdicts = [verifier.verify(candidate) for candidate in candidates[:1]]
        alone_s = statistics.median(seconds(lambda c=c: verifier.verify(c)) for c in candidates[:10])
        started = time.perf_counter()
        verdicts = verifier.verify_all(candidates)
        together_s = time.perf_counter() - started
        torch.set_num_threads(1)
        costs = corpus_costs(sandbox, rows, repeats)
    pairs = [(c, v) for c, v in zip(candidates, verdicts, strict=True) if isinstance(v, Reward)]
    costs = [*ant_costs(task, pairs[:12], record(task, num=rows).state, repeats), *costs]
    return Measured(
        rows=rows,
        cores=len(os.sched_getaffinity(0)),
        versions={"python": platform.python_version(), "torch": torch.__version__},
        candidates=len(candidates),
        verified=len(pairs),
        warm_up_s=round(warm_up_s, 3),
        one_at_a_time_s=round(alone_s, 4),
        candidates_per_s=round(len(candidates) / together_s, 2),
        costs=costs,
    )


def lines(found: Measured) -> list[str]:
    """The result in words."""
    ratios = [cost.ratio for cost in found.costs]
    ranked = sorted(found.costs, key=lambda cost: -cost.ratio)
    return [
        f"sandbox warm after {found.warm_up_s:.2f} s; {found.verified} of {found.candidates} candidates verified",
        f"one at a time {found.one_at_a_time_s:.3f} s each; on {found.cores} cores "
        f"{found.candidates_per_s:.1f} candidates/s",
        "",
        f"a graph's time over its Python's for {found.rows} rows, one thread, {len(ratios)} rewards: median "
        f"{statistics.median(ratios):.3f}, highest {max(ratios):.3f}",
        *(f"  {c.ratio:6.3f}  {1e6 * c.graph_s:8.0f} us  {1e6 * c.eager_s:8.0f} us  {c.reward}" for c in ranked),
    ]


def main() -> None:
    """Measure, print, and keep the result where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=48)
    parser.add_argument("--repeats", type=int, default=5)
    add_results_option(parser)
    options = parser.parse_args()
    found = measure(options.candidates, options.repeats)
    print("\n".join(lines(found)))
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / FILE).write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
