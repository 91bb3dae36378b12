"""Raw stepping of the stock Ant-v5 (RK4, 5 substeps of 0.01 s) with random actions, no learning: who is how fast?"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from training import bare

from peers.setups import ant_folder

NUM_ENVS = 16
"""Number of environments in each Gymnasium vector environment."""
_BATCH_ENVS = 256
_WARM_UP = 5


def ours(workers: int, seconds: float) -> float:
    """Control steps a second of MuJoCo's batch, as our simulator uses it, in `workers` processes; no resets."""
    with ant_folder("stock") as folder:
        steps = max(10, round(seconds * 5000 / _BATCH_ENVS))  # about 5,000 per second and core
        return bare(folder, folder.name, workers, _BATCH_ENVS, steps)


def _stepping(env: Any, seconds: float) -> float:
    """Control steps a second of a vector environment."""
    env.reset(seed=0)
    action = env.action_space.sample()
    for _ in range(_WARM_UP):
        env.step(action)
    started, steps = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        env.step(action)
        steps += env.num_envs
    rate = steps / (time.perf_counter() - started)
    env.close()
    return rate


def _sync(seconds: float) -> float:
    return _stepping(SyncVectorEnv([partial(gymnasium.make, "Ant-v5")] * NUM_ENVS), seconds)


def gymnasium_sync(workers: int, seconds: float) -> float:
    """`SyncVectorEnv`, one in each of `workers` processes."""
    with ProcessPoolExecutor(workers) as pool:
        return sum(pool.map(_sync, [seconds] * workers))


def gymnasium_async(workers: int, seconds: float) -> float:
    """One `AsyncVectorEnv`, with a process for each environment."""
    del workers
    return _stepping(AsyncVectorEnv([partial(gymnasium.make, "Ant-v5")] * NUM_ENVS), seconds)


def why_no_envpool() -> str:
    """Why EnvPool cannot be measured here; empty if it can."""
    if importlib.util.find_spec("envpool") is None:
        return "EnvPool is not installed"
    return ""


def envpool(workers: int, seconds: float) -> float:
    """EnvPool, its own threads; resets and contact observations included, as in Gymnasium."""
    import envpool as pool

    env = pool.make("Ant-v5", env_type="gymnasium", num_envs=_BATCH_ENVS, num_threads=workers)
    env.reset()
    low, high = env.action_space.low, env.action_space.high
    action = np.random.default_rng(0).uniform(low, high, (_BATCH_ENVS, *low.shape))
    for _ in range(_WARM_UP):
        env.step(action)
    started, steps = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        env.step(action)
        steps += _BATCH_ENVS
    return steps / (time.perf_counter() - started)


def contestants() -> dict[str, Callable[[int, float], float]]:
    """By the name in the table; each takes the number of cores and seconds."""
    found: dict[str, Callable[[int, float], float]] = {
        f"MuJoCo's batch, as here, {_BATCH_ENVS} worlds a core": ours,
        f"Gymnasium SyncVectorEnv, {NUM_ENVS} environments a core": gymnasium_sync,
        f"Gymnasium AsyncVectorEnv, {NUM_ENVS} environments": gymnasium_async,
    }
    if not why_no_envpool():
        found[f"EnvPool {version('envpool')}, {_BATCH_ENVS} environments"] = envpool
    return found
