"""The task's own rewards as graphs: what the task computes, on states that they were not traced with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from shipped_tasks import skip_without_model

from eureka.core.errors import TaskError
from eureka.core.training import OwnReward
from eureka.reward.graph.runtime import compile_graph
from eureka.tasks import Task, find_tasks, load_task
from eureka.trainers.population.baselines import trace_baselines
from eureka.trainers.population.recording import record


@pytest.mark.parametrize("name", sorted(find_tasks()))
def test_graphs_compute_what_the_task_computes(name: str) -> None:
    skip_without_model(name)
    task = load_task(name)
    baselines = trace_baselines(task, record(task, num=128, steps=30).state)
    new = record(task, num=200, seed=1, steps=40).state
    state = task.State(**new)
    total, components = task.human_reward(state)
    graph_total, graph_components = compile_graph(baselines[OwnReward.OWN])(new)
    assert torch.equal(graph_total, total.float())
    assert list(graph_components) == list(components)
    for part, value in components.items():
        assert torch.equal(graph_components[part], value.float()), part
    sparse = task.sparse_reward(state)
    assert (sparse is None) == (OwnReward.METRIC not in baselines)
    if sparse is not None:
        assert torch.equal(compile_graph(baselines[OwnReward.METRIC])(new)[0], sparse.float())


def with_human_reward(tmp_path: Path, old: str, new: str) -> Task:
    folder = Path(shutil.copytree(find_tasks()["cartpole"], tmp_path / "mine"))
    env = folder / "env.py"
    text = env.read_text()
    assert old in text
    env.write_text(text.replace(old, new))
    return load_task("mine", [folder])


def test_a_task_without_a_sparse_reward(tmp_path: Path) -> None:
    task = with_human_reward(tmp_path, "return (state.pole_angle.abs() <= 0.2).float()\n", "return None\n")
    baselines = trace_baselines(task, record(task, num=128, steps=20).state)
    assert list(baselines) == [OwnReward.OWN]


def test_a_human_reward_that_has_no_graph_is_named_with_the_remedy(tmp_path: Path) -> None:
    task = with_human_reward(
        tmp_path,
        "return upright, {",
        "upright = upright * 2 if upright.sum() > 0 else upright\n        return upright, {",
    )
    with pytest.raises(TaskError) as caught:
        trace_baselines(task, record(task, num=128, steps=20).state)
    said = str(caught.value)
    assert "env.py: `human_reward` cannot become a reward graph" in said
    assert "it decides in Python on the values of a tensor" in said
    assert "torch.where" in said
