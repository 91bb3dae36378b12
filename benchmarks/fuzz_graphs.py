"""Mutated and forged reward graphs against the parent's checks: does one crash, hang or pass that should not?

    python benchmarks/fuzz_graphs.py [--graphs 200000] [--seed 0] [--output FILE]

Every graph is read and its shapes are derived as the parent of a candidate does; whatever is accepted is then run on
real tensors in a process of its own, where every audit event (a file, a socket, an import, a process) counts as harm.
The checks run in a process with a memory limit, so that a crash or a hang is counted and told, with its graph.

Graphs are made in blocks, each a function of the seed and its number. With `--output` the result is kept after every
block, and the same command goes on after the last one. The exit code is 1 where anything was found.
"""

from __future__ import annotations

import argparse
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
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import torch
from forged_graphs import Forger

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))

from result_files import add_results_option

from eureka.core.types import FieldSpec, Reward
from eureka.reward.graph import runtime
from eureka.reward.graph.format import GraphError
from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.runtime import RewardFunction
from eureka.reward.graph.shapes import check_shapes
from eureka.reward.trace.service import RewardVerifier

FILE = "fuzz_graphs.json"
BLOCK = 2000
ROWS = 64
HANG_S = 20.0
"""Of processor time, for one graph's checks and for its first run."""
SLOW_STEP_S = 1e-4
"""Per environment: a step that took longer is timed again, to tell a slow graph from a busy machine."""
MEMORY = 6 << 30
MAX_TEXT = 8 << 20


class Material(NamedTuple):
    """What graphs are made from and judged by: real ones, the State's fields, and a batch of it."""

    documents: Sequence[dict[str, Any]]
    fields: tuple[FieldSpec, ...]
    state: dict[str, torch.Tensor]


@dataclass
class Tally:
    """What became of the graphs.

    `harm` and `crashes` are to stay empty. `slowest_check_s` is processor time of the parent's checks of one graph,
    `slowest_step_s` the time of one step of an accepted graph, per environment; `seconds` passed in all.
    """

    graphs: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    harm: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    slowest_check_s: float = 0.0
    slowest_step_s: float = 0.0
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        """Add what became of further graphs."""
        self.graphs += other.graphs
        self.verdicts.update(other.verdicts)
        self.harm += other.harm
        self.crashes += other.crashes
        self.slowest_check_s = max(self.slowest_check_s, other.slowest_check_s)
        self.slowest_step_s = max(self.slowest_step_s, other.slowest_step_s)
        self.seconds += other.seconds


def real_graphs() -> Material:
    """The corpus of sane rewards as graphs."""
    import reward_corpus
    from reward_helpers import FIELDS, InProcess, candidate, states

    verifier = RewardVerifier(FIELDS, states(256), InProcess())
    with redirect_stdout(io.StringIO()):  # some of them print
        verdicts = [verifier.verify(candidate(source, name)) for name, source in reward_corpus.SANE.items()]
    return Material([json.loads(v.graph) for v in verdicts if isinstance(v, Reward)], FIELDS, states(ROWS))


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


