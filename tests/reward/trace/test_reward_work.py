"""The dearest graphs that are accepted: what a step of the trainer can cost an environment at most."""

import json
import time

import pytest
from reward_helpers import FIELDS, states

from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.runtime import RewardFunction
from eureka.reward.graph.shapes import check_shapes

ROWS = 128
#: A quarter of a millisecond is meant (`MAX_WORK_PER_ENV`), on a core that does nothing else.
LIMIT_S = 2e-3
WIDE, ONES = {"node": 0}, {"node": 1}
MATRIX = {"node": 2}
OPERATIONS = {
    "sum": ("sum.dim_IntList", [WIDE, [1]]),
    "exp": ("exp", [WIDE]),
    "pow": ("pow.Tensor_Tensor", [WIDE, WIDE]),
    "atan2": ("atan2", [WIDE, WIDE]),
    "gelu": ("gelu", [WIDE]),
    "sort": ("sort", [WIDE, 1]),
    "median": ("median.dim", [WIDE, 1]),
    "topk": ("topk", [WIDE, 100, 1]),
    "cumprod": ("cumprod", [WIDE, 1]),
    "norm": ("linalg_vector_norm", [WIDE, 3.5, [1]]),
    "std": ("std.correction", [WIDE, [1]]),
    "remainder": ("remainder.Tensor", [WIDE, WIDE]),
    "logsumexp": ("logsumexp", [WIDE, [1]]),
    "product": ("bmm", [MATRIX, MATRIX]),
    "product with one matrix": ("mm", [WIDE, ONES]),
    "distances": ("_cdist_forward", [MATRIX, MATRIX, 2.0, None]),
    "softmax": ("_softmax", [WIDE, 1, False]),
    "stack": ("stack", [[WIDE], 0]),
    "addcdiv": ("addcdiv", [WIDE, WIDE, WIDE]),
}
SQUARE = 62


def graph(op, args, count):
    """`count` times the operation on tensors near the largest size."""
    nodes = [
        {"op": "repeat", "args": [{"input": "foot_height"}, [1, SQUARE * SQUARE // 4]]},
        {"op": "full", "args": [[SQUARE * SQUARE, 1], 0.5]},
        {"op": "view", "args": [{"node": 0}, [{"batch": 1}, SQUARE, SQUARE]]},
    ]
    nodes += [{"op": op, "args": args} for _ in range(count)]
    total = {"input": "up_proj"}
    return parse_graph(
        json.dumps(
            {
                "version": 1,
                "inputs": ["foot_height", "up_proj"],
                "constants": {},
                "nodes": nodes,
                "total": total,
                "components": [{"name": "part", "value": total}],
            }
        )
    )


@pytest.mark.parametrize("case", OPERATIONS)
def test_slowest_accepted_step(case):
    op, args = OPERATIONS[case]
    low, high = 0, 100
    while high - low > 1:
        middle = (low + high) // 2
        if check_shapes(graph(op, args, middle), FIELDS) is None:
            low = middle
        else:
            high = middle
    assert check_shapes(graph(op, args, high), FIELDS) is not None
    function, state = RewardFunction(graph(op, args, low)), states(ROWS)
    times = []
    for _ in range(3):
        started = time.perf_counter()
        function(state)
        times.append((time.perf_counter() - started) / ROWS)
    assert min(times) < LIMIT_S
