"""What holds for every task that ships here: it steps, its State varies, its rewards are graphs, its status is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from shipped_tasks import INFOS, every_task, skip_without_model

from eureka.physics import Engine
from eureka.tasks import load_task
from eureka.tasks.base import state_tensors
from eureka.trainers.population.baselines import trace_baselines
from eureka.trainers.population.device_worlds import make_worlds
from eureka.trainers.population.recording import SmoothActions, record

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "suite.json"
NUM_ENVS = 4


def random_steps(name: str, engine: Engine, steps: int) -> dict[str, torch.Tensor]:
    """State fields over random control steps, (steps, NUM_ENVS, ...), of worlds that did not diverge."""
    task = load_task(name)
    generator = torch.Generator().manual_seed(0)
    worlds = make_worlds(task, [generator], NUM_ENVS, engine, desynchronise=False)
    act = SmoothActions(NUM_ENVS, task.num_actions, torch.Generator().manual_seed(1))
    rows = []
    for _ in range(steps):
        step = worlds.step(act(worlds.observation))
        assert not bool(step.diverged.any())
        assert bool(worlds.observation.isfinite().all())
        rows.append({field: value.clone() for field, value in state_tensors(step.state).items()})
        assert bool(task.metric.value(step.state).isfinite().all())
        assert bool(task.human_reward(step.state)[0].isfinite().all())
        worlds.restart(step.terminated | step.truncated)
    return {field: torch.stack([row[field] for row in rows]) for field in rows[0]}


@pytest.mark.parametrize("name", every_task())
def test_a_thousand_random_steps(name: str) -> None:
    skip_without_model(name)
    state = random_steps(name, Engine(), 1000)
    for field, values in state.items():
        assert bool(values.double().isfinite().all()), field
        # A flag that random actions never raise is no constant: it is what there is to be learned.
        if values.dtype.is_floating_point and values.unique().tolist() != [0.0]:
            assert float(values.double().std()) > 0, f"{field} is constant"


@pytest.mark.wide
@pytest.mark.warp
@pytest.mark.parametrize("name", list(INFOS))
def test_steps_on_warp(name: str) -> None:
    skip_without_model(name)
    random_steps(name, Engine("warp"), 20)


@pytest.mark.parametrize("name", every_task())
def test_its_own_rewards_are_graphs(name: str) -> None:
    skip_without_model(name)
    task = load_task(name)
    recording = record(task, num=64, steps=30)
    graphs = trace_baselines(task, recording.state)
    assert all(json.loads(graph)["total"] for graph in graphs.values())
    for hidden in ("human_reward", "def metric", "sparse_reward"):
        assert hidden not in task.shown_source


def test_every_task_says_what_it_learned_or_what_was_tried() -> None:
    rows = json.loads(RESULTS.read_text())
    for name, info in INFOS.items():
        assert (info.learned is None) != (info.tried is None), f"{name}: `learned`, or else `tried`"
        if info.learned is None:
            assert info.tried
            continue
        skip_without_model(name)
        assert info.learned.unit == load_task(name).metric.unit
        row = rows.get(f"{name} human") or rows.get(f"{name} human on a device")
        if row is None:
            continue
        assert info.learned.steps == row["steps"]
        assert info.learned.seeds == len(row["seeds"])
        assert info.learned.score == pytest.approx(sum(row["scores"]) / len(row["scores"]), rel=0.01)


def test_the_page_shows_every_task_with_its_status() -> None:
    """docs/make_tasks_page.py makes it."""
    page = (ROOT / "docs" / "tasks.md").read_text()
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| ![")}
    assert sorted(rows) == sorted(INFOS)
    for name, info in INFOS.items():
        assert (ROOT / "docs" / "images" / "tasks" / f"{name}.jpg").is_file()
        said = f"{info.learned.score:.3g} {info.learned.unit}" if info.learned else " ".join((info.tried or "").split())
        assert said in rows[name]
