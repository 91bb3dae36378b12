"""Forged graphs: bytes that pretend to come from an honest trace. The parent, `RewardVerifier`, judges them.

A source changes `graph` (the honest one, as a dictionary) and `tensors` (its eager results), or gives `result`. The
control is the same with an empty source: the honest graph, which must be accepted.
"""

from __future__ import annotations

from attack_suite.attack import VERIFIER, Attack, forged

_HEAD = """
body = {{'ok': True, 'graph': json.dumps(graph)}}
head = json.dumps({{'body': body, 'tensors': [['first/total', 'float32', {}]]}}).encode()
"""
_INTEGERS = (
    "graph['nodes'].append({'op': '_to_copy', 'args': [{'input': 'speed'}], 'kwargs': {'dtype': {'dtype': 'int32'}}})\n"
)
_NODE = "node = graph['nodes'][0]\n"


def _graph(name: str, source: str) -> Attack:
    return Attack(name, source, forged, (VERIFIER,))


GRAPHS = [
    _graph("an operation that reads files", _NODE + "node.update(op='from_file', args=['/etc/passwd'])"),
    _graph("an operation of Python's", _NODE + "node.update(op='os.system', args=['id'])"),
    _graph("an operation by its dunder", _NODE + "node.update(op='__class__', args=[])"),
    _graph("a random operation", _NODE + "node.update(op='rand', args=[[{'batch': 1}]])"),
    _graph("an operation in place", _NODE + "node.update(op='mul_.Tensor')"),
    _graph("an operation on storage", _NODE + "node.update(op='as_strided', args=[{'input': 'speed'}, [10**6], [1]])"),
    _graph("an operation that indexes", _NODE + "node.update(op='index.Tensor', args=[{'input': 'speed'}, [10**9]])"),
    _graph("a custom operation", _NODE + "node.update(op='evil::mul.Tensor')"),
    _graph("another reward than was run", _NODE + "node['args'][1] = 7.0"),
    _graph(
        "results that are not numbers",
        "for t in tensors.values(): t.fill_(float('nan'))\n" + _NODE + "node['args'][1] = {'float': 'nan'}",
    ),
    _graph("results of another size", "tensors = {n: t[:5].clone() for n, t in tensors.items()}"),
    _graph("results of another type", "tensors = {n: t.double() for n, t in tensors.items()}"),
    _graph("no results", "tensors = {}"),
    _graph("a node before itself", _NODE + "node['args'][0] = {'node': 0}"),
    _graph("a node that is not there", "graph['total'] = {'node': 99}"),
    _graph("a node of negative number", "graph['total'] = {'node': -1}"),
    _graph("a field that is not shown", _NODE + "graph['inputs'] = ['metric']\nnode['args'][0] = {'input': 'metric'}"),
    _graph("two fields where one was asked", "graph['inputs'] = ['speed', 'height']"),
    _graph("a name that is code", "graph['components'][0]['name'] = 'x\\nimport os\\nos.system(\"id\")'"),
    _graph("a constant's name that is code", "graph['constants'] = {'__import__(\"os\")': 1.0}"),
    _graph("a name without end", "graph['components'][0]['name'] = 'x' * 10**5"),
    _graph("nodes without end", "graph['nodes'] *= 5000"),
    _graph("constants without end", "graph['constants'] = {f'c{i}': 1.0 for i in range(5000)}"),
    _graph("components without end", "graph['components'] *= 500"),
    _graph("a tensor without end", "graph['nodes'].append({'op': 'ones', 'args': [[10**12]]})"),
    _graph("a square of the batch", "graph['nodes'].append({'op': 'ones', 'args': [[{'batch': 1}, {'batch': 1}]]})"),
    _graph(
        "environments that are numbered",
        "graph['nodes'].append({'op': 'ones_like', 'args': [{'input': 'speed'}]})\n"
        "graph['nodes'].append({'op': 'cumsum', 'args': [{'node': len(graph['nodes']) - 1}, 0]})",
    ),
    _graph(
        "environments that are rolled", "graph['nodes'].append({'op': 'roll', 'args': [{'input': 'speed'}, [1], [0]]})"
    ),
    _graph(
        "a slice that only training's rows reach",
        "graph['nodes'].append({'op': 'slice.Tensor', 'args': [{'input': 'speed'}, 0, 0, 600]})",
    ),
    _graph(
        "a division whose divisor wraps to -1",
        _INTEGERS
        + "graph['nodes'].append({'op': 'div.Tensor_mode', 'args': [{'node': len(graph['nodes']) - 1}, 4294967295], "
        "'kwargs': {'rounding_mode': 'trunc'}})",
    ),
    _graph(
        "a division by a tensor of integers",
        _INTEGERS + "graph['nodes'].append({'op': 'floor_divide', 'args': [{'node': len(graph['nodes']) - 1}] * 2})",
    ),
    _graph(
        "environments that are mixed where nothing was recorded",
        "graph['nodes'].append({'op': 'roll', 'args': [{'input': 'speed'}, [1], [0]]})\n"
        "graph['nodes'].append({'op': 'gt.Scalar', 'args': [{'input': 'speed'}, 50.0]})\n"
        "n = len(graph['nodes'])\n"
        "graph['nodes'].append({'op': 'where.self', 'args': [{'node': n - 1}, {'node': n - 2}, {'input': 'speed'}]})",
    ),
    _graph("a key of a megabyte", "graph['k' * 900_000] = 1"),
    _graph("an enormous integer", _NODE + "node['args'][1] = 10**400"),
    _graph("a deep list", _NODE + "x = []\nfor _ in range(500): x = [x]\nnode['args'][1] = x"),
    _graph(
        "deeper json than a parser takes",
        "text = json.dumps(graph).replace('\"speed\"', '[' * 10**5 + ']' * 10**5, 1)\n"
        "result = pack({'ok': True, 'graph': text}, tensors)",
    ),
    _graph("another version", "graph['version'] = 99"),
    _graph("keys that nobody knows", "graph['code'] = 'import os'"),
    _graph(
        "a pickle in place of a graph",
        "import pickle\nresult = pack({'ok': True, 'graph': pickle.dumps(graph).decode('latin-1')}, tensors)",
    ),
    _graph("a saved program in place of an answer", "result = b'PK\\x03\\x04' + bytes(10**5)"),
    _graph("bytes left over", "result = pack({'ok': True, 'graph': json.dumps(graph)}, tensors) + b'x'"),
    _graph("a header without end", "result = (2**63).to_bytes(8, 'big') + b'{'"),
    _graph(
        "a tensor of negative size",
        _HEAD.format("[-5]") + "result = len(head).to_bytes(8, 'big') + head",
    ),
    _graph(
        "a tensor larger than the answer",
        _HEAD.format("[2**30, 2**30]") + "result = len(head).to_bytes(8, 'big') + head",
    ),
    _graph("text that is no UTF-8", "result = (4).to_bytes(8, 'big') + bytes([255, 254, 253, 252])"),
    _graph("an empty answer", "result = b''"),
]

FAMILIES = {"forged graphs": GRAPHS}
