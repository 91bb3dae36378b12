"""The configuration of a run as frozen dataclasses: every key, its default, its meaning and its range."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from eureka.config.environments import EnvironmentKind, kind_of, names_code, short_name
from eureka.core.errors import ConfigError

HUMAN = "human"
"""`search.init=human`: the search starts from the environment's own human-written reward."""
MAX_INT = 2**53
"""The largest number in a config: larger integers are not represented exactly everywhere."""


def at_least(minimum: float, default: Any) -> Any:
    """A config field with this default, whose values must not be below `minimum`."""
    return field(default=default, metadata={"minimum": minimum})


class Parent(StrEnum):
    """Whose reflection the next generation is shown."""

    best_so_far = "best_so_far"
    best_of_generation = "best_of_generation"


class Halving(StrEnum):
    """Whether all candidates of a generation are trained to the end, and what follows."""

    seeds = "seeds"
    race = "race"
    off = "off"


class FeedbackMode(StrEnum):
    """Whether a person is asked about every generation."""

    off = "off"
    ask = "ask"


class PhysicsChoice(StrEnum):
    """Which engine steps the worlds of a training."""

    auto = "auto"
    c = "c"
    warp = "warp"


class SandboxMode(StrEnum):
    """Whether generated code is confined, and refused where that is not possible."""

    enforced = "enforced"
    unsafe = "unsafe"


@dataclass(frozen=True)
class ProposerConfig:
    """Who proposes rewards: the subclass that the chosen provider names, see `eureka.proposers.registry`."""

    changes_on_resume: ClassVar[bool] = False
    """Whether a run that is resumed takes other values for it."""

    name: str = ""
    """The choice: `llm=<name>`."""


@dataclass(frozen=True)
class EnvConfig:
    """An environment in place of a task: Gymnasium's, trained by Stable-Baselines3 (the extra `sb3`), and others."""

    id: str | None = field(default=None, metadata={"given_again": names_code})
    """An id of Gymnasium's registry such as CartPole-v1, or `package:ID` where a package registers it; `module:Class`;
    or a Python file with one small class, as `eureka init` writes it. `env=ID` is short for it."""
    kwargs: dict[str, Any] = field(default_factory=dict, metadata={"given_again": True})
    """What the environment is made with: `env.kwargs.continuous=true`."""
    wrappers: str | None = field(default=None, metadata={"given_again": True})
    """Gymnasium wrappers around it, `module:Class` or the name of one of `gymnasium.wrappers`, the innermost first,
    with commas between."""
    show_source: bool = False
    """Whether the language model is shown the source of the environment's `step`, without what computes the reward; see
    what is left of it with --dry-run."""


@dataclass(frozen=True)
class SimulatorConfig:
    """An interpreter of the user's own that has a simulator, for `env=mjlab:ID`, `env=isaaclab:ID` and
    `env=maniskill:ID`."""

    python: str | None = field(default=None, metadata={"given_again": True})
    """The Python program of the environment that the simulator is installed in."""
    device: str | None = None
    """Where it simulates and trains, such as `cuda:0` or `cpu`; null: a GPU where that Python has one."""


@dataclass(frozen=True)
class SearchConfig:
    """The search over rewards."""

    generations: int = at_least(1, 3)
    """Generations."""
    samples: int = at_least(1, 8)
    """Candidates per generation."""
    method: str = "portfolio"
    """How answers become further questions: `portfolio` (each answer has a job: exploit, combine, explore, repair or
    tune), `greedy` (Eureka's: all samples mutate one parent), `best_of_n` (no feedback: every generation asks anew),
    `islands` (populations that evolve apart, with crossover and migration), `eureka2023` (as published, see preset)."""
    restart_every: int | None = at_least(1, None)
    """Of `method=eureka2023`: after so many generations it begins anew with the first prompt; null: never."""
    tune: int = at_least(0, 0)
    """Further candidates in each generation, after its answers have trained, that nobody is asked for: the leading
    rewards with other constants (weights and scales; Sobol points around what they have)."""
    prompt_tokens: int = at_least(2000, 12_000)
    """About how many tokens a first prompt may have: the oldest and weakest of what was tried is told in fewer words
    where it would have more."""
    retrain: int = at_least(0, 2)
    """The leading rewards of each generation but the last that are trained again, with as many further seeds as
    `train.seeds`, before the next generation builds on them: the best of many by few seeds is mostly lucky."""
    finalists: int = at_least(1, 3)
    """Candidates that are trained with further seeds after the last generation, before one is called best."""
    confirmation_seeds: int = at_least(0, 2)
    """Further seeds for each of them; 0: the best by the search's own seeds is called best."""
    parent: Parent = Parent.best_so_far
    """The best so far by pooled estimate, or the best of the last generation as in the original Eureka."""
    repairs: int = at_least(0, 2)
    """How often a language model is asked again about one rejected candidate, within its generation."""
    preflight: bool = False
    """Whether rewards that rank recorded trajectories against the task metric are sent back untrained; this tells the
    proposer scores. It takes a training of the human-written reward once for a task, which is kept as
    `evaluation.cache` says."""
    feedback: FeedbackMode = FeedbackMode.off
    """`ask`: after each generation but the last the run waits for a person, who answers by `eureka review DIR`."""
    feedback_timeout_s: float | None = at_least(1, 1800.0)
    """How long it waits each time before it goes on without; null: as long as it takes."""
    hint: str | None = None
    """A person's hint to the language model, such as "keep the torso level"."""
    init: str | None = None
    """A reward to start from: a Python file with compute_reward, or `human` for the environment's human-written one.
    It is trained first, in addition to the samples, and the first prompt tells how that went."""


