"""Mutated and forged reward graphs against the parent's checks: does one crash, hang or pass that should not?

    python benchmarks/fuzz_graphs.py [--graphs 200000] [--seed 0]

Every graph is read and its shapes are derived as the parent of a candidate does; whatever is accepted is then run on
real tensors in a process of its own, where every audit event (a file, a socket, an import, a process) counts as harm.
The checks run in a process with a memory limit, so that a crash or a hang is counted and told, with its graph.
"""

from __future__ import annotations

import argparse
import copy
import functools
import json
import multiprocessing
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "reward"))

from eureka.reward import runtime
from eureka.reward.runtime import GraphError, RewardFunction, parse_graph
from eureka.reward.service import RewardVerifier
from eureka.reward.shapes import check_shapes
from eureka.types import Reward

ROWS = 256
HANG_S = 20.0
MEMORY = 6 << 30
_NUMBERS = (
    0,
    1,
    -1,
    2,
    7,
    13,
    91,
    4096,
    4097,
    2**31 - 1,
    2**31,
    -(2**31),
    2**40,
    2**53,
    2**63,
    0.5,
    -1.5,
    1e-300,
    1e300,
)
_TEXTS = ("floor", "trunc", "none", "tanh", "mean", "__class__", "\u0000", "a" * 5000, "")
_OPS = tuple(runtime.OPS)
_EVIL_OPS = ("from_file", "set_.source_Storage", "as_strided", "randn", "index.Tensor", "mul_.Tensor", "__reduce__", "")


@dataclass
class Tally:
    """What became of the graphs; `slowest_*` in seconds, of an accepted one per environment."""

    verdicts: Counter[str] = field(default_factory=Counter)
    harm: list[str] = field(default_factory=list)
    slowest_check: float = 0.0
    slowest_step: float = 0.0


# ---------------------------------------------------------------------------------------------- making graphs


