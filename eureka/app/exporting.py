"""Rewards of a run as standalone modules, with where they came from."""

from __future__ import annotations

from eureka.app.comparing import best_reward
from eureka.core.errors import StoreError
from eureka.core.ids import INIT_ID
from eureka.core.types import Reward
from eureka.reward.export import export_reward
from eureka.search.outcomes import outcomes
from eureka.search.start import label
from eureka.store import RunStore


def reward_module(store: RunStore, reward: Reward) -> str:
    """The text of the standalone module of one reward, with where it came from: all of it as the run has recorded it.

    Raises:
        StoreError: the run has not recorded what the task is.
    """
    facts, sample = store.facts(), next(iter(store.samples()), None)
    missing = {"sentence", "metric", "metric unit", "proposer", "had metric access", "eureka"} - facts.keys()
    if sample is None or missing:
        raise StoreError(f"{store.folder}: it lacks {', '.join(sorted(missing)) or 'its samples'}")
    score = next(outcome.score for outcome in outcomes(store) if outcome.candidate.id == reward.candidate_id)
    provenance = {
        "Sentence": facts["sentence"],
        "Score": f"{score:.4g} {facts['metric unit']} ({facts['metric']}) in the search's own evaluation",
        "Proposer": facts["proposer"] if reward.candidate_id != INIT_ID else f"a person, {label(facts)}",
        "Had metric access": facts["had metric access"],
        "Written by": f"eureka {facts['eureka']}",
    }
    if "unsafe" in facts:
        provenance["UNSAFE"] = facts["unsafe"]
    return export_reward(
        graph=reward.graph,
        task=sample.facts.task,
        candidate_id=reward.candidate_id,
        fields=sample.facts.state,
        provenance=provenance,
    )


def export_run(store: RunStore, candidate: str | None) -> str:
    """The standalone module of a run's best reward, or of another candidate's; raises as `chosen_reward`."""
    return reward_module(store, chosen_reward(store, candidate))


def chosen_reward(store: RunStore, candidate: str | None) -> Reward:
    """A run's best reward, or another candidate's.

    Raises:
        StoreError: no reward is there yet, or the run has no verified reward of that id.
    """
    if candidate is None:
        return best_reward(store)
    rewards = {outcome.candidate.id for outcome in outcomes(store)}
    if candidate not in rewards:
        raise StoreError(f"{store.folder}: no trained reward {candidate}; there are {', '.join(sorted(rewards))}")
    return next(reward for reward in store.rewards() if reward.candidate_id == candidate)
