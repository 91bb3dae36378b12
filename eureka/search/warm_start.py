"""From which policies a generation's trainings start: none, the parent's, or one that a user gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eureka.core.errors import ConfigError, TrainingError
from eureka.core.types import PPOConfig
from eureka.search.history import History
from eureka.store import RunStore
from eureka.tasks import Task
from eureka.trainers.population.policy import load_policy, policy_network

SCRATCH, PARENT = "scratch", "parent"
_KEPT = "init_policy.pt"


@dataclass(frozen=True)
class WarmStart:
    """`given` is a user's policy, the bytes of a `policy.pt`; else `from_parent` or, by default, from scratch."""

    given: bytes | None = None
    from_parent: bool = False

    def policy_for(self, store: RunStore, history: History, candidate_id: str) -> bytes | None:
        """What the trainings of a candidate start from.

        A parent's policy is that of the best of its trainings with the search's own seeds, so that a run which is
        stopped and resumed starts from the same. The reward that a search starts from has no parent.
        """
        if self.given is not None:
            return self.given
        parents = history.parents(candidate_id) if self.from_parent else ()
        if not parents:
            return None
        trained = [result for result in history.results[parents[0]] if result.seed in history.seeds]
        return store.policy(max(trained, key=lambda result: (result.score, -result.seed)))


FROM_SCRATCH = WarmStart()


def read_warm_start(choice: str, task: Task, ppo: PPOConfig, run_folder: Path | None = None) -> WarmStart:
    """What `train.init` chooses; of a run that goes on the policy that it kept.

    Raises:
        ConfigError: a file that is not there or is no policy, or one of another network than the task's.
    """
    if choice in (SCRATCH, PARENT):
        return WarmStart(from_parent=choice == PARENT)
    path = Path(choice)
    if run_folder is not None and (run_folder / _KEPT).is_file():
        path = run_folder / _KEPT
    try:
        data = path.read_bytes()
        found = load_policy(data).network
    except OSError as error:
        raise ConfigError(
            f"train.init={choice} cannot be read ({error.strerror}): give scratch, parent or the path of a policy.pt"
        ) from error
    except TrainingError as error:
        raise ConfigError(f"train.init={choice}: {error}") from error
    wanted = policy_network(task, ppo)
    if found != wanted:
        raise ConfigError(
            f"train.init={choice} is a policy of {_words(found.sizes, found.activation)}, and those of task "
            f"{task.info.name} have {_words(wanted.sizes, wanted.activation)}"
        )
    return WarmStart(given=data)


def keep(warm_start: WarmStart, store: RunStore) -> None:
    """Put a user's policy into the run folder, so that the run can go on without the file."""
    if warm_start.given is not None:
        store.write_file(_KEPT, warm_start.given)


def _words(sizes: tuple[int, ...], activation: str) -> str:
    return f"{' x '.join(map(str, sizes))} units with {activation}"
