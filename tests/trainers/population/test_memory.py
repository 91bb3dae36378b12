"""What trainings take of memory: the formula by hand and against a measured process, and what there is."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from eureka.app.configs import compose_config
from eureka.app.estimate import largest_cost
from eureka.core.errors import TrainingError
from eureka.core.training import OwnReward, TrainingJob, TrainingLength
from eureka.reward.graph.footprint import bytes_per_row
from eureka.tasks import Task, load_task
from eureka.trainers.population.group import Schedule
from eureka.trainers.population.memory import (
    MemoryNeed,
    available_bytes,
    fitting_need,
    in_words,
    memory_line,
    memory_need,
)
from eureka.trainers.population.trainer import PopulationTrainer

GB = 1_000_000_000


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task("cartpole")


def schedule(task: Task, num_envs: int, horizon: int) -> Schedule:
    return Schedule(num_envs, 10_000, 1, 1, replace(task.info.ppo, horizon=horizon, minibatches=4))


def test_every_row_takes_its_floats(task: Task) -> None:
    # 4 observations and 1 action, two hidden layers of 32. The rollout: 3 x 4 + 4 x 1 + 4 = 20 floats; the batch: 8; of
    # the values 2 x 32, more than a minibatch's (4 + 1 + 4 + 64 + 2 x 32) / 4 = 34.25. 92 floats of 4 bytes.
    row, world = 92 * 4, 6 * 1024
    assert memory_need(task, schedule(task, 16, 32), 1, 2).groups == 16 * 32 * row + 16 * world


def test_it_grows_in_step_with_groups_and_worlds(task: Task) -> None:
    one = memory_need(task, schedule(task, 16, 32), 1, 2)
    assert memory_need(task, schedule(task, 16, 32), 10, 2).groups == 10 * one.groups
    assert memory_need(task, schedule(task, 64, 32), 1, 2).groups == 4 * one.groups
    # No more processes than groups.
    assert (one.workers, memory_need(task, schedule(task, 16, 32), 10, 2).workers) == (1, 2)
    assert one.total == one.process + one.groups


def outer_products(number: int) -> str:
    """A reward of as many copies of two fields, multiplied each with each: its peak is that product and its sum."""
    nodes: list[dict[str, object]] = [
        columns(number),
        {"op": "unsqueeze", "args": [{"node": 0}, 2]},
        {"op": "unsqueeze", "args": [{"node": 0}, 1]},
        {"op": "mul.Tensor", "args": [{"node": 1}, {"node": 2}]},
        {"op": "sum.dim_IntList", "args": [{"node": 3}, [1, 2]]},
    ]
    return document(nodes)


def document(nodes: list[dict[str, object]]) -> str:
    """The reward whose total is the last of these operations."""
    total = {"node": len(nodes) - 1}
    parts = {"version": 1, "inputs": ["pole_angle"], "constants": {}, "nodes": nodes, "total": total}
    return json.dumps(parts | {"components": [{"name": "all", "value": total}]})


def columns(number: int) -> dict[str, object]:
    """A field as often as wanted, beside each other."""
    return {"op": "stack", "args": [[{"input": "pole_angle"}] * number, 1]}


def sorted_columns(number: int) -> str:
    """The sum over sorted columns, of which the sort gives values and indices."""
    return document(
        [
            columns(number),
            {"op": "sort", "args": [{"node": 0}, 1]},
            {"op": "sum.dim_IntList", "args": [{"node": 1, "item": 0}, [1]]},
        ]
    )


def exponents(number: int) -> str:
    """The logarithm of the sum of exponentials over columns, which are copied for it."""
    return document([columns(number), {"op": "logsumexp", "args": [{"node": 0}, [1]]}])


def test_a_reward_takes_what_it_holds_at_a_time(task: Task) -> None:
    # Of 60 columns: the stacked ones, of which the unsqueezed are views, their products, and the sum; 4 bytes each.
    assert bytes_per_row(outer_products(60), task.fields) == 4 * (3600 + 60)
    # The columns and what the sort gives: as many values, and indices of 8 bytes; they are gone when the sum comes.
    assert bytes_per_row(sorted_columns(60), task.fields) == 60 * (4 + 4 + 8)
    # The columns, their copy, and the result.
    assert bytes_per_row(exponents(60), task.fields) == 4 * (60 + 60 + 1)
    without = memory_need(task, schedule(task, 16, 32), 4, 2)
    need = memory_need(task, schedule(task, 16, 32), 4, 2, {outer_products(60), outer_products(8)})
    assert need.process - without.process == 16 * 32 * 4 * 3660
    assert need.groups == without.groups


_MEASURE = """
import json, sys
from dataclasses import replace
import torch
torch.set_num_threads(1)
from eureka.trainers.population.population import Population
from eureka.trainers.population.worker import main
from eureka.tasks import load_task
from eureka.trainers.population.group import Schedule, GroupJob
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
graph = json.dumps({"version": 1, "inputs": ["pole_angle"], "constants": {}, "nodes": [
    {"op": "neg", "args": [{"input": "pole_angle"}]}], "total": {"node": 0},
    "components": [{"name": "angle", "value": {"node": 0}}]})
