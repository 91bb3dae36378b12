"""Where does a second of training go? One worker's share of a population of Ant candidates, timed from inside.

    python benchmarks/training_profile.py [--groups 4] [--seconds 10]

Every function of a kind is timed; what it calls of another kind is taken off. `physics`: MuJoCo, resets included.
`policy`: actions of the policies. `task`: the task's own functions, State and observations. `reward`: the reward graphs
and the statistics of their components. `update`: values, advantages and PPO's gradient steps. `other`: the rest, above
all the bookkeeping of rollouts.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import torch
from peers.setups import NAMES, PHYSICS, ant
from training import GRAPH

from eureka.physics import MujocoC
from eureka.trainers.population import population as population_module
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.networks import StackedMLP
from eureka.trainers.population.population import Population

KINDS = ("physics", "policy", "task", "reward", "update", "other")
_WARM_UP = 2


class Stopwatch:
    """Seconds by kind. Time of a kind that is called inside an `update` counts for the update."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._kinds = ["other"]
        self._since = time.perf_counter()

    def _turn(self) -> None:
        now = time.perf_counter()
        self.seconds[self._kinds[-1]] += now - self._since
        self._since = now

    def timed(self, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, its time counted as `kind`."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._turn()
            self._kinds.append("update" if self._kinds[-1] == "update" else kind)
            try:
                return function(*args, **kwargs)
            finally:
                self._turn()
                self._kinds.pop()

        return timed

    def reset(self) -> None:
        """Begin anew."""
        self._turn()
        self.seconds.clear()


@contextmanager
def watched(task: Any, watch: Stopwatch) -> Iterator[None]:
    """Time the functions of every kind."""
    parts: list[tuple[Any, str, str]] = [
        *((MujocoC, name, "physics") for name in ("step", "reset", "scale_model", "select")),
        (StackedMLP, "forward", "policy"),
        *((type(task), name, "task") for name in ("advance", "read_state", "observe", "terminated")),
        (Population, "_reward", "reward"),
        (population_module, "prepare", "update"),
        (population_module, "update", "update"),
    ]
    with ExitStack() as stack:
        for owner, name, kind in parts:
            stack.enter_context(mock.patch.object(owner, name, watch.timed(kind, getattr(owner, name))))
        yield


def profile(physics: str, groups: int, seconds: float, num_envs: int | None = None) -> Mapping[str, float]:
    """The share of each of `KINDS` in the time of training; they add up to 1."""
    torch.set_num_threads(1)
    watch = Stopwatch()
    with ant(physics) as task, watched(task, watch):
        schedule = Schedule(num_envs or task.info.num_envs, 1_000_000_000, 1, 1, task.info.ppo)
        jobs = [GroupJob(f"g01-c{k + 1:02d}", GRAPH, k, schedule) for k in range(groups)]
        population = Population(task, jobs)
        for _ in range(_WARM_UP):
            population.advance()
        watch.reset()
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            population.advance()
        watch.timed("other", lambda: None)()
    whole = sum(watch.seconds.values())
    return {kind: watch.seconds[kind] / whole for kind in KINDS}


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    print(f"{'':40}" + "".join(f"{kind:>9}" for kind in KINDS))
    for physics in PHYSICS:
        shares = profile(physics, options.groups, options.seconds)
        print(f"{NAMES[physics]:40}" + "".join(f"{shares[kind]:>9.0%}" for kind in KINDS))


if __name__ == "__main__":
    main()
