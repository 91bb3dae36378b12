"""From which policies a generation's trainings start: none, the parent's, or one that a user gives."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from eureka.core.errors import ConfigError, TrainingError
from eureka.core.ids import INIT_ID, generation_of
from eureka.core.types import Policy
from eureka.store import RunStore
from eureka.trainers.base import Trainer

SCRATCH, PARENT = "scratch", "parent"
_KEPT = "init_policy.pt"


@dataclass(frozen=True)
class WarmStart:
    """`given` is a user's policy; else `from_parent` or, by default, from scratch."""

    given: Policy | None = None
    from_parent: bool = False

    def policy_for(self, store: RunStore, candidate_id: str, seeds: Collection[int]) -> Policy | None:
        """What the trainings of a candidate start from.

        The parent is the one that the generation's prompt told of, and its policy that of the best of its trainings
        with `seeds`, so that a run which is stopped and resumed starts from the same. The reward that a search starts
        from has no parent: its generation's prompt tells of itself.
        """
        if self.given is not None:
            return self.given
        has_parent = self.from_parent and candidate_id != INIT_ID
        prompt = store.prompt(generation_of(candidate_id)) if has_parent else None
        if prompt is None or prompt.facts.reflection is None:
            return None
        parent = prompt.facts.reflection.candidate_id
        trained = [result for result in store.results() if result.candidate_id == parent and result.seed in seeds]
        best = max(trained, key=lambda result: (result.score, -result.seed))
        return Policy(best.policy_format, best.policy)


FROM_SCRATCH = WarmStart()


def read_warm_start(choice: str, trainer: Trainer, run_folder: Path | None = None) -> WarmStart:
    """What `train.init` chooses; of a run that goes on the policy that it kept.

    Raises:
        ConfigError: a file that is not there or is no policy, or one of another network than the task's.
    """
    if choice != SCRATCH and not trainer.can.starts_from_policies:
        raise ConfigError(
            f"train.init={choice}: what trains {trainer.spec.name} cannot start from a policy: give scratch"
        )
    if choice in (SCRATCH, PARENT):
        return WarmStart(from_parent=choice == PARENT)
    path = Path(choice)
    if run_folder is not None and (run_folder / _KEPT).is_file():
        path = run_folder / _KEPT
    try:
        return WarmStart(given=trainer.read_policy(path.read_bytes()))
    except OSError as error:
        raise ConfigError(
            f"train.init={choice} cannot be read ({error.strerror}): give scratch, parent or the path of a policy.pt"
        ) from error
    except TrainingError as error:
        raise ConfigError(f"train.init={choice}: {error}") from error


def keep(warm_start: WarmStart, store: RunStore) -> None:
    """Put a user's policy into the run folder, so that the run can go on without the file."""
    if warm_start.given is not None:
        store.write_file(_KEPT, warm_start.given.data)
