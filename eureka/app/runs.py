"""A run from its start to its end, and what a finished one gave."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eureka.app.build import resume_command
from eureka.app.comparing import best_reward, comparison_lines
from eureka.app.configs import from_yaml
from eureka.app.preparing import search_session
from eureka.config import RunConfig, to_yaml
from eureka.core.types import Feedback
from eureka.evaluation import Comparison, read_comparison
from eureka.proposers.keys import Key
from eureka.store import RunStore, require_free
from eureka.ui.console import interrupted
from eureka.ui.web.review.reviewer import leave_answers


@dataclass(frozen=True)
class FinishedRun:
    """A finished run, as `evolve` gives it.

    Attributes:
        folder: the run folder, for `eureka evaluate`, `eureka export` and the other commands.
        task: the task's name.
        best: the id of the best candidate, such as `g02-c05`.
        comparison: the best reward against the human-written one and the bare metric, every figure of it; None where
            the run was made with `evaluation.seeds=0`.
    """

    folder: Path
    task: str
    best: str
    comparison: Comparison | None

    @property
    def reward_path(self) -> Path:
        """The best reward as a module that needs nothing but torch."""
        return self.folder / "best" / "reward.py"

    @property
    def reward(self) -> str:
        """The text of that module."""
        return self.reward_path.read_text(encoding="utf-8")

    @property
    def policy_path(self) -> Path:
        """The best reward's policy of the search, to be loaded with `weights_only=True`."""
        return self.folder / "best" / "policy.pt"

    @property
    def table(self) -> str:
        """The comparison as text, as `eureka run` prints it; empty where none was made."""
        return "\n".join(comparison_lines(self.comparison)) if self.comparison else ""

    def __str__(self) -> str:
        found = f"best reward: {self.best}, as a module: {self.reward_path}"
        return f"{self.table}\n\n{found}" if self.comparison else found

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def search_in(
    folder: Path,
    config: RunConfig,
    task_dirs: Sequence[Path],
    environment: Mapping[str, str],
    keys: Mapping[str, Key],
    *,
    watch: bool = False,
    answers: Sequence[Feedback] = (),
) -> FinishedRun:
    """Start a run in `folder`, which must be free, and see it through; with `watch` its page is served beside it.

    Args:
        answers: what a person says about its generations, written down beforehand.

    Raises:
        EurekaError: it cannot start, or broke off.
        KeyboardInterrupt: it was interrupted; how it goes on has been said.
    """
    require_free(folder)
    with search_session(config, task_dirs, environment, keys) as session:
        session.require_judge(has_answers=bool(answers))
        try:
            with RunStore.create(folder, to_yaml(config), session.facts()) as store:
                leave_answers(folder, answers)
                session.search(store, watch=watch)
        except KeyboardInterrupt:
            interrupted(resume_command(folder, config, task_dirs, environment))
            raise
    return read_run(folder)


def read_run(folder: Path) -> FinishedRun:
    """What a run that has a best reward gave.

    Raises:
        StoreError: not a run folder, or one without a usable reward.
    """
    with RunStore.open(folder, read_only=True) as store:
        task = from_yaml(store.config_yaml).environment_name
        return FinishedRun(folder, task, best_reward(store).candidate_id, read_comparison(folder))
