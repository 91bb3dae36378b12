"""What a run's progress is told with, beside its events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eureka.core.ids import INIT_ID

if TYPE_CHECKING:
    from eureka.store import RunStore


@dataclass(frozen=True)
class View:
    """A search, or with `generations` 0 trainings without one.

    Args:
        title: the task's name, or what is trained.
        unit: the task metric's.
        store: the run, of which some may be done already.
        proposer: the name of who is asked.
        generations, samples: of the search.
        trainings: policies that every candidate is trained to.
        confirmations: policies that the finalists are trained to at the end, all together.
        spending: says what a generation's answers cost; None where they cost nothing.
        has_metric: whether a training gives a score; else a person does later.
    """

    title: str
    unit: str
    store: RunStore
    proposer: str = ""
    generations: int = 0
    samples: int = 0
    trainings: int = 1
    confirmations: int = 0
    spending: Callable[[int], str] | None = None
    has_metric: bool = True

    def called(self, candidate: str) -> str:
        """A candidate's id, or what the reward is called that the search started from: `your reward`."""
        # The store and the prompts come with this, which `eureka --help` has no time for.
        from eureka.search.start import label

        return label(self.store.facts()) if candidate == INIT_ID else candidate
