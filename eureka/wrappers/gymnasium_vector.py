"""Replaces a Gymnasium vector environment's own rewards by exported ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gymnasium.vector import VectorEnv

from eureka.core.paths import Folders
from eureka.tasks.gym_state import CarryReader
from eureka.wrappers.loading import load_reward, load_task_of
from eureka.wrappers.readers import TaskReader
from eureka.wrappers.rewarded import RewardedVector


class VectorRewardWrapper(RewardedVector):
    """Replaces the rewards of a `SyncVectorEnv` by an exported reward module's total, computed for all at once.

        envs = gymnasium.make_vec("Ant-v5", num_envs=8, vectorization_mode="sync")
        envs = VectorRewardWrapper(envs, "best/reward.py")

    `step` adds to `infos`, as Gymnasium lays out the infos of several environments:

        reward_components: {name: (num_envs,) float64}, with masks `_name`
        environment_reward: (num_envs,) float64, with the mask `_environment_reward`
        task_metric: (num_envs,) float64, likewise; of episodes that end also episode_task_metric

    In every autoreset mode the reward of a step is that of its State before the reset. An environment that only
    resets in a step (`NEXT_STEP`) is paid 0 and masked out; where it resets in its last step (`SAME_STEP`), what is
    said of that step is in `infos["final_info"]`, with the rest of its info.

    A wrapper is put around each of the `SyncVectorEnv`'s environments to read their States. An `AsyncVectorEnv` has
    its environments in other processes: put a `RewardWrapper` into each of them, `wrappers=[...]` of `make_vec`.

    Args:
        env: a `SyncVectorEnv`, or wrappers around one.
        reward: as for `RewardWrapper`, as is all that follows.
        task: the task that the module belongs to.
        task_dirs: where else to look for that task: a folder, or several.
        carry: where an environment keeps what the task draws at random.
        keep_compute_reward: leave the environments' own `compute_reward` as it is.

    Raises:
        EurekaError: the module cannot be loaded, or does not fit the environments.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        reward: str | Path,
        *,
        task: str | None = None,
        task_dirs: Folders = (),
        carry: Mapping[str, CarryReader] = MappingProxyType({}),
        keep_compute_reward: bool = False,
    ) -> None:
        module = load_reward(reward)
        loaded = load_task_of(module, task, task_dirs)
        super().__init__(env, module, lambda inner: TaskReader(loaded, inner, carry), keep_compute_reward)
