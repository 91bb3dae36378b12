"""Rewards of a run as standalone modules, with where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eureka.comparing import best_reward
from eureka.config import from_yaml
from eureka.errors import StoreError
from eureka.export import export_reward
from eureka.search.outcomes import outcomes
from eureka.search.start import label
from eureka.store import RunStore
from eureka.tasks import Task, load_task
from eureka.types import INIT_ID, Reward
from eureka.wiring import recorded_task_dirs


def reward_module(store: RunStore, task: Task, reward: Reward) -> str:
    """The text of the standalone module of one reward, with where it came from."""
    facts = store.facts()
    score = next(outcome.score for outcome in outcomes(store) if outcome.candidate.id == reward.candidate_id)
    provenance = {
        "Sentence": task.info.description,
        "Score": f"{score:.4g} {task.metric.unit} ({task.metric.description}) in the search's own evaluation",
        "Proposer": facts["proposer"] if reward.candidate_id != INIT_ID else f"a person, {label(facts)}",
        "Had metric access": facts["had metric access"],
        "Written by": f"eureka {facts['eureka']}",
    }
    if "unsafe" in facts:
        provenance["UNSAFE"] = facts["unsafe"]
    return export_reward(
        graph=reward.graph,
        task=task.info.name,
        candidate_id=reward.candidate_id,
        fields=task.fields,
        provenance=provenance,
    )


def export_run(store: RunStore, candidate: str | None, task_dirs: Sequence[Path]) -> str:
    """The standalone module of a run's best reward, or of another candidate's.

    Raises:
        StoreError: no reward is there yet, or the run has no verified reward of that id.
    """
    config = from_yaml(store.config_yaml)
    task = load_task(config.task, [*recorded_task_dirs(store), *task_dirs])
    if candidate is None:
        return reward_module(store, task, best_reward(store))
    rewards = {outcome.candidate.id for outcome in outcomes(store)}
    if candidate not in rewards:
        raise StoreError(f"{store.folder}: no trained reward {candidate}; there are {', '.join(sorted(rewards))}")
    return reward_module(store, task, next(r for r in store.rewards() if r.candidate_id == candidate))
