"""Renders pictures of a policy in its task's physics, with the OpenGL that MUJOCO_GL names."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from eureka.core.errors import VideoError
from eureka.core.pictures import Look, RenderedFrame
from eureka.reward.graph.runtime import compile_graph
from eureka.tasks import Task
from eureka.tasks.base import state_tensors
from eureka.trainers.population.policy import Policies, load_policy
from eureka.trainers.population.scene import Scene, SceneState
from eureka.trainers.population.worlds import Worlds

COMMANDS = ("command", "target")
"""Prefixes of State fields that hold the command of a policy, which an overlay shows."""


def render(task: Task, data: bytes, look: Look, graph: str) -> Iterator[RenderedFrame]:
    """Yield pictures of the episodes of a policy, see `Trainer.render`.

    Args:
        data: the bytes of a `policy.pt`.
    """
    worlds = _worlds(task, look)
    policy = _policy(task, data, worlds.observation.shape[1])
    reward = compile_graph(graph) if graph else None
    every = look.steps_between(task.control_timestep_s)
    shown = look.steps_shown(task.control_timestep_s, task.info.max_episode_steps)
    world = typical_world(task, policy, look)
    with Scene(task, look) as scene:
        for number in range(look.episodes):
            if number:
                worlds.restart(torch.ones(look.typical, dtype=torch.bool))
            yield RenderedFrame(scene.draw(SceneState.one_of(worlds, world)), 0)
            values: list[float] = []
            rewards: list[float] = []
            ended = ""
            while not ended:
                step = worlds.step(policy(worlds.observation[None])[0])
                state = {name: value[world : world + 1] for name, value in state_tensors(step.state).items()}
                values.append(float(task.metric.value(step.state)[world]))
                if reward is not None:
                    rewards.append(float(reward(state)[0]))
                ended = "cut" if len(values) >= shown else ""
                ended = "terminated" if step.terminated[world] else "time limit" if step.truncated[world] else ended
                if ended or len(values) % every == 0:
                    lines = [f"reward {rewards[-1]:.3g}, sum {sum(rewards):.4g}"] if rewards else []
                    lines += [f"{name} {_row(value[0])}" for name, value in state.items() if name.startswith(COMMANDS)]
                    metric = task.metric.of_episode(torch.tensor(values))
                    drawn = scene.draw(SceneState.one_of(worlds, world))
                    yield RenderedFrame(drawn, len(values), ended, metric, tuple(lines))


def _worlds(task: Task, look: Look) -> Worlds:
    return Worlds(task, [torch.Generator().manual_seed(look.seed)], look.typical, desynchronise=False)


def typical_world(task: Task, policy: Policies, look: Look) -> int:
    """The index, among `look.typical` worlds, of the one whose first episode has the median task metric; simulated
    without rendering.
    """
    if look.typical == 1:
        return 0
    worlds, limit = _worlds(task, look), task.info.max_episode_steps
    values: list[torch.Tensor] = []
    length = torch.zeros(look.typical, dtype=torch.int64)
    while not bool(length.all()):
        step = worlds.step(policy(worlds.observation[None])[0])
        values.append(task.metric.value(step.state).double())
        length[(step.terminated | step.truncated) & (length == 0)] = len(values)
    scores = [
        task.metric.of_episode(torch.stack(values)[:steps, world], limit) for world, steps in enumerate(length.tolist())
    ]
    return sorted(range(look.typical), key=lambda world: (math.isnan(scores[world]), scores[world]))[look.typical // 2]


def _row(value: torch.Tensor) -> str:
    """The values of one State field of one world as text."""
    return " ".join(f"{number:.2f}" for number in value.double().flatten().tolist())


def _policy(task: Task, data: bytes, num_observations: int) -> Policies:
    """Load a policy; raises VideoError if its sizes are not those of the task."""
    policy = load_policy(data)
    sizes = (num_observations, task.num_actions)
    if (policy.network.sizes[0], policy.network.sizes[-1]) != sizes:
        raise VideoError(
            f"the policy takes {policy.network.sizes[0]} numbers and gives {policy.network.sizes[-1]}, where task "
            f"`{task.info.name}` has {sizes[0]} observations and {sizes[1]} actions: was the task changed?"
        )
    return policy
