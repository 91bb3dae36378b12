"""The exported module against the training environment, on the steps of a real training."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch

from eureka.reward.export import export_reward
from eureka.tasks import load_task
from eureka.tasks.ppo import PPOConfig
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.population import Population
from eureka.trainers.population.rollout import Rollout

pytestmark = pytest.mark.process

GRAPH = json.dumps(
    {
        "version": 1,
        "inputs": ["forward_velocity", "up_projection", "contact_wrench", "action"],
        "constants": {"effort_weight": 0.02, "temperature": 0.3},
        "nodes": [
            {"op": "pow.Tensor_Scalar", "args": [{"input": "action"}, 2]},
            {"op": "sum.dim_IntList", "args": [{"node": 0}, [-1]]},
            {"op": "mul.Tensor", "args": [{"node": 1}, {"constant": "effort_weight"}], "name": "effort"},
            {"op": "sub.Tensor", "args": [{"input": "up_projection"}, 1.0]},
            {"op": "div.Tensor", "args": [{"node": 3}, {"constant": "temperature"}]},
            {"op": "exp", "args": [{"node": 4}], "name": "upright"},
            {"op": "linalg_vector_norm", "args": [{"input": "contact_wrench"}, 2, [-1, -2]]},
            {"op": "tanh", "args": [{"node": 6}], "name": "contact"},
            {"op": "add.Tensor", "args": [{"input": "forward_velocity"}, {"node": 5}]},
            {"op": "sub.Tensor", "args": [{"node": 8}, {"node": 2}]},
            {"op": "sub.Tensor", "args": [{"node": 9}, {"node": 7}], "name": "total"},
        ],
        "total": {"node": 10},
        "components": [
            {"name": "forward", "value": {"input": "forward_velocity"}},
            {"name": "upright", "value": {"node": 5}},
            {"name": "effort", "value": {"node": 2}},
            {"name": "contact", "value": {"node": 7}},
        ],
    }
)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("scripted", [False, True])
def test_equal_components_on_a_thousand_recorded_steps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scripted: bool
) -> None:
    task = load_task("ant")
    ppo = PPOConfig(hidden=(8,), horizon=50, epochs=1, minibatches=1)
    schedule = Schedule(num_envs=10, steps=1000, checkpoints=1, eval_episodes=1, ppo=ppo)
    population = Population(task, [GroupJob("g01-c01", GRAPH, 0, schedule)])
    rollouts: list[tuple[Rollout, torch.Tensor]] = []
    rewarding = population._rewarding

    def recorded(rollout: Rollout, recent: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        reward, measured = rewarding(rollout, recent)
        rollouts.append((rollout, reward))
        return reward, measured

    monkeypatch.setattr(population, "_rewarding", recorded)
    while not population.finished:
        population.advance()

    text = export_reward(graph=GRAPH, task="ant", candidate_id="g01-c01", fields=task.fields, provenance={})
    (tmp_path / "reward.py").write_text(text)
    spec = importlib.util.spec_from_file_location("reward", tmp_path / "reward.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = torch.jit.script(module.compute_reward) if scripted else module.compute_reward
    steps = 0
    for update, (rollout, reward) in enumerate(rollouts):
        state = {name: rollout.state[name][0].flatten(0, 1) for name in module.INPUTS}
        total, components = function(**state)
        tolerance = {"rtol": 1e-5, "atol": 1e-6} if scripted else {"rtol": 0.0, "atol": 0.0}
        torch.testing.assert_close(total, reward[0].flatten(), **tolerance)
        # what training recorded of the components in this update
        for name, curve in population.results()[0].components.items():
            assert float(components[name].double().mean()) == pytest.approx(curve[update], rel=1e-6)
        steps += len(total)
    assert steps == 1000
