"""A small part of `benchmarks/fuzz_graphs.py`: forged and mutated graphs neither crash nor hang, nor touch anything."""

import importlib.util
import sys
from pathlib import Path

import pytest
from reward_helpers import FIELDS, states

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "fuzz_graphs.py"
GRAPHS = 500


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz_graphs", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_fuzz(fuzz):
    documents, fields, state = fuzz.real_graphs()
    forger = fuzz.Forger(documents, [f.name for f in fields], seed=7)
    tally, accepted = fuzz.Tally(), []
    for _ in range(GRAPHS):
        text = forger.text()
        if fuzz.judge(text, fields, tally):
            accepted.append(text)
    fuzz._disposable(accepted, state, tally)
    assert tally.verdicts["malformed"] > 0.1 * GRAPHS
    assert tally.verdicts["accepted"] > 0.1 * GRAPHS
    assert not [verdict for verdict in tally.verdicts if verdict.startswith("breaks")], tally.verdicts
    assert tally.harm == []
    assert 0.0 < tally.slowest_step < 1e-3


def test_the_hook_hears_of_harm(fuzz):
    """The same run with an operation that opens a file counts as harm."""
    from eureka.reward import runtime

    (document, *_), _, state = fuzz.real_graphs()
    text = fuzz.json.dumps(document)
    op = next(node["op"] for node in document["nodes"] if runtime.OPS[node["op"]].outputs == 1)

    def spying(*args, **kwargs):
        Path(__file__).read_bytes()
        return operation.function(*args, **kwargs)

    operation = runtime.OPS[op]
    runtime.OPS[op] = operation._replace(function=spying)
    try:
        tally = fuzz.Tally()
        fuzz._disposable([text], state, tally)
    finally:
        runtime.OPS[op] = operation
    assert len(tally.harm) == 1
    assert "open" in tally.harm[0]


def test_a_first_run_that_breaks_its_process_is_counted(fuzz):
    documents, _, state = fuzz.real_graphs()
    broken = fuzz.json.dumps(documents[0]).replace('"version": 1', '"version": 2')
    tally = fuzz.Tally()
    fuzz._disposable([broken, fuzz.json.dumps(documents[0])], state, tally)
    assert sum(count for verdict, count in tally.verdicts.items() if verdict.startswith("breaks")) == 1
    assert len(FIELDS) == len(states(2))