@dataclass(frozen=True)
class TrainConfig:
    """One training per candidate and seed."""

    steps: int | None = at_least(1, None)
    """Control steps in all worlds of a group together; null: the task's own for the budget."""
    num_envs: int | None = at_least(1, None)
    """Worlds per group; null: the task's own."""
    seeds: int | None = at_least(1, None)
    """Trainings per candidate; null: one, or where a language model is asked as many, at most three, as train in about
    the time that its answers take. The run keeps the number that its start gave."""
    halving: Halving = Halving.seeds
    """`seeds`: all are trained to the end, and the steps that rejected candidates leave go into further seeds for those
    that cannot be told apart from the leader, up to `search.confirmation_seeds` each (0: none); `race`: after half of
    its steps only the better half of a generation trains on, and what that saves goes into such seeds too; `off`: all
    are trained to the end once, as in the original Eureka."""
    target: float | None = None
    """A score of the task metric that is good enough: no further generation begins after one has reached it."""
    init: str = "scratch"
    """What a generation's policies start from: `scratch`; `parent`: the parent's policy, so that generations train on
    and on; or the path of a `policy.pt` of this task. The comparison at the end always trains from scratch."""
    checkpoints: int = at_least(1, 4)
    """Evaluations per training, evenly spaced, the last at the end."""
    eval_episodes: int = at_least(1, 8)
    """Evaluation episodes at each checkpoint."""
    workers: int | None = at_least(1, None)
    """Training processes; null: one per core."""

    @property
    def num_seeds(self) -> int:
        """Trainings per candidate, one where that is still open."""
        return self.seeds or 1

    hyperparameters: str | None = None
    """A YAML file of Stable-Baselines3's arguments in the form of rl-baselines3-zoo, for an `env`."""


@dataclass(frozen=True)
class EvaluationConfig:
    """The final comparison: the best reward, the human-written one and the bare metric, re-trained alike."""

    seeds: int = at_least(0, 3)
    """Fresh seeds for each of them; 0: no comparison."""
    steps: int | None = at_least(1, None)
    """Control steps of each training; null: as many as in the search."""
    cache: bool = True
    """Whether trainings of the human-written reward and the bare metric are kept for later runs, under
    `$XDG_CACHE_HOME/eureka` or `~/.cache/eureka`."""


@dataclass(frozen=True)
class TrackingConfig:
    """Who else keeps the curves of a run."""

    tensorboard: bool = False
    """Whether event files are written below `tensorboard/` in the run folder; needs the package tensorboard."""
    wandb: str | None = None
    """The Weights & Biases project to log to; null: none. Its own environment variables say whose and where."""
    mlflow: str | None = None
    """The MLflow experiment to log to, at MLFLOW_TRACKING_URI or in `mlflow.db` in the run folder; null: none."""


class Films(StrEnum):
    """Which policies the report shows on film."""

    none = "none"
    best = "best"
    all = "all"


