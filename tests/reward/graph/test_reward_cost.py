"""What a graph costs beside its Python: how `benchmarks/verification.py` measures it, and the result that is kept."""

import json
import statistics
import time

import pytest
import torch
import verification
from result_files import COMMITTED

WITHIN = 1.15
CANDIDATES_PER_S = 4.0
SHORT_S = 50e-6
"""For a whole rollout: of what takes less, the cost of calling it at all is a large part, and none of a training's."""

GRAPH = json.dumps(
    {
        "version": 1,
        "inputs": ["speed"],
        "constants": {},
        "nodes": [{"op": "neg", "args": [{"input": "speed"}]}],
        "total": {"node": 0},
        "components": [{"name": "slow", "value": {"node": 0}}],
    }
)


def test_a_ratio_is_of_the_graph_over_its_python():
    calls = []

    def python():
        calls.append(time.sleep(0.002))

    cost = verification.compare("x", GRAPH, {"speed": torch.ones(4)}, python, repeats=3)
    assert len(calls) == 3 * verification.CALLS
    assert cost.eager_s >= 0.002
    assert cost.ratio == pytest.approx(cost.graph_s / cost.eager_s, rel=0.5)
    assert cost.ratio < 0.5


RESULT = COMMITTED / verification.FILE


@pytest.mark.skipif(not RESULT.exists(), reason="it has not been measured")
def test_what_was_measured():
    found = json.loads(RESULT.read_text())
    assert found["rows"] == 64 * 32
    assert found["verified"] == found["candidates"]
    assert found["candidates_per_s"] >= CANDIDATES_PER_S
    costs = {cost["reward"]: cost for cost in found["costs"]}
    assert len(costs) >= 60
    assert costs["human-written"]["ratio"] <= WITHIN
    assert statistics.median(cost["ratio"] for cost in costs.values()) <= WITHIN
    over = [name for name, cost in costs.items() if cost["ratio"] > WITHIN and cost["eager_s"] >= SHORT_S]
    assert not over
