"""The configuration of a run as frozen dataclasses: every key, its default, its meaning and its range."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from eureka.errors import ConfigError


def _at_least(minimum: int, default: Any) -> Any:
    return field(default=default, metadata={"minimum": minimum})


class Parent(StrEnum):
    """Whose reflection the next generation is shown."""

    best_so_far = "best_so_far"
    best_of_generation = "best_of_generation"


class SandboxMode(StrEnum):
    """Whether generated code is confined, and refused where that is not possible."""

    enforced = "enforced"
    unsafe = "unsafe"


@dataclass(frozen=True)
class ProposerConfig:
    """Who proposes rewards; one of its subclasses."""

    name: str = ""
    """The choice: `llm=<name>`."""


@dataclass(frozen=True)
class ProgramSearchConfig(ProposerConfig):
    """`llm=program_search`: a typed search over reward programs, no language model."""

    name: str = "program_search"
    """The choice."""
    use_probe: bool = True
    """Whether it may see which State columns move with the metric on sampled states (printed and stored)."""


@dataclass(frozen=True)
class ReplayConfig(ProposerConfig):
    """`llm=replay`: the recorded answers of another run."""

    name: str = "replay"
    """The choice."""
    run: str = "???"
    """The run folder to replay; must be given."""


@dataclass(frozen=True)
class SearchConfig:
    """The evolutionary search."""

    generations: int = _at_least(1, 3)
    """Generations."""
    samples: int = _at_least(1, 8)
    """Candidates per generation."""
    finalists: int = _at_least(1, 3)
    """Candidates that are trained with further seeds after the last generation, before one is called best."""
    confirmation_seeds: int = _at_least(0, 2)
    """Further seeds for each of them; 0: the best by the search's own seeds is called best."""
    parent: Parent = Parent.best_so_far
    """The best so far by pooled estimate, or the best of the last generation as in the original Eureka."""


@dataclass(frozen=True)
class TrainConfig:
    """One training per candidate and seed."""

    steps: int | None = _at_least(1, None)
    """Control steps in all worlds of a group together; null: the task's own for the budget."""
    num_envs: int | None = _at_least(1, None)
    """Worlds per group; null: the task's own."""
    seeds: int = _at_least(1, 1)
    """Trainings per candidate."""
    checkpoints: int = _at_least(1, 4)
    """Evaluations per training, evenly spaced, the last at the end."""
    eval_episodes: int = _at_least(1, 8)
    """Evaluation episodes at each checkpoint."""
    workers: int | None = _at_least(1, None)
    """Training processes; null: one per core."""


@dataclass(frozen=True)
class EvaluationConfig:
    """`eureka evaluate`."""

    seeds: int = _at_least(1, 3)
    """Fresh seeds that the best reward is re-trained with."""
    steps: int | None = _at_least(1, None)
    """Control steps per training; null: `train.steps`, or else the task's for budget=standard if that is more."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run."""

    task: str = "???"
    """The task's name, see `eureka tasks`; must be given."""
    seed: int = _at_least(0, 0)
    """Seed of the search and of every training."""
    budget: str = "quick"
    """The preset: quick, standard or paper. The default is quick on a CPU and standard where CUDA is found."""
    output: str | None = None
    """The run folder; null: `outputs/<task>/<date>_<time>` under the current directory."""
    sandbox: SandboxMode = SandboxMode.enforced
    """`unsafe` runs generated code without confinement, and stamps the run so."""
    llm: ProposerConfig = field(default_factory=ProgramSearchConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)


BUDGETS: Mapping[str, Mapping[str, Mapping[str, int]]] = {
    "quick": {"search": {"generations": 3, "samples": 8}, "train": {"seeds": 1}, "evaluation": {"seeds": 3}},
    "standard": {"search": {"generations": 5, "samples": 8}, "train": {"seeds": 1}, "evaluation": {"seeds": 5}},
    "paper": {"search": {"generations": 5, "samples": 16}, "train": {"seeds": 1}, "evaluation": {"seeds": 5}},
}
"""What each `budget=` presets; a task's own training steps per budget are in its `task.yaml`."""

PROPOSERS: Mapping[str, type[ProposerConfig]] = {"program_search": ProgramSearchConfig, "replay": ReplayConfig}
"""The choices of `llm=`."""


def check_ranges(part: Any, prefix: str) -> None:
    """Every number against its field's minimum, and no empty texts."""
    for entry in dataclasses.fields(part):
        value = getattr(part, entry.name)
        if dataclasses.is_dataclass(value):
            check_ranges(value, f"{prefix}{entry.name}.")
        elif value == "":
            raise ConfigError(f"{prefix}{entry.name}= is empty: give it a value")
        elif value is not None and "minimum" in entry.metadata and value < entry.metadata["minimum"]:
            raise ConfigError(f"{prefix}{entry.name}={value}: must be at least {entry.metadata['minimum']}")
