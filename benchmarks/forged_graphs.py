"""Hostile reward graphs without end: real ones with changes, and such as nobody has ever traced."""

from __future__ import annotations

import copy
import functools
import json
import random
from collections.abc import Sequence
from typing import Any

from eureka.reward.graph.operations import DTYPES, OPS, OperationParameter

# fmt: off
_NUMBERS = (
    0, 1, -1, 2, 7, 13, 91, 4096, 4097, 2**31 - 1, 2**31, -(2**31), 2**40, 2**53, 2**63, 0.5, -1.5, 1e-300, 1e300,
)
# fmt: on
_TEXTS = ("floor", "trunc", "none", "tanh", "mean", "__class__", "\u0000", "a" * 5000, "")
_OPS = tuple(OPS)
_EVIL_OPS = ("from_file", "set_.source_Storage", "as_strided", "randn", "index.Tensor", "mul_.Tensor", "__reduce__", "")


class Forger:
    """An endless stream of graphs' texts, a function of its arguments."""

    def __init__(self, documents: Sequence[dict[str, Any]], fields: Sequence[str], seed: int | str) -> None:
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
        inputs = document["inputs"] if isinstance(document["inputs"], list) else self._fields
        places = [n for n in nodes if isinstance(n, dict) and n.get("op") in OPS and isinstance(n.get("args"), list)]
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
                    {"input": rng.choice(inputs or self._fields)}
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
            nodes[:] = nodes[: rng.randint(0, len(nodes))] + nodes * rng.choice([0] * 10 + [1] * 10 + [40])

    def _value(self, document: dict[str, Any]) -> Any:
        rng, count = self._rng, max(len(document["nodes"]), 1)
        constants = document.get("constants")
        names = list(constants) if constants and isinstance(constants, dict) else ["w"]
        return rng.choice(
            [
                lambda: rng.choice(_NUMBERS),
                lambda: {"node": rng.randrange(count)},
                lambda: {"node": rng.randrange(count), "item": rng.choice([0, 1, 2, 2**31])},
                lambda: {"input": rng.choice(self._fields)},
                lambda: {"constant": rng.choice(names)},
                lambda: {"batch": rng.choice([1, 2, 3, 4096, 0, -1])},
                lambda: {"dtype": rng.choice([*DTYPES, "complex64"])},
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
        # Now and then as many as may be: these take most of the time.
        repeats = rng.choice([1] * 60 + [8] * 3 + [60])
        for _ in range(rng.randint(1, 12)):
            node = self._node(rng.choice(_OPS), known)
            for _ in range(repeats):
                document["nodes"].append(copy.deepcopy(node))
                outputs = OPS[node["op"]].outputs
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
        for parameter in OPS[op].parameters:
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

    def _argument(self, parameter: OperationParameter, known: Sequence[Any], nested: bool = False) -> Any:
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
    operation = OPS[op]
    return operation.outputs, tuple((p.kind, p.is_list, p.keyword_only) for p in operation.parameters)
