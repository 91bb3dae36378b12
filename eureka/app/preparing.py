"""Prepares everything that a search needs, before anything is asked or written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from eureka.app.build import (
    judged_by_preferences,
    make_proposer,
    training_length,
    within_capabilities,
)
from eureka.app.comparing import make_comparer
from eureka.app.estimate import first_prompt, largest_cost, training_seeds
from eureka.app.session import SearchSession
from eureka.config import RunConfig
from eureka.core.costs import Spent
from eureka.proposers.keys import Key
from eureka.proposers.models import ModelAccess, known_endpoints, make_ledger
from eureka.proposers.provider import ModelConfig
from eureka.proposers.spending import spent_before
from eureka.reward.analysis.confined import LIMITS, PRELOAD, Examiner
from eureka.reward.trace.service import RewardVerifier
from eureka.sandbox import Sandbox
from eureka.search.read_start import read_start, require_usable
from eureka.search.start import Start, recorded_start
from eureka.search.warm_start import read_warm_start
from eureka.store import RunStore
from eureka.trainers.base import Trainer
from eureka.trainers.registry import make_trainer
from eureka.ui.console import say
from eureka.ui.tracking import require_trackers


@contextmanager
def search_session(
    config: RunConfig,
    task_dirs: Sequence[Path],
    environment: Mapping[str, str],
    keys: Mapping[str, Key] = MappingProxyType({}),
    resumed: RunStore | None = None,
) -> Iterator[SearchSession]:
    """Load the task, start the sandbox and record transitions: all that can fail before anything is asked or written.

    Args:
        keys: API keys of the language models, by provider; never written to the run folder or passed to child
            processes.
        resumed: the run to resume; its spending so far counts towards the caps.

    Raises:
        EurekaError: the task, the machine or the proposer cannot be used.
    """
    require_trackers(config)
    with closing(make_trainer(config, task_dirs, environment)) as trainer:
        yield from _session(config, trainer, task_dirs, environment, keys, resumed)


def _session(
    config: RunConfig,
    trainer: Trainer,
    task_dirs: Sequence[Path],
    environment: Mapping[str, str],
    keys: Mapping[str, Key],
    resumed: RunStore | None,
) -> Iterator[SearchSession]:
    spec = trainer.spec
    if not spec.has_metric:
        config = judged_by_preferences(config)
    config, limits = within_capabilities(config, trainer)
    length = training_length(config, trainer)
    seeds = training_seeds(config, trainer, length, first_prompt(config, spec, length.steps, trainer.record()))
    if seeds > 1 and config.train.seeds is None:
        limits = (*limits, f"every candidate is trained with {seeds} seeds, in about the time that answers take")
    config = replace(config, train=replace(config.train, seeds=seeds))
    largest_cost(config, trainer, length)
    warm_start = read_warm_start(config.train.init, trainer, resumed.folder if resumed else None)
    ledger = None
    if isinstance(config.llm, ModelConfig):
        ledger = make_ledger(config.llm, spent_before(resumed, config.llm) if resumed else Spent())
    own_urls = frozenset(url for urls in known_endpoints(config.llm, environment).values() for url in urls)
    proposer = make_proposer(config, ModelAccess(keys, ledger, say, own_urls) if ledger else None)
    with Sandbox(preload=PRELOAD, limits=LIMITS, mode=config.sandbox.value) as sandbox:
        state = trainer.record().state
        verifier = RewardVerifier(spec.fields, state, sandbox, trainer.can.reward_rows)
        examiner = Examiner(sandbox, state)
        comparer = None
        if config.evaluation.seeds:
            comparer = make_comparer(config, trainer, environment, examiner)
        yield SearchSession(
            config=config,
            task_dirs=tuple(task_dirs),
            trainer=trainer,
            length=length,
            proposer=proposer,
            verifier=verifier,
            examiner=examiner,
            layers=sandbox.layers,
            environment=environment,
            comparer=comparer,
            ledger=ledger,
            start=_start(config, trainer, verifier, resumed),
            warm_start=warm_start,
            limits=limits,
        )


def _start(config: RunConfig, trainer: Trainer, verifier: RewardVerifier, resumed: RunStore | None) -> Start | None:
    """The reward that the search starts from; for a resumed run, the stored one, even if the file has changed."""
    if resumed is not None:
        return recorded_start(resumed.facts())
    if config.search.init is None:
        return None
    start = read_start(config.search.init, trainer.spec, trainer.human_graph)
    require_usable(start, trainer.spec, verifier)
    return start
