"""Does a policy keep its score under Gymnasium's own physics? The task trades Gymnasium's RK4 for a cheaper step.

    python benchmarks/gymnasium_physics.py RUN_DIR [--episodes 5]

Runs `best/policy.pt` of a finished run in the Gymnasium environment that `task.yaml` names, with Gymnasium's
integrator and time step and this task's end of episodes, and prints the task metric beside the run's own figure.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import gymnasium
import torch

from eureka.app.comparing import best_reward
from eureka.app.configs import from_yaml
from eureka.store import RunStore
from eureka.tasks import load_task
from eureka.trainers.population.episodes import EpisodeTracker
from eureka.trainers.population.policy import load_policy


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--episodes", type=int, default=5)
    options = parser.parse_args()
    with RunStore.open(options.run, read_only=True) as store:
        task = load_task(from_yaml(store.config_yaml).task)
        best = best_reward(store).candidate_id
        own = max(result.score for result in store.results() if result.candidate_id == best)  # that of the policy
    if task.info.gymnasium_id is None:
        raise SystemExit(f"task {task.info.name} has no Gymnasium environment")
    policy = load_policy((options.run / "best" / "policy.pt").read_bytes())
    env = gymnasium.make(task.info.gymnasium_id).unwrapped
    reader = task.state_from_gym(env)
    scores = []
    for episode in range(options.episodes):
        env.reset(seed=episode)
        state = reader.reset()
        tracker = EpisodeTracker(task.metric, task.info.max_episode_steps, 1, 1)
        total, score, clock = 0.0, None, 0
        for _ in range(task.info.max_episode_steps):
            action = policy(task.observe(state).float()[None])[0, 0].numpy()
            low, high = env.action_space.low, env.action_space.high
            action = (high + low) / 2 + (high - low) / 2 * action
            env.step(action)
            state = reader.step(action)
            value = task.metric.value(state).float()
            total += float(value)
            clock += 1
            ended = bool(task.is_over(state)) or clock == task.info.max_episode_steps
            flag, at = torch.tensor([[ended]]), torch.tensor([[clock]])
            running = tracker.step(value[None], flag, at, torch.zeros_like(at))
            if ended:
                score = float(running) if score is None else score
                if task.metric.reduce != "mean":
                    break
                clock = 0
                env.reset()
                state = reader.reset()
        scores.append(total / task.info.max_episode_steps if task.metric.reduce == "mean" else score)
    mean = sum(scores) / len(scores)
    print(f"{task.info.name}: {mean:.3g} {task.metric.unit} under {task.info.gymnasium_id}'s physics", end=", ")
    print(f"{own:.3g} {task.metric.unit} under the task's own ({options.episodes} episodes)")


if __name__ == "__main__":
    main()
