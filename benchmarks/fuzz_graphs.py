"""Mutated and forged reward graphs against the parent's checks: does one crash, hang or pass that should not?

    python benchmarks/fuzz_graphs.py [--graphs 200000] [--seed 0] [--processes 1] [--results DIR | --record]

Every graph is read and its shapes are derived as the parent of a candidate does, in a process with a memory limit, so
that a crash or a hang is counted and told, with its graph. Whatever is accepted goes on in a confined process (see
`fuzz_step`): a trial, screening, and a training step at training's size; where that process dies, its graphs are tried
one by one. Every audit event of a reward there (a file, a socket, an import, a process) counts as harm.

Graphs are made in blocks, each a function of the seed and its number. The result is kept after every block, and the
same command goes on after the last one. The exit code is 1 where anything was found.
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import mmap
import multiprocessing
import platform
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import fuzz_step
import torch
from forged_graphs import Forger
from fuzz_step import FIELDS
from result_files import add_results_option

from eureka.core.types import FieldSpec, Reward
from eureka.reward.graph import runtime
from eureka.reward.graph.format import GraphError
from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.shapes import check_shapes
from eureka.reward.trace.service import RewardVerifier
from eureka.reward.trace.wire import pack, unpack
from eureka.sandbox import Finished, Limits, Sandbox

FILE = "fuzz_graphs.json"
BLOCK = 2000
TRIED_TOGETHER = 100
"""Number of accepted graphs in one confined process."""
LIMITS = Limits(wall_s=600.0, cpu_s=120, memory_bytes=1 << 30)
"""Limits of one such process; the memory is that of a candidate's process."""
HANG_S = 20.0
"""Seconds of processor time for the parent's checks of one graph."""
SLOWEST = ("slowest_check_s", "slowest_trial_s", "slowest_screening_s", "slowest_step_s")
MEMORY = 6 << 30
MAX_TEXT = 8 << 20


class Material(NamedTuple):
    """The sources of forged graphs: real ones, and the State's fields."""

    documents: Sequence[dict[str, Any]]
    fields: tuple[FieldSpec, ...]


@dataclass
class Tally:
    """Counts of the results by graph.

    `harm` and `crashes` must stay empty. Processor time of one graph: `slowest_check_s` of the parent's checks; in the
    confined process `slowest_trial_s`, `slowest_screening_s`, and `slowest_step_s` of its reward at training's size,
    per environment. `seconds` are those of all blocks.
    """

    graphs: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    harm: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    slowest_check_s: float = 0.0
    slowest_trial_s: float = 0.0
    slowest_screening_s: float = 0.0
    slowest_step_s: float = 0.0
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        """Add the counts of further graphs."""
        self.graphs += other.graphs
        self.verdicts.update(other.verdicts)
        self.harm += other.harm
        self.crashes += other.crashes
        for name in SLOWEST:
            setattr(self, name, max(getattr(self, name), getattr(other, name)))
        self.seconds += other.seconds


def real_graphs() -> Material:
    """The corpus of sane rewards as graphs."""
    import reward_corpus
    from reward_helpers import InProcess, candidate, states

    verifier = RewardVerifier(FIELDS, states(256), InProcess())
    with redirect_stdout(io.StringIO()):  # some of them print
        verdicts = [verifier.verify(candidate(source, name)) for name, source in reward_corpus.SANE.items()]
    return Material([json.loads(v.graph) for v in verdicts if isinstance(v, Reward)], FIELDS)


# ---------------------------------------------------------------------------------------------- the parent's part


def judge(text: str, fields: Sequence[FieldSpec], tally: Tally) -> bool:
    """The parent's part of the checks, timed; whether the graph is accepted. Anything it raises is a crash."""
    started = time.process_time()
    try:
        graph = parse_graph(text)
    except GraphError:
        verdict = "malformed"
    else:
        try:
            verdict = "wrong in shape, size or work" if check_shapes(graph, fields) else "accepted"
        except runtime.KERNEL_ERRORS:
            verdict = "refused by torch"
    tally.slowest_check_s = max(tally.slowest_check_s, time.process_time() - started)
    tally.verdicts[verdict] += 1
    return verdict == "accepted"


def fuzz_block(material: Material, number: int, seed: int, sandbox: Sandbox, count: int = BLOCK) -> Tally:
    """Judge one block of graphs in a process of its own, and try what it accepts in confined ones.

    If the process dies, the rest of its block is skipped; the graph that caused it is in `crashes`.
    """
    started = time.perf_counter()
    shown = mmap.mmap(-1, MAX_TEXT)
    forger = Forger(material.documents, [f.name for f in material.fields], f"{seed}/{number}")
    texts = [forger.text() for _ in range(count)]
    found = _forked(lambda: _judge_all(texts, material.fields, shown))
    if isinstance(found, int):
        text = shown[4 : 4 + int.from_bytes(shown[:4], "little")].decode()
        tally = Tally(graphs=count, crashes=[f"the parent died with exit code {found} of: {text}"])
        tally.verdicts["not looked at: the parent died"] = count
    else:
        tally, accepted = found
        for start in range(0, len(accepted), TRIED_TOGETHER):
            try_accepted(accepted[start : start + TRIED_TOGETHER], sandbox, tally)
    tally.seconds = time.perf_counter() - started
    return tally


