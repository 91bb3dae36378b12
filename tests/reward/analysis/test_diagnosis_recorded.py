"""A reward with one of every fault, and what a person is told."""

import torch
from analysis_graphs import ACTION, F32, HEIGHT, RUNNING, SPEED, node, reward

from eureka.core.diagnosis import Severity
from eureka.prompts import for_person
from eureka.reward.analysis.analyse import analyse
from eureka.reward.analysis.trajectory import Trajectory

ROWS = 400
GENERATOR = torch.Generator().manual_seed(1)
STATE = {
    "speed": torch.randn(ROWS, generator=GENERATOR) * 3,
    "height": torch.rand(ROWS, generator=GENERATOR),
    "action": torch.randn(ROWS, 2, generator=GENERATOR),
}


def told(analysis):
    return [(d.severity.name, for_person(d), d.line) for d in analysis.diagnoses]


def test_a_reward_with_every_fault():
    nodes = [
        ("full", [[{"batch": 1}], 0.5], F32),
        ("exp", [HEIGHT]),
        ("mul.Tensor", [SPEED, -1000.0]),
        ("exp", [node(2)]),
        ("clamp", [node(3)], {"max": 1.0}),
        ("sum.dim_IntList", [ACTION, [1]]),
        ("mul.Tensor", [node(5), 0.01]),
        ("mul.Tensor", [HEIGHT, 1e-4]),
        ("add.Tensor", [SPEED, node(0)]),
        ("add.Tensor", [node(8), node(4)], {"alpha": 1e-3}),
        ("add.Tensor", [node(9), node(6)]),
        ("add.Tensor", [node(10), node(7)]),
        ("add.Tensor", [node(11), 7.0]),
    ]
    parts = {"speed": SPEED, "alive": node(0), "idle": node(1), "gate": node(4), "tiny": node(7)}
    analysis = analyse(reward(nodes, node(12), parts), {**STATE, "speed": STATE["speed"].abs() + 1.0})
    texts = told(analysis)
    order = [Severity[severity] for severity, _, _ in texts]
    assert order == sorted(order, key=list(Severity).index)
    assert texts[0][1] == "the total holds a constant of 7 a step that no component reports"
    assert ("WARNING", "`idle` does not reach the total: it is reported, and trains nothing", None) in texts
    assert any(t.startswith("a term (of action) is in the total, less than 0.01%") and n == 15 for _, t, n in texts)
    assert any(t.startswith("`speed` dominates with 1") for _, t, _ in texts)
    assert any(t.startswith("`alive` is 0.5 on every step seen: it acts") for _, t, _ in texts)
    assert any(t.startswith("`tiny` is negligible") for _, t, _ in texts)
    # exp(-1000 speed) with a speed of 1 or more is 0 in float32 everywhere.
    assert any(t.startswith("`gate` is 0 on every recorded transition: it does nothing") for _, t, _ in texts)
    assert not analysis.has_problem


def test_hardly_varying_and_about_to_break():
    state = {**STATE, "speed": torch.cat([torch.zeros(390), torch.full((10,), 1.0)])}
    nodes = [("mul.Tensor", [SPEED, 20.0]), ("exp", [node(0)]), ("add.Tensor", [node(1), HEIGHT])]
    texts = told(analyse(reward(nodes, node(2), {"bonus": node(1), "height": HEIGHT}), state))
    assert ("WARNING", "`bonus` hardly varies: on 97.5% of transitions it is at its least value, 1", None) in texts
    assert ("WARNING", "`bonus` becomes NaN or infinite on 2.5% of states 10 times as large as recorded", 11) in texts


def test_nothing_to_learn_and_backwards_are_problems():
    flat = reward([("full", [[{"batch": 1}], 2.0], F32)], node(0), {"flat": node(0)})
    analysis = analyse(flat, STATE)
    assert analysis.has_problem
    assert told(analysis)[0][1] == "the total is 2 on every recorded transition: there is nothing to learn from it"
    few = {name: value[:3] for name, value in STATE.items()}
    fall = Trajectory("random", few, 0.0, True)
    walk = Trajectory("trained", few, 1.0, False)
    penalty = reward([("mul.Tensor", [HEIGHT, -1.0])], node(0), {"penalty": node(0)})
    analysis = analyse(penalty, STATE, [fall, walk], 0.9)
    assert analysis.has_problem
    assert told(analysis)[0][1].startswith("it prefers failing to succeeding: of 1 pairs")
    assert "so whether it ranks them right is not known" in told(analyse(penalty, STATE, [fall, fall]))[0][1]


def test_a_good_reward_has_little_to_say():
    nodes, total, parts, constants = RUNNING
    good = reward(nodes, total, {**parts, "height": HEIGHT}, constants)
    slow = Trajectory("random", {n: v[:5] * 0.1 for n, v in STATE.items()}, 0.0, True)
    fast = Trajectory("trained", {n: v[:5].abs() for n, v in STATE.items()}, 1.0, False)
    analysis = analyse(good, {**STATE, "speed": STATE["speed"] * 0.1}, [slow, fast])
    assert told(analysis) == []
    assert analysis.ranking is not None
    assert analysis.ranking.share == 1.0
    assert [p.name for p in analysis.parameters] == ["weight"]