@dataclass(frozen=True)
class ReportConfig:
    """The run's page, `report.html`."""

    films: Films = Films.all
    """Whose films it holds: `best` is the best reward beside the human-written one and the bare metric, `all` every
    candidate too. They are made beside the run with what the trainings leave of the cores."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run."""

    task: str | None = None
    """The task's name, see `eureka tasks`; a task or an `env` must be given."""
    env: EnvConfig = field(default_factory=EnvConfig)
    metric: str | None = None
    """What judges a policy of an `env`: `return`, the sum of its own rewards, is the default; `info.KEY` is an entry of
    `info` at an episode's end, and `any:`, `max:`, `min:`, `mean:` or `sum:` before it takes all of its steps; a file's
    class may have its own. Of mjlab and Isaac Lab: `tracking.COMMAND`, `metrics.NAME`, `termination.NAME`, `return`,
    `reward.NAME`; the default is tracking where there is a velocity command, else `return`. Of ManiSkill:
    `metrics.success`, the default where a task knows success, and `return`."""
    trainer: str | None = field(default=None, metadata={"given_again": names_code})
    """Who trains in a Gymnasium environment: sb3.ppo, sb3.sac, sb3.td3 or sb3.dqn of Stable-Baselines3, or
    `module:function` of your own; null: sb3.ppo."""
    state: str | None = field(default=None, metadata={"given_again": True})
    """A Python file with `FIELDS` and `state(env)` that adds State fields to those of an mjlab, Isaac Lab or
    ManiSkill task, or replaces them."""
    mjlab: SimulatorConfig = field(default_factory=SimulatorConfig)
    isaaclab: SimulatorConfig = field(default_factory=SimulatorConfig)
    maniskill: SimulatorConfig = field(default_factory=SimulatorConfig)
    description: str | None = None
    """What the policy should do, in a sentence; null: the task's own. An `env` without one of its own needs it."""
    seed: int = at_least(0, 0)
    """Seed of the search and of the trainings of its first generation; each further generation trains with seeds 100
    higher than those of the one before."""
    budget: str = "quick"
    """How much is spent: `quick`, `standard` and `paper` set generations, samples and fresh seeds, and the control
    steps of a training as the task's `task.yaml` has them. The default is quick on a CPU and standard where CUDA is
    found; single keys that are given win."""
    preset: str = "none"
    """A whole search as somebody published it: `eureka2023` is the original Eureka. It wins over `budget`, and single
    keys that are given win over it."""
    output: str | None = None
    """The run folder; null: `outputs/<task>/<date>_<time>` under the current directory."""
    physics: PhysicsChoice = PhysicsChoice.auto
    """MuJoCo on CPU cores (`c`) or MuJoCo Warp on every CUDA device (`warp`, the extra `gpu`); `auto` is warp where
    both a device and its packages are there."""
    sandbox: SandboxMode = field(default=SandboxMode.enforced, metadata={"given_again": True})
    """`unsafe` runs generated code without confinement, and stamps the run so."""
    llm: ProposerConfig = field(default_factory=ProposerConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    report: ReportConfig = field(default_factory=ReportConfig)

    @property
    def kind(self) -> EnvironmentKind:
        """Where the environment comes from, which decides the trainer."""
        return kind_of(self.env.id)

    @property
    def environment_name(self) -> str:
        """The task's name, or the environment's short one."""
        return short_name(self.env.id) if self.env.id is not None else self.task or ""


BUDGETS: Mapping[str, Mapping[str, Mapping[str, int]]] = {
    "quick": {
        "search": {"generations": 3, "samples": 8},
        "evaluation": {"seeds": 3},
    },
    "standard": {
        "search": {"generations": 5, "samples": 8},
        "evaluation": {"seeds": 5},
    },
    "paper": {
        "search": {"generations": 5, "samples": 16},
        "evaluation": {"seeds": 5},
    },
}
"""What each `budget=` presets; a task's own training steps per budget are in its `task.yaml`."""

PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "none": {},
    "eureka2023": {
        "search": {
            "method": "eureka2023",
            "generations": 25,
            "restart_every": 5,
            "samples": 16,
            "repairs": 0,
            "retrain": 0,
            "finalists": 1,
            "confirmation_seeds": 0,
        },
        "train": {"seeds": 1, "halving": Halving.off},
        "evaluation": {"seeds": 5},
    },
}
"""What each `preset=` sets; `eureka2023` is five searches of 5 generations of 16, each training once and to the end, as
in Ma et al. 2023, whose policies are evaluated with five seeds."""


@dataclass(frozen=True)
class Choices:
    """What the composition root hands the configuration: the config class of every choice, by its name."""

    llm: Mapping[str, type[ProposerConfig]]
    """Of `llm=`."""


def declared_values(part: Any, prefix: str = "") -> dict[str, Any]:
    """What a config has for keys that a run folder may not decide, by key, where that is not the default.

    These are declared by `given_again` in their metadata, which is true or a test of the value: they name an endpoint
    or code, or take confinement away.
    """
    found: dict[str, Any] = {}
    for entry in dataclasses.fields(part):
        value, declared = getattr(part, entry.name), entry.metadata.get("given_again")
        if dataclasses.is_dataclass(value):
            found |= declared_values(value, f"{prefix}{entry.name}.")
        elif declared and isinstance(value, Mapping):
            found |= {f"{prefix}{entry.name}.{name}": each for name, each in value.items()}
        elif declared and value != entry.default and (declared is True or declared(value)):
            found[f"{prefix}{entry.name}"] = value
    return found


def check_ranges(part: Any, prefix: str) -> None:
    """Every number is one and not below its field's minimum, and no text is empty."""
    for entry in dataclasses.fields(part):
        value = getattr(part, entry.name)
        if dataclasses.is_dataclass(value):
            check_ranges(value, f"{prefix}{entry.name}.")
        elif value == "":
            raise ConfigError(f"{prefix}{entry.name}= is empty: give it a value")
        elif isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{prefix}{entry.name}={value}: must be a number")
        elif type(value) is int and abs(value) > MAX_INT:
            raise ConfigError(f"{prefix}{entry.name}: must be between {-MAX_INT} and {MAX_INT}")
        elif value is not None and "minimum" in entry.metadata and not value >= entry.metadata["minimum"]:
            raise ConfigError(f"{prefix}{entry.name}={value}: must be at least {entry.metadata['minimum']}")
