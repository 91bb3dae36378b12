"""Seconds to confine, trace and verify one candidate once the zygote is warm, and what its graph costs a trainer.

    python benchmarks/verification.py [--task ant] [--candidates 24] [--rows 4096]

The candidates are the embedded proposer's first answers; one at a time, then all on every core. Their graphs are then
timed against their Python, on recorded transitions, in alternation: the ratio is of the fastest of many runs of each.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

from eureka.extract import extract
from eureka.llm.program_search import ProgramSearch
from eureka.reward.runtime import compile_graph
from eureka.reward.service import PRELOAD, RewardVerifier
from eureka.rl.recording import record
from eureka.sandbox import Sandbox
from eureka.tasks import load_task
from eureka.types import Candidate, Prompt, PromptFacts, Reward, candidate_id


def cost_ratio(reward: Reward, candidate: Candidate, state: Mapping[str, torch.Tensor]) -> float:
    """Time of the compiled graph over that of the function itself, which is ours and needs no sandbox."""
    scope: dict[str, Any] = {}
    exec(candidate.source, scope)
    function, graph = scope["compute_reward"], compile_graph(reward.graph)
    inputs = [state[name] for name in candidate.inputs]
    with torch.no_grad():
        eager: list[float] = []
        compiled: list[float] = []
        for _ in range(200):
            eager.append(seconds(lambda: function(*inputs)))
            compiled.append(seconds(lambda: graph(state)))
    return min(compiled) / min(eager)


def seconds(call: Callable[[], object]) -> float:
    """Of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main() -> None:
    """Print the warm-up's and the candidates' times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="ant")
    parser.add_argument("--candidates", type=int, default=24)
    parser.add_argument("--rows", type=int, default=4096)
    options = parser.parse_args()
    task = load_task(options.task)
    recording = record(task)
    prompt = Prompt((), PromptFacts(task=options.task, seed=0, generation=1, state=task.fields))
    ids = [candidate_id(1, sample) for sample in range(1, options.candidates + 1)]
    found = [extract(answer, task.fields) for answer in ProgramSearch(0, False).sample(prompt, ids)]
    candidates = [candidate for candidate in found if isinstance(candidate, Candidate)]
    started = time.perf_counter()
    with Sandbox(preload=PRELOAD) as sandbox:
        verifier = RewardVerifier(task.fields, recording.state, sandbox)
        print(f"sandbox warm after {time.perf_counter() - started:.2f} s")
        times, verdicts = [], []
        for candidate in candidates:
            started = time.perf_counter()
            verdicts.append(verifier.verify(candidate))
            times.append(time.perf_counter() - started)
        good = sum(isinstance(verdict, Reward) for verdict in verdicts)
        started = time.perf_counter()
        verifier.verify_all(candidates)
        together = time.perf_counter() - started
    print(
        f"{task.info.name}: {good} of {len(candidates)} candidates verified, one at a time "
        f"median {statistics.median(times):.3f} s, slowest {max(times):.3f} s; "
        f"all cores {len(candidates) / together:.1f} candidates/s"
    )
    torch.set_num_threads(1)
    rows = torch.arange(options.rows) % len(recording.metric)
    state = {name: value[rows] for name, value in recording.state.items()}
    pairs = [(v, c) for v, c in zip(verdicts, candidates, strict=True) if isinstance(v, Reward)]
    ratios = [cost_ratio(verdict, candidate, state) for verdict, candidate in pairs]
    print(
        f"time of a graph over that of its Python, {options.rows} environments, one thread: median "
        f"{statistics.median(ratios):.2f}, highest {max(ratios):.2f}"
    )


if __name__ == "__main__":
    main()
