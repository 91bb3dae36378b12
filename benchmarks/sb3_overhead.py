"""What a reward graph and its bookkeeping cost over Stable-Baselines3 alone with the environment's own reward.

    python benchmarks/sb3_overhead.py [--steps 8192] [--rounds 5]

Both train the same environments with the same PPO in one process, in turns; seconds are of this process's CPU time, so
that other programs on the machine matter less. The graph reads every number of the State and has four components.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

import gymnasium
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka.trainers.gymnasium.algorithms import make_algorithm
from eureka.trainers.gymnasium.environment import EnvironmentMaker
from eureka.trainers.gymnasium.recipe import EnvironmentRecipe
from eureka.trainers.gymnasium.rewarding import RewardedVecEnv, RewardMeter
from eureka.trainers.gymnasium.settings import DEFAULTS, AlgorithmSettings
from eureka.trainers.gymnasium.training import make_vec_env

ENVIRONMENTS = ("LunarLanderContinuous-v3", "Pendulum-v1")


def graph_of(maker: EnvironmentMaker) -> str:
    """The sum of tanh of every scalar of the State in four components."""
    names = [each.name for each in maker.reader.fields if each.shape == ()]
    nodes: list[dict[str, Any]] = [{"op": "tanh", "args": [{"input": name}]} for name in names]
    parts = []
    for start in range(min(4, len(names))):
        total: Any = {"node": start}
        for index in range(start + 4, len(names), 4):
            nodes.append({"op": "add.Tensor", "args": [total, {"node": index}]})
            total = {"node": len(nodes) - 1}
        parts.append(total)
    whole = parts[0]
    for part in parts[1:]:
        nodes.append({"op": "add.Tensor", "args": [whole, part]})
        whole = {"node": len(nodes) - 1}
    components = [{"name": f"part_{number}", "value": part} for number, part in enumerate(parts)]
    graph = {"version": 1, "inputs": names, "constants": {}, "nodes": nodes, "total": whole, "components": components}
    return json.dumps(graph)


def seconds_alone(name: str, steps: int) -> float:
    """Stable-Baselines3 by itself."""
    arguments = {key: value for key, value in DEFAULTS["ppo"].items() if key != "n_envs"}
    env = DummyVecEnv([lambda: gymnasium.make(name)] * DEFAULTS["ppo"]["n_envs"])
    model = PPO("MlpPolicy", env, seed=0, device="cpu", **arguments)
    started = time.process_time()
    model.learn(steps)
    return time.process_time() - started


def seconds_ours(maker: EnvironmentMaker, graph: str, steps: int) -> float:
    """The same with the graph, its statistics and the metric, without evaluations."""
    defaults = dict(DEFAULTS["ppo"])
    settings = AlgorithmSettings("ppo", defaults.pop("n_envs"), json.dumps(defaults))
    meter = RewardMeter(graph, maker.reader, settings.num_envs)
    env = RewardedVecEnv(make_vec_env(maker, settings.num_envs), meter)
    model = make_algorithm(settings, env, 0, steps)
    rows = settings.rows(steps)
    started = time.process_time()
    for _ in range(steps // rows):
        model.learn(rows, reset_num_timesteps=False)
        meter.end_rollout()
    return time.process_time() - started


def main() -> None:
    """Print a line for each environment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in ENVIRONMENTS:
        maker = EnvironmentMaker(EnvironmentRecipe(name))
        graph = graph_of(maker)
        pairs = [
            (seconds_alone(name, given.steps), seconds_ours(maker, graph, given.steps)) for _ in range(given.rounds)
        ]
        ratios = [ours / alone for alone, ours in pairs]
        alone, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(
            f"{name}: {given.steps / alone:,.0f} steps/s of CPU alone, {given.steps / ours:,.0f} with the graph; "
            f"{statistics.median(ratios) - 1:+.0%} ({min(ratios) - 1:+.0%} to {max(ratios) - 1:+.0%})"
        )


if __name__ == "__main__":
    main()
