"""The benchmark's arithmetic and tables by hand, its trainers for two updates, and the form of what is committed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import bench as bench_script  # noqa: E402
import bench_data as data  # noqa: E402
import training_profile  # noqa: E402
from peers import measuring, own, setups, worlds_env  # noqa: E402
from peers.one_world import AntWorld, save_model  # noqa: E402
from search_study_data import Hardware  # noqa: E402

from eureka.tasks import load_task  # noqa: E402
from eureka.tasks.ppo import PPOConfig  # noqa: E402

PPO = PPOConfig(hidden=(8,), activation="relu", horizon=4, epochs=1, minibatches=2)
SETTINGS = data.Settings(2, 12.0, 64, 32, (64, 64), (8, 16), 400_000, 2)
BENCH = data.Bench(
    version=data.VERSION,
    settings=SETTINGS,
    hardware=Hardware("x86_64", "a CPU", 2),
    versions={"torch": "2.13.0"},
    took_s=1500.0,
    training=(
        data.Row("own", "bare physics", (40_000.0, 50_000.0), 0.0, 0),
        data.Row("own", "population of 16", (20_000.0, 40_000.0), 10.0, 16),
        data.Row("own", "a process for each", (10_000.0, 10_000.0), 5.0, 1),
        data.Row("stock", "another", (5_000.0, 5_000.0), 5.0, 1),
    ),
    stepping=(data.Row("stock", "somebody", (1_000.0, 3_000.0), 0.0, 0),),
    profiles=(data.Profile("own", {"physics": 0.6, "other": 0.4}),),
    missing=("EnvPool is not installed: no row for it.",),
)


def test_rates_are_over_the_time_that_all_ran_warm() -> None:
    # Warm after the second update: at 3 s and at 4 s. The first ends at 9 s, the second at 8 s: 4 s to 8 s is common.
    first = measuring.Series([1.0, 2.0, 3.0, 5.0, 9.0], [0, 10, 20, 40, 80])
    second = measuring.Series([2.0, 3.0, 4.0, 8.0], [0, 100, 200, 600])
    # The first makes 10 a second all along, the second 100.
    assert measuring.rate([first, second]) == pytest.approx(110.0)
    with pytest.raises(SystemExit, match="give more seconds"):
        measuring.rate([first, measuring.Series([8.0, 8.5, 9.0], [0, 1, 2])])


def test_a_sampler_stops_some_time_after_its_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 20.0, 20.5, 21.0, 21.5])
    monkeypatch.setattr(measuring.time, "monotonic", lambda: next(clock))
    said: list[str] = []
    sampler = measuring.Sampler(1.0, said.append)
    assert [sampler.update(steps) for steps in (0, 5, 10, 15, 20)] == [True, True, True, True, False]
    assert said[1] == '{"t": 10.0, "steps": 5}'


def test_what_is_extrapolated() -> None:
    bare, population, single, _ = BENCH.training
    # 16 x 400,000 steps at the median of 30,000 a second, after 10 s.
    assert data.training_s(population, SETTINGS, 16) == pytest.approx(10 + 6_400_000 / 30_000)
    # Eight times two processes, each time 5 s and 800,000 steps at 10,000 a second.
    assert data.training_s(single, SETTINGS, 16) == pytest.approx(8 * (5 + 80))
    assert bare.groups == 0


def test_the_tables() -> None:
    lines = data.bench_lines(BENCH)
    assert lines[0] == "**Training Ants: the task's own step**"
    # Ratios are taken within a round: 20/40 and 40/50, 20/10 and 40/10.
    assert lines[4] == "| bare physics | 45,000 | - | - | - |"
    assert lines[5] == "| population of 16 | 30,000 | 0.65 (0.50 to 0.80) | - | 3.7 min |"
    assert lines[6] == "| a process for each | 10,000 | 0.23 (0.20 to 0.25) | 3.00 (2.00 to 4.00) | 11.3 min, 3.04 x |"
    # Under the stock physics there is no population of ours: it is compared under the task's own step.
    assert lines[12] == "| another | 5,000 | - | 6.00 (4.00 to 8.00) | 22.0 min, 5.91 x |"
    assert "| somebody | 2,000 | 1,000 to 3,000 |" in lines
    assert "| the task's own step | 60% | 40% |" in lines
    assert "EnvPool is not installed: no row for it." in lines
    assert "2 cores, a CPU; torch 2.13.0. `make bench`, 25 min" in lines[-2]


def test_it_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    assert data.read_bench(path) is None
    data.write_bench(BENCH, path.parent)
    assert data.read_bench(path) == BENCH


def test_the_committed_figures_have_this_form() -> None:
    found = data.read_bench()
    if found is not None:
        assert found.version == data.VERSION
        assert all(len(row.rates) == found.settings.rounds for row in (*found.training, *found.stepping))
        assert all(sum(one.shares.values()) == pytest.approx(1.0) for one in found.profiles)


def test_rounds_alternate() -> None:
    asked: list[str] = []

    def contestant(name: str) -> bench_script.Contestant:
        def measure() -> measuring.Measured:
            asked.append(name)
            return measuring.Measured(float(len(asked)), 1.0)

        return bench_script.Contestant("own", name, 1, measure)

    rows = bench_script.measure([contestant("a"), contestant("b")], 3)
    assert asked == ["a", "b", "b", "a", "a", "b"]
    assert rows[0].rates == (1.0, 4.0, 5.0)
    assert rows[1].rates == (2.0, 3.0, 6.0)


def test_every_setting_of_the_physics_is_measured() -> None:
    found = bench_script.contestants(SETTINGS, PPO)
    assert {one.physics for one in found} == set(setups.PHYSICS) == set(setups.NAMES)
    assert sum("population of" in one.name for one in found) == 4


@pytest.mark.process
def test_one_process_says_how_fast_it_trains() -> None:
    training = measuring.Training("own", 0.1, 4, 0, PPO)
    found = measuring.at_once("own", [training])
    assert found.steps_per_second > 0
    assert found.start_s > 0
    with pytest.raises(SystemExit, match=r"peers\.measuring ended with status 0"):
        measuring.at_once("measuring", [training])  # a process that says nothing


@pytest.mark.process
def test_the_population_says_how_fast_it_trains() -> None:
    assert own.population(measuring.Training("own", 0.1, 4, 0, PPO), 2, 1).steps_per_second > 0


def test_a_world_alone_moves_and_is_rewarded_as_those_of_the_simulator(tmp_path: Path) -> None:
    """From the same state under the same actions: the same observations, ends and rewards."""
    task = load_task("ant")
    save_model(task.model, tmp_path / "ant.mjb")
    alone = AntWorld(tmp_path / "ant.mjb", task.info.physics.substeps, 1000)
    alone.reset(seed=0)
    worlds = worlds_env.with_graph(task, 1, 0)
    sim = worlds._worlds.sim
    alone._data.qpos[:], alone._data.qvel[:] = sim.qpos[0].numpy(), sim.qvel[0].numpy()
    generator = torch.Generator().manual_seed(0)
    for _ in range(30):
        action = torch.rand(1, 8, generator=generator) * 2 - 1
        observation, reward, terminated, _, _ = alone.step(action[0].numpy())
        made = worlds.step(action)
        assert observation == pytest.approx(made.final_observation[0].numpy(), abs=1e-4)
        assert reward == pytest.approx(float(made.reward), abs=1e-4)
        assert terminated == bool(made.terminated)
        if terminated or made.truncated:
            break


@pytest.mark.process
def test_a_profile_has_every_kind_of_work_and_adds_up() -> None:
    shares = training_profile.profile("own", 1, 0.2, num_envs=8)
    assert set(shares) == set(training_profile.KINDS)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["physics"] > 0.05
    assert shares["update"] > 0.05
    # What was timed is as it was.
    assert training_profile.MujocoC.step.__qualname__ == "MujocoC.step"


def test_seconds_of_what_is_called_inside_are_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(training_profile.time, "perf_counter", lambda: now[0])

    def spend(seconds: float) -> None:
        now[0] += seconds

    watch = training_profile.Stopwatch()
    physics = watch.timed("physics", lambda: spend(3.0))
    policy = watch.timed("policy", lambda: spend(2.0))

    def update() -> None:
        spend(1.0)
        policy()

    watch.timed("update", update)()
    watch.timed("task", lambda: (spend(0.5), physics()))()
    policy()
    spend(0.25)
    watch.reset()
    assert not watch.seconds
    watch.timed("update", update)()
    physics()
    spend(0.25)
    watch.timed("other", lambda: None)()
    assert watch.seconds == {"update": 3.0, "physics": 3.0, "other": 0.25}


def test_streams_of_the_peers_worlds_are_the_seeds() -> None:
    task = load_task("cartpole")
    seen = [worlds_env.with_human_reward(task, 4, seed).observation for seed in (0, 0, 1)]
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])