task = load_task("cartpole")
schedule = Schedule(256, 10_000_000, 1, 1, replace(task.info.ppo, horizon=64, minibatches=4, epochs=1))
before = peak()
population = Population(task, [GroupJob(f"g01-c{k:02d}", graph, k, schedule) for k in range(16)])
population.advance()
population.advance()
print(before, peak())
"""


@pytest.mark.process
def test_a_training_takes_what_was_predicted(task: Task) -> None:
    """A quarter of a million rows."""
    said = subprocess.run([sys.executable, "-c", _MEASURE], capture_output=True, text=True, check=True).stdout.split()
    before, peak = map(int, said)
    need = memory_need(task, schedule(task, 256, 64), 16, 1)
    assert need.groups > 100_000_000
    assert need.total == pytest.approx(peak, rel=0.25)
    assert need.groups == pytest.approx(peak - before, rel=0.25)


_REWARD = """
import re, sys, torch
from eureka.reward.graph.runtime import compile_graph
def resident(key):
    # getrusage would give the peak of the process that started this one, where that is higher.
    return 1024 * int(re.search(key + r":\\s+(\\d+)", open("/proc/self/status").read())[1])
reward = compile_graph(sys.argv[1])
reward({"pole_angle": torch.rand(8)})
state = {"pole_angle": torch.rand(65536)}
before = resident("VmRSS")
reward(state)
print(resident("VmHWM") - before)
"""


@pytest.mark.process
@pytest.mark.parametrize("graph", [outer_products(30), sorted_columns(120), exponents(120)], ids=["*", "sort", "exp"])
def test_a_reward_takes_what_was_predicted(task: Task, graph: str) -> None:
    said = subprocess.run([sys.executable, "-c", _REWARD, graph], capture_output=True, text=True, check=True).stdout
    assert 65536 * bytes_per_row(graph, task.fields) == pytest.approx(int(said), rel=0.1)


def machine(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MEMINFO = {"proc/meminfo": "MemTotal: 16000000 kB\nMemFree: 100 kB\nMemAvailable:    8000000 kB\n"}


def test_what_the_machine_has(tmp_path: Path) -> None:
    assert available_bytes(tmp_path) is None
    assert available_bytes(machine(tmp_path, MEMINFO)) == 8_000_000 * 1024


def test_the_limit_of_a_control_group_holds_and_of_those_above_it(tmp_path: Path) -> None:
    group = "sys/fs/cgroup/users/mine"
    machine(tmp_path, MEMINFO)
    machine(tmp_path, {"proc/self/cgroup": "0::/users/mine\n", f"{group}/memory.max": "max\n"})
    machine(tmp_path, {f"{group}/memory.current": "5000\n", f"{group}/memory.stat": "anon 1\n"})
    assert available_bytes(tmp_path) == 8_000_000 * 1024
    above = "sys/fs/cgroup/users"
    machine(tmp_path, {f"{above}/memory.max": "2000000\n", f"{above}/memory.current": "1500000\n"})
    machine(tmp_path, {f"{above}/memory.stat": "anon 7\ninactive_file 300000\n"})
    # 2,000,000 - 1,500,000, and 300,000 of cached files that can go.
    assert available_bytes(tmp_path) == 800_000


def test_the_limit_of_the_older_control_groups_seen_from_a_container(tmp_path: Path) -> None:
    machine(tmp_path, MEMINFO)
    machine(tmp_path, {"proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n"})
    folder = "sys/fs/cgroup/memory"
    machine(tmp_path, {f"{folder}/memory.limit_in_bytes": "3000", f"{folder}/memory.usage_in_bytes": "1000"})
    machine(tmp_path, {f"{folder}/memory.stat": "inactive_file 1\ntotal_inactive_file 10\n"})
    assert available_bytes(tmp_path) == 2010


def test_what_does_not_fit_at_once_is_trained_in_parts() -> None:
    need = MemoryNeed(2, GB // 4, GB // 2, 6)
    assert need.total == 3 * GB + GB // 2
    assert fitting_need(need, 4 * GB) == fitting_need(need, None) == need
    # Two processes take half a gigabyte of two, and three groups the rest.
    assert fitting_need(need, 2 * GB) == MemoryNeed(2, GB // 4, GB // 2, 3)
    # Of a gigabyte and a half two processes leave room for a group each; of one gigabyte there is no second process.
    assert fitting_need(need, 3 * GB // 2) == MemoryNeed(2, GB // 4, GB // 2, 2)
    assert fitting_need(need, GB) == MemoryNeed(1, GB // 4, GB // 2, 1)
    assert memory_line(need, 4 * GB) == "memory: about 3.5 GB with 2 workers, of 4.0 GB that are available"
    assert memory_line(need, GB) == (
        "memory: about 3.5 GB with 2 workers, of 1.0 GB that are available: 1 of 6 trainings at a time, with 1 worker"
    )
    assert memory_line(MemoryNeed(1, GB // 4, 0, 1), None) == "memory: about 250 MB with 1 worker"
    assert in_words(999_000_000) == "999 MB"


def test_where_not_one_training_fits_it_is_refused_in_one_sentence() -> None:
    with pytest.raises(TrainingError) as refused:
        fitting_need(MemoryNeed(2, GB // 4, GB // 2, 6), GB // 2)
    assert str(refused.value) == (
        "one training takes about 750 MB of memory, and 500 MB are available: give fewer train.num_envs"
    )


def job(number: int) -> TrainingJob:
    return TrainingJob(f"g01-c{number:02d}", OwnReward.OWN, 0, TrainingLength(10_000, 1, 1))


def test_a_device_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own memory counts there, and what does not fit is trained with fewer worlds."""
    monkeypatch.setattr("eureka.physics.engine.missing_packages", lambda: None)
    monkeypatch.setattr("eureka.trainers.population.trainer.available_bytes", lambda: 4 * GB)
    jobs = [job(number) for number in range(1, 11)]
    warp = PopulationTrainer("cartpole", physics="warp", num_envs=1_000_000, workers=1)
    assert warp.cost(jobs).sentences == ()
    with pytest.raises(TrainingError, match=r"give fewer train\.num_envs"):
        PopulationTrainer("cartpole", num_envs=1_000_000, workers=1).cost(jobs)
    (said,) = PopulationTrainer("cartpole", num_envs=32_768, workers=1).cost(jobs).sentences
    assert re.search(r": \d of 10 trainings at a time, with 1 worker$", said)


def test_a_run_is_judged_by_the_most_trainings_at_once() -> None:
    trainer = PopulationTrainer("cartpole", workers=2)

    def groups(*overrides: str) -> int:
        config = compose_config(["task=cartpole", *overrides])
        steps = largest_cost(config, trainer, TrainingLength(1, 1, 1)).control_steps
        return steps // trainer.evaluated_after(TrainingLength(1, 1, 1))[-1]

    assert groups("search.samples=16", "train.seeds=2", "evaluation.seeds=3") == 32
    assert groups("search.samples=4", "search.finalists=3", "search.confirmation_seeds=5") == 15
    assert groups("search.samples=4", "evaluation.seeds=10") == 30
