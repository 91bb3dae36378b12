"""Predicts the memory that trainings need, and reads how much is available.

The prediction includes a worker's process with its libraries and the largest of its rewards, which it computes one
after the other on all rows of a rollout (T * N of them), and for every group these rows, the memory of its update, and
N worlds. It is linear in groups, worlds and horizon.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.core.errors import TrainingError
from eureka.reward.graph.footprint import bytes_per_row
from eureka.tasks import Task
from eureka.tasks.ppo import PPOConfig
from eureka.trainers.population.group import Schedule
from eureka.trainers.population.policy import policy_network

_FLOAT = 4
_MIB = 1 << 20
# Measured: a worker with torch, MuJoCo and our own modules loaded and one engine made, without any group.
_PROCESS = 270 * _MIB
# Measured: the engine's memory for one world, and the start states drawn in advance for it.
_WORLD = 6 * 1024


@dataclass(frozen=True)
class MemoryNeed:
    """Peak memory of trainings in bytes: `workers` processes of `process` each, and `num_groups` of `group`."""

    workers: int
    process: int
    group: int
    num_groups: int

    @property
    def total(self) -> int:
        """The sum in bytes."""
        return self.workers * self.process + self.groups

    @property
    def groups(self) -> int:
        """The memory of all groups in bytes."""
        return self.num_groups * self.group


def memory_need(
    task: Task, schedule: Schedule, num_groups: int, workers: int, graphs: Collection[str] = ()
) -> MemoryNeed:
    """The memory needed to train `num_groups` groups at once, distributed over `workers` processes.

    Args:
        graphs: the groups' rewards, as far as they are known.
    """
    rows = schedule.num_envs * schedule.ppo.horizon
    observations = policy_network(task, schedule.ppo).sizes[0]
    group = rows * _floats_per_row(schedule.ppo, observations, task.num_actions) * _FLOAT + schedule.num_envs * _WORLD
    reward = rows * max((bytes_per_row(graph, task.fields) for graph in set(graphs)), default=0)
    return MemoryNeed(min(workers, num_groups), _PROCESS + reward, group, num_groups)


def _floats_per_row(ppo: PPOConfig, observations: int, actions: int) -> int:
    """The peak number of floats in memory per row of a rollout.

    The rollout has each observation twice (raw and normalised), action, mean and noise twice, a few numbers, and the
    State fields that the reward reads: assumed to be as many as the policy observes. The update adds a copy of
    observation and target. Of a minibatch one network at a time keeps its layers, and the gradients of two; before that
    the values are computed for all rows, a layer at a time.
    """
    rollout = 3 * observations + 4 * actions + 4
    batch = observations + 4
    minibatch = (observations + actions + 4 + sum(ppo.hidden) + 2 * max(ppo.hidden)) / ppo.minibatches
    values = 2 * max(ppo.hidden)
    return math.ceil(rollout + batch + max(minibatch, values))


def available_bytes(root: Path = Path("/")) -> int | None:
    """The memory in bytes that this process may still use: of the machine, or of its control group if that is less;
    None: unknown.

    Args:
        root: folder that contains `proc` and `sys`.
    """
    found = [_of_machine(root), *_of_groups(root)]
    known = [number for number in found if number is not None]
    return min(known) if known else None


def _of_machine(root: Path) -> int | None:
    try:
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    text = fields.get("MemAvailable")
    return int(text.split()[0]) * 1024 if text else None


def _of_groups(root: Path) -> list[int]:
    """The remaining memory of the process's control group and of its ancestors, in cgroup version 2, then version 1."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    left = []
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            names = ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        folder = root / names[0]
        # In a container, the path is often that of the host, and the mounted folder itself is the group.
        inner = Path(path.lstrip("/"))
        for part in (inner, *inner.parents):
            found = _left_in(folder / part, *names[1:])
            left += [] if found is None else [found]
    return left


def _left_in(folder: Path, limit_name: str, usage_name: str, reclaimable: str) -> int | None:
    try:
        limit = (folder / limit_name).read_text(encoding="ascii").strip()
        usage = int((folder / usage_name).read_text(encoding="ascii"))
        statistics = (folder / "memory.stat").read_text(encoding="ascii").split()
    except OSError:
        return None
    if limit == "max":
        return None
    # The file cache, which can be dropped, counts as used.
    cached = dict(zip(statistics[::2], statistics[1::2], strict=False)).get(reclaimable, "0")
    return max(0, int(limit) - usage + int(cached))


def fitting_need(need: MemoryNeed, available: int | None) -> MemoryNeed:
    """The part that is trained at a time: everything, or as many groups (and if necessary fewer workers) as fit.

    Raises:
        TrainingError: not even one fits; the message has what is needed, what is available, and what to do.
    """
    if available is None or need.total <= available:
        return need
    workers = min(need.workers, available // (need.process + need.group))
    if workers == 0:
        one = replace(need, workers=1, num_groups=1)
        raise TrainingError(
            f"one training takes about {in_words(one.total)} of memory, and {in_words(available)} are available: give "
            "fewer train.num_envs"
        )
    return replace(need, workers=workers, num_groups=(available - workers * need.process) // need.group)


def memory_line(need: MemoryNeed, available: int | None) -> str:
    """One sentence on memory for the estimate of a run.

    Raises:
        TrainingError: not even one training fits.
    """
    fitting = fitting_need(need, available)
    known = f", of {in_words(available)} that are available" if available is not None else ""
    said = f"memory: about {in_words(need.total)} with {_workers(need)}{known}"
    if fitting == need:
        return said
    return f"{said}: {fitting.num_groups} of {need.num_groups} trainings at a time, with {_workers(fitting)}"


def _workers(need: MemoryNeed) -> str:
    return f"{need.workers} {'worker' if need.workers == 1 else 'workers'}"


def in_words(number: int) -> str:
    """A number of bytes as text, such as `850 MB` or `3.2 GB`."""
    megabytes = number / 1e6
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"