def _judge_all(texts: Sequence[str], fields: Sequence[FieldSpec], shown: mmap.mmap) -> tuple[Tally, list[str]]:
    """The work of the forked process; `shown` stores which graph is being checked, for when the process dies."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    tally, accepted = Tally(graphs=len(texts)), []
    for text in texts:
        encoded = text.encode()[: MAX_TEXT - 4]
        shown[: 4 + len(encoded)] = len(encoded).to_bytes(4, "little") + encoded
        signal.setitimer(signal.ITIMER_PROF, HANG_S)
        if judge(text, fields, tally):
            accepted.append(text)
        signal.setitimer(signal.ITIMER_PROF, 0.0)
    return tally, accepted


# ---------------------------------------------------------------------------------------------- what is accepted


def try_accepted(texts: Sequence[str], sandbox: Sandbox, tally: Tally) -> None:
    """Try accepted graphs in one confined process; if that ends early, each in one of its own, to identify the graph.

    A graph that crashes its confined process is not a finding, since a candidate's graph would be rejected.
    """
    answer = sandbox.run(fuzz_step.TARGET, pack({"graphs": list(texts)}, {}))
    if isinstance(answer, Finished):
        tried = unpack(answer.output).body["tried"]
        tally.add(Tally(**{**tried, "verdicts": Counter(tried["verdicts"])}))
    elif len(texts) == 1:
        tally.verdicts[f"accepted, and breaks its confined process: {answer.kind}"] += 1
    else:
        for text in texts:
            try_accepted([text], sandbox, tally)


# ---------------------------------------------------------------------------------------------- processes


def _forked(work: Callable[[], Any]) -> Any:
    """The result of `work` in a fork of this process, or the fork's exit code if it dies."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    fork = multiprocessing.get_context("fork").Process(target=_send, args=(work, theirs))
    fork.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        fork.join()
        return fork.exitcode
    finally:
        fork.join()


def _send(work: Callable[[], Any], results: Connection) -> None:
    results.send(work())


# ---------------------------------------------------------------------------------------------- the command


def read_result(path: Path, seed: int) -> Tally:
    """The stored result of earlier calls with this seed."""
    if not path.exists():
        return Tally()
    kept = json.loads(path.read_text(encoding="utf-8"))
    if (kept["seed"], kept["block"]) != (seed, BLOCK):
        sys.exit(f"{path} is of seed {kept['seed']} in blocks of {kept['block']}: give another --output")
    tally = Tally(**kept["tally"])
    tally.verdicts = Counter(tally.verdicts)
    return tally


def write_result(path: Path, seed: int, tally: Tally) -> None:
    """Store the result so far, atomically."""
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    document = {"seed": seed, "block": BLOCK, "versions": versions, "tally": vars(tally)}
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def lines(tally: Tally, seed: int) -> list[str]:
    """The result as text."""
    return [
        f"{tally.graphs:,} graphs in {tally.seconds:.0f} s (seed {seed})",
        *(f"  {count:9,}  {verdict}" for verdict, count in tally.verdicts.most_common()),
        f"slowest check {1e3 * tally.slowest_check_s:.1f} ms",
        f"in a confined process: slowest trial {1e3 * tally.slowest_trial_s:.1f} ms, slowest screening "
        f"{1e3 * tally.slowest_screening_s:.1f} ms, slowest reward {1e6 * tally.slowest_step_s:.1f} us an environment",
        f"graphs that the parent died of: {len(tally.crashes)}",
        f"accepted graphs that touched anything but tensors: {len(tally.harm)}",
        *(f"  {finding:.400}" for finding in (*tally.crashes, *tally.harm)),
    ]


_material: Material
_sandbox: Sandbox


def _start() -> None:
    """In each process: what blocks are made from, and where what they have is tried."""
    global _material, _sandbox
    torch.set_num_threads(1)
    _material = real_graphs()
    _sandbox = Sandbox(fuzz_step.PRELOAD, LIMITS, import_path=[Path(__file__).parent])
    _sandbox.start()


def _block(seed: int, number: int) -> Tally:
    return fuzz_block(_material, number, seed, _sandbox)


def main() -> None:
    """Fuzz, and print what became of the graphs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1, help="how many blocks are tried at a time")
    add_results_option(parser)
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / FILE
    tally = read_result(path, options.seed)
    numbers = range(tally.graphs // BLOCK, -(-options.graphs // BLOCK))
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn"), _start) as pool:
        for found in pool.map(functools.partial(_block, options.seed), numbers):
            tally.add(found)
            write_result(path, options.seed, tally)
    print("\n".join(lines(tally, options.seed)))
    sys.exit(bool(tally.harm or tally.crashes))


if __name__ == "__main__":
    main()