class Forger:
    """An endless stream of graphs' texts, a function of its seed."""

    def __init__(self, documents: Sequence[dict[str, Any]], fields: Sequence[str], seed: int) -> None:
        self._documents = documents
        self._fields = fields
        self._rng = random.Random(seed)

    def text(self) -> str:
        """The next graph: bytes of a real one changed, parts of a real one changed, or one made from nothing."""
        kind = self._rng.random()
        if kind < 0.05:
            return self._bytes(json.dumps(self._rng.choice(self._documents)))
        document = self._forged() if kind < 0.5 else copy.deepcopy(self._rng.choice(self._documents))
        for _ in range(self._rng.randint(kind >= 0.5, 3)):
            if self._rng.random() < 0.8:
                self._change(document)
            else:
                self._mutate(document)
        return json.dumps(document)

    def _change(self, document: dict[str, Any]) -> None:
        """A change that keeps the form: another operation of the same kind, another value, another number."""
        rng, nodes = self._rng, document["nodes"]
        places = [
            n for n in nodes if isinstance(n, dict) and n.get("op") in runtime.OPS and isinstance(n.get("args"), list)
        ]
        if not places:
            return
        node = rng.choice(places)
        if rng.random() < 0.4:
            kinds = _kinds(node["op"])
            node["op"] = rng.choice([op for op in _OPS if _kinds(op) == kinds])
            return
        for at, value in enumerate(node["args"]):
            if rng.random() < 0.5:
                continue
            if isinstance(value, dict) and "node" in value:
                node["args"][at] = (
                    {"input": rng.choice(document["inputs"])}
                    if rng.random() < 0.3
                    else value | {"node": rng.randrange(value["node"] + 1)}
                )
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                node["args"][at] = rng.choice([value + 1, -value, value * 1000, *_NUMBERS[:6]])
            elif isinstance(value, list) and value and isinstance(value[0], (int, dict)):
                node["args"][at] = [rng.choice([*value, 1, 2, 64, 4096]) for _ in range(rng.randint(1, 3))]

    def _bytes(self, text: str) -> str:
        letters = list(text)
        for _ in range(self._rng.randint(1, 4)):
            at = self._rng.randrange(len(letters))
            letters[at : at + self._rng.randint(0, 3)] = self._rng.choice(
                ['"', "{", "}", "[", "]", ",", "9", "e", "\\", "\u00e9"]
            )
        return "".join(letters)

    def _mutate(self, document: dict[str, Any]) -> None:
        rng, nodes = self._rng, document["nodes"]
        where = rng.random()
        if not nodes or where < 0.1:
            key = rng.choice(["version", "inputs", "constants", "nodes", "total", "components", "code"])
            document[key] = rng.choice([self._value(document), [self._value(document)], {"node": rng.randint(-1, 50)}])
            document["nodes"] = document["nodes"] if isinstance(document["nodes"], list) else []
            return
        node = rng.choice(nodes)
        if not isinstance(node, dict) or not isinstance(node.get("args"), list):
            return
        if where < 0.3:
            node["op"] = rng.choice(_OPS if rng.random() < 0.9 else _EVIL_OPS)
        elif where < 0.6 and node["args"]:
            node["args"][rng.randrange(len(node["args"]))] = self._value(document)
        elif where < 0.7:
            node["args"].insert(rng.randint(0, len(node["args"])), self._value(document))
        elif where < 0.8:
            node.setdefault("kwargs", {})[rng.choice(["dim", "dtype", "alpha", "out", "device", "size"])] = self._value(
                document
            )
        elif where < 0.9:
            nodes.insert(rng.randint(0, len(nodes)), copy.deepcopy(rng.choice(nodes)))
        else:
            nodes[:] = nodes[: rng.randint(0, len(nodes))] + nodes * rng.choice([0, 1, 40])

    def _value(self, document: dict[str, Any]) -> Any:
        rng, count = self._rng, max(len(document["nodes"]), 1)
        return rng.choice(
            [
                lambda: rng.choice(_NUMBERS),
                lambda: {"node": rng.randrange(count)},
                lambda: {"node": rng.randrange(count), "item": rng.choice([0, 1, 2, 2**31])},
                lambda: {"input": rng.choice(self._fields)},
                lambda: {"constant": rng.choice(list(document.get("constants") or {"w": 1}))},
                lambda: {"batch": rng.choice([1, 2, 3, 4096, 0, -1])},
                lambda: {"dtype": rng.choice([*runtime.DTYPES, "complex64"])},
                lambda: {"float": rng.choice(["inf", "-inf", "nan", "1"])},
                lambda: [rng.choice(_NUMBERS) for _ in range(rng.choice([0, 1, 2, 3, 200]))],
                lambda: [{"batch": 1}, rng.choice(_NUMBERS)],
                lambda: [{"node": rng.randrange(count)} for _ in range(rng.choice([1, 2, 128]))],
                lambda: rng.choice([None, True, False, [[1]], {}, {"file": "/etc/passwd"}]),
                lambda: rng.choice(_TEXTS),
            ]
        )()

    def _forged(self) -> dict[str, Any]:
        """A graph of operations with arguments of the declared kinds: many run, and some are as large as they can."""
        rng = self._rng
        inputs = rng.sample(self._fields, rng.randint(1, 3))
        document: dict[str, Any] = {
            "version": 1,
            "inputs": inputs,
            "constants": {"w": rng.choice([0, 1, 2, 0.5])},
            "nodes": [],
        }
        known: list[Any] = [{"input": name} for name in inputs]
        repeats = rng.choice([1, 1, 1, 60])
        for _ in range(rng.randint(1, 12)):
            node = self._node(rng.choice(_OPS), known)
            for _ in range(repeats):
                document["nodes"].append(copy.deepcopy(node))
                outputs = runtime.OPS[node["op"]].outputs
                item = {} if outputs == 1 else {"item": rng.randrange(outputs or 3)}
                known.append({"node": len(document["nodes"]) - 1, **item})
        document["nodes"] += [
            {"op": "mean.dim", "args": [known[-1], [-1]]},
            {"op": "full", "args": [[{"batch": 1}], 0.5]},
        ]
        last = len(document["nodes"]) - 1
        document["total"] = rng.choice([known[-1], known[0], {"node": last - 1}, {"node": last}])
        document["components"] = [{"name": "part", "value": document["total"]}]
        return document

    def _node(self, op: str, known: Sequence[Any]) -> dict[str, Any]:
        args, kwargs = [], {}
        for parameter in runtime.OPS[op].parameters:
            if not parameter.required and self._rng.random() < 0.6:
                if parameter.keyword_only:
                    continue
                break
            value = self._argument(parameter, known)
            if parameter.keyword_only:
                kwargs[parameter.name] = value
            else:
                args.append(value)
        return {"op": op, "args": args, "kwargs": kwargs, "line": 1}

    def _argument(self, parameter: runtime.Parameter, known: Sequence[Any], nested: bool = False) -> Any:
        rng = self._rng
        if parameter.is_list and not nested:
            if parameter.name in ("size", "repeats") and rng.random() < 0.6:
                return [{"batch": 1}, *(rng.choice([1, 3, 64, 4096]) for _ in range(rng.randint(0, 2)))]
            return [self._argument(parameter, known, True) for _ in range(rng.choice([1, 1, 2, 3]))]
        if parameter.kind == "Tensor":
            return rng.choice(known[-6:])
        if parameter.kind == "ScalarType":
            return {"dtype": rng.choice(["float32", "float32", "int64", "bool", "float16"])}
        if parameter.kind == "bool":
            return rng.random() < 0.5
        if parameter.kind == "str":
            return rng.choice(_TEXTS[:4])
        if parameter.kind in ("int", "SymInt"):
            return rng.choice([-1, -1, 1, 1, 0, 2, 3, 64, 4096, {"batch": 1}, rng.choice(_NUMBERS[:14])])
        return rng.choice([{"constant": "w"}, 0.5, 2, *_NUMBERS[-6:]])


@functools.cache
def _kinds(op: str) -> tuple[Any, ...]:
    """What an operation takes and gives, but for the names."""
    operation = runtime.OPS[op]
    return operation.outputs, tuple((p.kind, p.is_list, p.keyword_only) for p in operation.parameters)


