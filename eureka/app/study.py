"""An ask-and-tell interface to a search, for training elsewhere: `eureka.Study`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import torch

from eureka.app.build import resolve, run_folder
from eureka.app.comparing import best_reward
from eureka.app.configs import compose_config
from eureka.app.exporting import reward_module
from eureka.app.from_python import all_overrides, keys_out_of_the_environment
from eureka.app.own_runs import remember
from eureka.app.preparing import search_session
from eureka.config import FeedbackMode, Films, Halving, RunConfig, to_yaml
from eureka.core.errors import ConfigError
from eureka.core.paths import Folders, path_list
from eureka.core.training import OwnReward, TrainingJob, TrainingLength, TrainingResult
from eureka.core.types import Rejected, Stage
from eureka.proposers.registry import default_proposer
from eureka.reward.export import export_reward
from eureka.reward.graph.runtime import compile_graph
from eureka.search.loop import Search
from eureka.store import RunStore
from eureka.trainers.base import Capabilities, Trainer, TrainingEvent


@dataclass(frozen=True)
class AskedReward:
    """A reward that the caller is asked to train with.

    Attributes:
        id: the candidate's id, such as `g01-c03`.
        seed: seed of the training; the same candidate may be returned with several.
        module: the reward as a module that needs only torch.
        compute: State fields by name, (num_envs, ...) each, to the total (num_envs,) and its components.
    """

    id: str
    seed: int
    module: str = field(repr=False)
    compute: Callable[[Mapping[str, torch.Tensor]], tuple[torch.Tensor, Mapping[str, torch.Tensor]]] = field(repr=False)


class Study:
    """A search step by step: `ask` for a reward, train with it wherever you do, and `tell` its scores.

        study = eureka.Study(env="CartPole-v1", description="balance the pole", search={"generations": 2})
        while (candidate := study.ask()) is not None:
            study.tell(candidate, my_training(candidate.module, candidate.seed))
        print(study.best)

    The environment provides the State, and random transitions that rewards are checked on; it is not used for training
    here. Scores are recorded in a run folder at once, for `eureka report` and `eureka export`.

    Args:
        task: as in `eureka.evolve`, like all other arguments.
        overrides: as on the command line.
        task_dirs: a folder with tasks of your own, or several.
        keys: keys of the configuration.

    Raises:
        ConfigError: a key, a value or a choice that does not exist.
        EurekaError: the search cannot start, or failed.
    """

    def __init__(
        self,
        task: str | None = None,
        overrides: str | Sequence[str] = (),
        *,
        task_dirs: Folders = (),
        **keys: object,
    ) -> None:
        given = all_overrides(task, keys, overrides)
        folders = path_list(task_dirs)
        self._open = ExitStack()
        self._handed: set[tuple[str, int]] = set()
        with ExitStack() as opened, keys_out_of_the_environment() as api_keys:
            config = _external_config(resolve(compose_config(given, folders, default_proposer(api_keys)), os.environ))
            self.folder = opened.enter_context(run_folder(config))
            session = opened.enter_context(search_session(config, folders, os.environ, api_keys))
            opened.callback(session.trainer.close)
            self._trainer = _ExternalTrainer(session.trainer)
            session = replace(session, trainer=self._trainer)
            self._store = opened.enter_context(RunStore.create(self.folder, to_yaml(config), session.facts()))
            remember(self._store, os.environ)
            self._spec = session.spec
            self._search = Search(session.stepwise(self._store))
            self._open = opened.pop_all()

    def ask(self) -> AskedReward | None:
        """The next reward to train with; None when the search is over. This may wait for a language model.

        Raises:
            ConfigError: all rewards that can be trained now were returned before, and none of their scores were
                reported.
            SearchFailed: no reward was usable.
        """
        if self._store.is_finished:
            return None
        with keys_out_of_the_environment():
            try:
                while self._search.step():
                    pass
            except _ScoresMissing as waiting:
                return self._hand_out(waiting.jobs)
        self._store.write_file("best/reward.py", reward_module(self._store, best_reward(self._store)))
        self._store.mark_finished()
        return None

    def _hand_out(self, jobs: Sequence[TrainingJob]) -> AskedReward:
        for job in jobs:
            if (job.candidate_id, job.seed) not in self._handed:
                self._handed.add((job.candidate_id, job.seed))
                return self._asked(job)
        names = ", ".join(f"{job.candidate_id} with seed {job.seed}" for job in jobs)
        raise ConfigError(f"every reward of this step was asked for: tell the scores of {names} first")

    def _asked(self, job: TrainingJob) -> AskedReward:
        assert not isinstance(job.reward, OwnReward)
        module = export_reward(
            graph=job.reward,
            task=self._spec.name,
            candidate_id=job.candidate_id,
            fields=self._spec.fields,
            provenance={"Sentence": self._spec.sentence, "Score": "not trained yet"},
        )
        return AskedReward(job.candidate_id, job.seed, module, compile_graph(job.reward))

    def tell(self, candidate: AskedReward, scores: float | Sequence[float] | None, *, reason: str = "") -> None:
        """Report the result of a training: the metric of each evaluation episode, or one number; None if the training
        failed because of the reward.

        Args:
            reason: why it failed, for the next prompt.

        Raises:
            ConfigError: the candidate was not asked for, or has a result already, or a score is not a finite number.
        """
        key = (candidate.id, candidate.seed)
        if key not in self._handed or key in self._trainer.told:
            raise ConfigError(f"{candidate.id} with seed {candidate.seed} was not asked for, or was told before")
        if scores is None:
            said = reason or "its training failed"
            self._trainer.told[key] = Rejected(candidate.id, Stage.TRAIN, said, said)
            return
        values = tuple(float(score) for score in ([scores] if isinstance(scores, int | float) else scores))
        if not values or not torch.tensor(values).isfinite().all():
            raise ConfigError(f"{candidate.id}: scores must be finite numbers, at least one, and are {scores}")
        self._trainer.told[key] = TrainingResult(candidate_id=candidate.id, seed=candidate.seed, final_scores=values)

    @property
    def best(self) -> str:
        """The best reward so far as a module that needs only torch.

        Raises:
            StoreError: no scores were reported yet.
        """
        return reward_module(self._store, best_reward(self._store))

    def close(self) -> None:
        """Close the run folder, which holds everything recorded."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _external_config(config: RunConfig) -> RunConfig:
    """The config without options for Eureka's own trainers."""
    return replace(
        config,
        search=replace(config.search, feedback=FeedbackMode.off, preflight=False),
        train=replace(config.train, halving=Halving.off, init="scratch"),
        evaluation=replace(config.evaluation, seeds=0),
        report=replace(config.report, films=Films.none),
    )


class _ScoresMissing(Exception):
    """Raised when the search needs scores of these trainings to continue."""

    def __init__(self, jobs: Sequence[TrainingJob]) -> None:
        super().__init__()
        self.jobs = tuple(jobs)


class _ExternalTrainer:
    """A trainer for trainings done elsewhere: its results are the scores that the user reported."""

    can = Capabilities(
        continues=False, starts_from_policies=False, renders=False, repeatable=False, records_trajectories=False
    )
    description = "trained elsewhere: scores are what was told"

    def __init__(self, environment: Trainer) -> None:
        self._environment = environment
        self.told: dict[tuple[str, int], Rejected | TrainingResult] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._environment, name)

    def evaluated_after(self, length: TrainingLength) -> tuple[int, ...]:
        """The one evaluation, at the end of the training."""
        return (length.steps,)

    def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
        """Yield the reported results; raises `_ScoresMissing` if some are missing."""
        del folder
        left = []
        for job in jobs:
            told = self.told.pop((job.candidate_id, job.seed), None)
            if told is None:
                left.append(job)
            else:
                yield told
        if left:
            raise _ScoresMissing(left)