def fuzz_block(material: Material, number: int, seed: int, count: int = BLOCK) -> Tally:
    """Judge one block of graphs in a process of its own, and run what it accepts in others.

    Where the process dies, the rest of its block is not looked at; the graph that it died of is in `crashes`.
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
        run_accepted(accepted, material.state, tally)
    tally.seconds = time.perf_counter() - started
    return tally


def _judge_all(texts: Sequence[str], fields: Sequence[FieldSpec], shown: mmap.mmap) -> tuple[Tally, list[str]]:
    """The stand-in for the parent; `shown` says, beyond its death, which graph it is at."""
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


# ---------------------------------------------------------------------------------------------- the first run


def run_accepted(texts: Sequence[str], state: dict[str, torch.Tensor], tally: Tally) -> None:
    """Run accepted graphs in a disposable process; where that dies, each in one of its own, to tell which it was."""
    found = _forked(lambda: _run_all(texts, state))
    if isinstance(found, Tally):
        tally.add(found)
    elif len(texts) == 1:
        tally.verdicts[f"breaks its first run's process (exit code {found})"] += 1
    else:
        for text in texts:
            run_accepted([text], state, tally)


_events: list[str] = []
_listening = False


def _hook(event: str, _: Any) -> None:
    if _listening:
        _events.append(event)


def _run_all(texts: Sequence[str], state: dict[str, torch.Tensor]) -> Tally:
    sys.addaudithook(_hook)
    tally = Tally()
    for text in texts:
        signal.setitimer(signal.ITIMER_PROF, HANG_S)
        _run(text, state, tally)
        signal.setitimer(signal.ITIMER_PROF, 0.0)
    return tally


def _run(text: str, state: dict[str, torch.Tensor], tally: Tally) -> None:
    """A graph's time, its audit events, and whether it runs."""
    reward = RewardFunction(parse_graph(text))
    _events.clear()
    try:
        step_s = min(_step(reward, state) for _ in range(2))
        if step_s > SLOW_STEP_S:
            step_s = min(_step(reward, state) for _ in range(5))
    except runtime.KERNEL_ERRORS:
        tally.verdicts["accepted, and torch refuses its first run"] += 1
    else:
        tally.slowest_step_s = max(tally.slowest_step_s, step_s)
    if _events:
        tally.harm.append(f"{sorted(set(_events))}: {text}")


def _step(reward: RewardFunction, state: dict[str, torch.Tensor]) -> float:
    """Seconds of one step per environment."""
    global _listening
    _listening = True
    try:
        started = time.perf_counter()
        reward(state)
        return (time.perf_counter() - started) / ROWS
    finally:
        _listening = False


# ---------------------------------------------------------------------------------------------- processes


def _forked(work: Callable[[], Any]) -> Any:
    """What `work` gives in a fork of this process, or the fork's exit code where it dies."""
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
    """What earlier calls with this seed have kept."""
    if not path.exists():
        return Tally()
    kept = json.loads(path.read_text(encoding="utf-8"))
    if (kept["seed"], kept["block"]) != (seed, BLOCK):
        sys.exit(f"{path} is of seed {kept['seed']} in blocks of {kept['block']}: give another --output")
    tally = Tally(**kept["tally"])
    tally.verdicts = Counter(tally.verdicts)
    return tally


def write_result(path: Path, seed: int, tally: Tally) -> None:
    """Keep what is known so far, whole at every moment."""
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    document = {"seed": seed, "block": BLOCK, "versions": versions, "tally": vars(tally)}
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def lines(tally: Tally, seed: int) -> list[str]:
    """The result in words."""
    return [
        f"{tally.graphs:,} graphs in {tally.seconds:.0f} s (seed {seed})",
        *(f"  {count:9,}  {verdict}" for verdict, count in tally.verdicts.most_common()),
        f"slowest check {1e3 * tally.slowest_check_s:.1f} ms",
        f"slowest accepted step {1e6 * tally.slowest_step_s:.1f} us an environment",
        f"graphs that the parent died of: {len(tally.crashes)}",
        f"accepted graphs that touched anything but tensors: {len(tally.harm)}",
        *(f"  {finding:.400}" for finding in (*tally.crashes, *tally.harm)),
    ]


def main() -> None:
    """Fuzz, and print what became of the graphs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    add_results_option(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / FILE
    tally = read_result(path, options.seed)
    material = real_graphs()
    while tally.graphs < options.graphs:
        tally.add(fuzz_block(material, tally.graphs // BLOCK, options.seed))
        write_result(path, options.seed, tally)
    print("\n".join(lines(tally, options.seed)))
    sys.exit(bool(tally.harm or tally.crashes))


if __name__ == "__main__":
    main()
