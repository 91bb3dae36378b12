"""Seconds to confine, trace and verify one candidate once the zygote is warm.

    python benchmarks/verification.py [--task ant] [--candidates 24]

The candidates are the embedded proposer's first answers; one at a time, then all on every core.
"""

from __future__ import annotations

import argparse
import statistics
import time

from eureka.extract import extract
from eureka.llm.program_search import ProgramSearch
from eureka.reward.service import PRELOAD, RewardVerifier
from eureka.rl.recording import record
from eureka.sandbox import Sandbox
from eureka.tasks import load_task
from eureka.types import Candidate, Prompt, PromptFacts, Reward, candidate_id


def main() -> None:
    """Print the warm-up's and the candidates' times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="ant")
    parser.add_argument("--candidates", type=int, default=24)
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
        times, good = [], 0
        for candidate in candidates:
            started = time.perf_counter()
            good += isinstance(verifier.verify(candidate), Reward)
            times.append(time.perf_counter() - started)
        started = time.perf_counter()
        verifier.verify_all(candidates)
        together = time.perf_counter() - started
    print(
        f"{task.info.name}: {good} of {len(candidates)} candidates verified, one at a time "
        f"median {statistics.median(times):.3f} s, slowest {max(times):.3f} s; "
        f"all cores {len(candidates) / together:.1f} candidates/s"
    )


if __name__ == "__main__":
    main()
