"""Exports rewards of a run as standalone modules, with their provenance."""

from __future__ import annotations

import keyword
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from eureka.app.build import require_task_dirs
from eureka.app.comparing import best_reward
from eureka.app.configs import from_yaml
from eureka.config import EnvironmentKind, RunConfig, declared_values
from eureka.config.environments import is_file
from eureka.core.errors import ConfigError, StoreError
from eureka.core.ids import INIT_ID
from eureka.core.text import clean
from eureka.core.types import Origin, Reward
from eureka.reward.export import export_reward
from eureka.search.outcomes import outcomes
from eureka.search.start import label
from eureka.store import RunFacts, RunStore


def reward_module(store: RunStore, reward: Reward) -> str:
    """The text of the standalone module of one reward, with its provenance as recorded by the run.

    Raises:
        StoreError: the run has no record of its task.
    """
    facts, sample = store.facts(), next(iter(store.samples()), None)
    needed = ("eureka", "metric", "metric_access", "proposer", "sentence")
    missing = [name.replace("_", " ") for name in needed if not getattr(facts, name)]
    if sample is None or missing:
        raise StoreError(f"{store.folder}: it lacks {', '.join(missing) or 'its samples'}")
    score = next((outcome.score for outcome in outcomes(store) if outcome.candidate.id == reward.candidate_id), None)
    if score is None:
        raise StoreError(f"{store.folder}: {clean(reward.candidate_id, 40)} has no recorded training")
    provenance = {
        "Sentence": facts.sentence,
        "Score": f"{score:.4g} {facts.metric_unit} ({facts.metric}) in the search's own evaluation",
        "Proposer": _written_by(store, reward.candidate_id, facts),
        "Had metric access": facts.metric_access,
        "Written by": f"eureka {facts.eureka}",
    }
    if facts.unsafe:
        provenance["UNSAFE"] = facts.unsafe
    return export_reward(
        graph=reward.graph,
        task=sample.facts.task,
        candidate_id=reward.candidate_id,
        fields=sample.facts.state,
        provenance=provenance,
    )


def _written_by(store: RunStore, name: str, facts: RunFacts) -> str:
    """The author of a reward, and its parent if it was made by changing constants."""
    made_of = {sample.id: sample.parents[0] for sample in store.samples() if sample.origin is Origin.TUNED}
    tuned = ""
    while name in made_of:
        name = made_of.pop(name)
        tuned = tuned or f", with constants tuned from {name}"
    return (facts.proposer if name != INIT_ID else f"a person, {label(facts)}") + tuned


def export_run(store: RunStore, candidate: str | None) -> str:
    """The standalone module of a run's best reward, or of another candidate's; raises as `chosen_reward`."""
    return reward_module(store, chosen_reward(store, candidate))


def chosen_reward(store: RunStore, candidate: str | None) -> Reward:
    """A run's best reward, or another candidate's.

    Raises:
        StoreError: there is no reward yet, or the run has no verified reward of that id.
    """
    if candidate is None:
        return best_reward(store)
    rewards = {outcome.candidate.id for outcome in outcomes(store)}
    if candidate not in rewards:
        raise StoreError(f"{store.folder}: no trained reward {candidate}; there are {', '.join(sorted(rewards))}")
    return next(reward for reward in store.rewards() if reward.candidate_id == candidate)


def export_gymnasium(
    store: RunStore, candidate: str | None, output: Path | None, task_dirs: Sequence[Path], env: str | None = None
) -> tuple[Path, str]:
    """The output path, and the text of one file with a reward, its task's State and wrappers for Gymnasium.

    Args:
        output: path of the file; None: `<task>_gymnasium.py` in the current folder.
        env: the run's `env=`, given again, since code must not be named by a run folder.

    Raises:
        ConfigError: the task folder or the environment's code is not given again, the run's environment is not a
            Gymnasium one, or the file could not be imported.
        EurekaError: the reward or its task is not available.
    """
    config = from_yaml(store.config_yaml)
    name = config.environment_name
    path = output or Path(re.sub(r"\W", "_", f"{name}_gymnasium") + ".py")
    if path.suffix != ".py" or not path.stem.isidentifier() or keyword.iskeyword(path.stem):
        raise ConfigError(f"--output {path}: name it so that Python can import it, such as ant_reward.py")
    if config.kind is EnvironmentKind.GYMNASIUM:
        from eureka.trainers.gymnasium.recipe import recipe_of
        from eureka.trainers.gymnasium.standalone import standalone_file

        _require_given(store, config, env)
        return path, standalone_file(export_run(store, candidate), recipe_of(config), path.stem)
    if config.kind is not EnvironmentKind.TASK:
        raise ConfigError(f"{store.folder}: --to gymnasium is not for environments of {config.kind}")
    from eureka.tasks import load_task
    from eureka.wrappers.single_file import single_file

    require_task_dirs(store, task_dirs)
    return path, single_file(export_run(store, candidate), load_task(name, task_dirs), path.stem)


def _require_given(store: RunStore, config: RunConfig, env: str | None) -> None:
    """Raise ConfigError if the run's environment is code and was not given again."""
    if env is not None and is_file(env):
        env = str(Path(env).expanduser().absolute())
    if env is not None and env != config.env.id:
        raise ConfigError(f"--env {env}: the run's environment is {config.env.id}")
    named = [key for key in declared_values(config) if key.startswith("env.")]
    if env is None and named:
        raise ConfigError(
            f"{store.folder}: its {', '.join(named)} would run code that the run folder names: give --env "
            f"{shlex.quote(str(config.env.id))} if you trust it"
        )
