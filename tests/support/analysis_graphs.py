"""Small graphs, written by hand, for the tests of the analysis."""

import json

from eureka.reward.graph.format import Graph
from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.runtime import RewardFunction

SPEED, HEIGHT, ACTION = {"input": "speed"}, {"input": "height"}, {"input": "action"}
F32 = {"dtype": {"dtype": "float32"}}


def text(nodes, total, components, constants=None):
    """A graph's text; `nodes` are (op, args) or (op, args, kwargs), numbered from 0; lines count from 10."""
    return json.dumps(
        {
            "version": 1,
            "inputs": ["speed", "height", "action"],
            "constants": constants or {},
            "nodes": [
                {"op": op, "args": args, "kwargs": (kwargs or [{}])[0], "line": 10 + i}
                for i, (op, args, *kwargs) in enumerate(nodes)
            ],
            "total": total,
            "components": [{"name": name, "value": value} for name, value in components.items()],
        }
    )


def graph(*arguments, **more) -> Graph:
    return parse_graph(text(*arguments, **more))


def reward(*arguments, **more) -> RewardFunction:
    return RewardFunction(graph(*arguments, **more))


def node(index):
    return {"node": index}


#: effort = |action|^2; speed + height - 0.1 effort, with speed and the effort's penalty reported.
EFFORT = ("sum.dim_IntList", [node(0), [1]])
RUNNING = (
    [
        ("pow.Tensor_Scalar", [ACTION, 2]),
        EFFORT,
        ("mul.Tensor", [node(1), {"constant": "weight"}]),
        ("sub.Tensor", [SPEED, node(2)]),
        ("add.Tensor", [node(3), HEIGHT]),
    ],
    node(4),
    {"speed": SPEED, "effort": node(1)},
    {"weight": 0.1},
)