# ---------------------------------------------------------------------------------------------- judging them


def judge(text: str, fields: Sequence[Any], tally: Tally) -> bool:
    """The parent's part of the checks, timed; whether the graph is accepted. Anything it raises is a crash."""
    started = time.perf_counter()
    try:
        problem = check_shapes(parse_graph(text), fields)
        verdict = "wrong in shape, size or work" if problem else "accepted"
    except GraphError:
        verdict = "malformed"
    except runtime.KERNEL_ERRORS:
        verdict = "refused by torch"
    tally.slowest_check = max(tally.slowest_check, time.perf_counter() - started)
    tally.verdicts[verdict] += 1
    return verdict == "accepted"


_events: list[str] = []
_listening = False


def _hook(event: str, _: Any) -> None:
    if _listening:
        _events.append(event)


def run_accepted(text: str, state: dict[str, torch.Tensor], tally: Tally) -> None:
    """One run of an accepted graph, for disposable processes: its time, its audit events, and whether it runs."""
    global _listening
    reward = RewardFunction(parse_graph(text))
    _events.clear()
    try:
        times = []
        for _ in range(2):
            _listening = True
            started = time.perf_counter()
            reward(state)
            times.append(time.perf_counter() - started)
            _listening = False
    except runtime.KERNEL_ERRORS:
        tally.verdicts["fails on its first run"] += 1
    else:
        tally.slowest_step = max(tally.slowest_step, min(times) / ROWS)
    finally:
        _listening = False
    if _events:
        tally.harm.append(f"{sorted(set(_events))}: {text:.400}")


def real_graphs() -> tuple[list[dict[str, Any]], Sequence[Any], dict[str, torch.Tensor]]:
    """The corpus of sane rewards as graphs, the State's fields and a batch of it."""
    import reward_corpus
    from reward_helpers import FIELDS, InProcess, candidate, states

    verifier = RewardVerifier(FIELDS, states(256), InProcess())
    verdicts = [verifier.verify(candidate(source, name)) for name, source in reward_corpus.SANE.items()]
    return [json.loads(v.graph) for v in verdicts if isinstance(v, Reward)], FIELDS, states(ROWS)


def _disposable(texts: Sequence[str], state: dict[str, torch.Tensor], tally: Tally) -> None:
    """Runs accepted graphs in a fork; where that dies, each in one of its own, to tell which it was."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    fork = multiprocessing.get_context("fork").Process(target=_run_all, args=(texts, state, theirs))
    fork.start()
    theirs.close()
    try:
        found: Tally = ours.recv()
        tally.verdicts.update(found.verdicts)
        tally.harm += found.harm
        tally.slowest_step = max(tally.slowest_step, found.slowest_step)
    except EOFError:
        fork.join()
        if len(texts) == 1:
            tally.verdicts[f"breaks its first run's process (exit code {fork.exitcode})"] += 1
        else:
            for text in texts:
                _disposable([text], state, tally)
    fork.join()


def _run_all(texts: Sequence[str], state: dict[str, torch.Tensor], results: Connection) -> None:
    signal.alarm(int(HANG_S * 3))
    sys.addaudithook(_hook)
    tally = Tally()
    for text in texts:
        run_accepted(text, state, tally)
    results.send(tally)


def _parent(count: int, seed: int, results: Connection) -> None:
    """The stand-in for the parent: judges graph after graph, and says which one it is at."""
    torch.set_num_threads(1)
    documents, fields, state = real_graphs()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    forger = Forger(documents, [f.name for f in fields], seed)
    tally, accepted = Tally(), []
    for number in range(count):
        text = forger.text()
        if number % 100 == 0:
            results.send((number, text))
        signal.alarm(int(HANG_S))
        if judge(text, fields, tally):
            accepted.append(text)
        signal.alarm(0)
        if len(accepted) >= 500 or number == count - 1:
            _disposable(accepted, state, tally)
            accepted = []
    results.send(tally)


def _messages(pipe: Connection) -> Iterator[Any]:
    try:
        while True:
            yield pipe.recv()
    except EOFError:
        return


def main() -> None:
    """Fuzz, and print what became of the graphs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_parent, args=(options.graphs, options.seed, theirs))
    started = time.perf_counter()
    process.start()
    theirs.close()
    last: Any = (0, "")
    for message in _messages(ours):
        last = message
    process.join()
    if not isinstance(last, Tally):
        sys.exit(f"the parent died with exit code {process.exitcode} after graph {last[0]} or one of the next 99")
    print(f"{options.graphs:,} graphs in {time.perf_counter() - started:.0f} s (seed {options.seed}); the parent lives")
    for verdict, count in last.verdicts.most_common():
        print(f"  {count:9,}  {verdict}")
    print(f"slowest check {1e3 * last.slowest_check:.1f} ms")
    print(f"slowest accepted step {1e6 * last.slowest_step:.1f} us an environment")
    print(f"accepted graphs that touched anything but tensors: {len(last.harm)}")
    for harm in last.harm[:10]:
        print(f"  {harm}")
    sys.exit(bool(last.harm))


if __name__ == "__main__":
    main()
