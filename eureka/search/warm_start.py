"""Chooses the policies that a generation's trainings start from: none, the parent's, or a user's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eureka.core.errors import ConfigError, TrainingError
from eureka.core.training import Policy
from eureka.search.history import History
from eureka.store import RunStore
from eureka.trainers.base import Trainer

SCRATCH, PARENT = "scratch", "parent"
_KEPT = "init_policy.pt"


@dataclass(frozen=True)
class WarmStart:
    """The choice of initial policies: `given` is a user's policy; else the parent's if `from_parent`, else none."""

    given: Policy | None = None
    from_parent: bool = False

    def policy_for(self, store: RunStore, history: History, candidate_id: str) -> Policy | None:
        """The policy that a candidate's trainings start from.

        The parent's policy is the best of its trainings with the search's own seeds, so that a resumed run uses the
        same one. The reward that a search starts from has no parent.
        """
        if self.given is not None:
            return self.given
        parents = history.parents(candidate_id) if self.from_parent else ()
        if not parents:
            return None
        trained = [result for result in history.results[parents[0]] if result.seed in history.seeds(parents[0])]
        best = max(trained, key=lambda result: (result.score, -result.seed))
        return Policy(best.policy_format, store.policy(best))


FROM_SCRATCH = WarmStart()


def read_warm_start(choice: str, trainer: Trainer, run_folder: Path | None = None) -> WarmStart:
    """The warm start that `train.init` chooses; for a resumed run, the policy stored in its folder.

    Raises:
        ConfigError: the file does not exist or is not a policy, or the policy's network does not match the task's.
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
    """Store a user's policy in the run folder, so that the run can be resumed without the original file."""
    if warm_start.given is not None:
        store.write_file(_KEPT, warm_start.given.data)
