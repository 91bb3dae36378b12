"""The configuration of a run as frozen dataclasses: every key, its default, its meaning and its range."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from eureka.core.errors import ConfigError


def _at_least(minimum: float, default: Any) -> Any:
    return field(default=default, metadata={"minimum": minimum})


class Parent(StrEnum):
    """Whose reflection the next generation is shown."""

    best_so_far = "best_so_far"
    best_of_generation = "best_of_generation"


class Halving(StrEnum):
    """Whether all candidates of a generation are trained to the end."""

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


class Effort(StrEnum):
    """How much a model that can reason does so; which of them a model takes is its own."""

    none = "none"
    minimal = "minimal"
    low = "low"
    medium = "medium"
    high = "high"
    xhigh = "xhigh"
    max = "max"


@dataclass(frozen=True)
class ModelConfig(ProposerConfig):
    """What all language models have; its caps count the whole run, all its calls and its resumed parts together."""

    model: str | None = None
    """The model's name; null: the provider's in `DEFAULT_MODELS`."""
    base_url: str | None = field(default=None, metadata={"given_again": True})
    """Another endpoint of the protocol; null: OPENAI_BASE_URL or ANTHROPIC_BASE_URL where set, else the provider's."""
    effort: Effort | None = None
    """Effort of reasoning, for models that take it."""
    extra_body: str | None = None
    """A JSON object that is merged into every request, for what only one server knows; no keys: it is stored."""
    max_output_tokens: int = _at_least(16, 16384)
    """The longest answer, reasoning included."""
    max_usd: float | None = _at_least(0, 5.0)
    """The most that the run may cost; null: no cap. It needs a known price: see `max_tokens`."""
    max_tokens: int | None = _at_least(0, None)
    """The most tokens that the run may read and write; must be given where the model's price is not known."""
    max_seconds: float | None = _at_least(0, None)
    """The longest that the run may wait for answers, all waits together."""
    concurrency: int = _at_least(1, 8)
    """Calls at a time."""
    timeout_s: float = _at_least(0.1, 300.0)
    """The longest silence within one call."""
    patience_s: float = _at_least(0, 300.0)
    """How long a provider is waited for that limits the rate or is overloaded, from its last success."""
    fallback: str | None = None
    """Who takes over where the model cannot go on: `PROVIDER`, `PROVIDER/MODEL` or `program_search`."""
    fallback_base_url: str | None = field(default=None, metadata={"given_again": True})
    """As `base_url`, for the fallback."""


@dataclass(frozen=True)
class OpenAIConfig(ModelConfig):
    """`llm=openai`: chat completions at OpenAI, or with `llm.base_url` at any server that speaks them."""

    name: str = "openai"
    """The choice."""
    temperature: float | None = _at_least(0, None)
    """Sampling temperature, for models that take one; null: samples are told to take different lines instead."""


@dataclass(frozen=True)
class AnthropicConfig(ModelConfig):
    """`llm=anthropic`: the Messages API."""

    name: str = "anthropic"
    """The choice."""


DEFAULT_MODELS: Mapping[str, str] = {"anthropic": "claude-sonnet-5-5", "openai": "gpt-6.1-sol"}
"""What `llm.model` is where it is not given, by provider."""


@dataclass(frozen=True)
class SearchConfig:
    """The search over rewards."""

    method: str = "greedy"
    """How answers become further questions: `greedy` (Eureka's: all samples mutate one parent), `best_of_n` (no
    feedback: every generation asks anew), `islands` (populations that evolve apart, with crossover and migration)."""
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
    repairs: int = _at_least(0, 2)
    """How often a language model is asked again about one rejected candidate, within its generation."""
    preflight: bool = False
    """Whether rewards that rank recorded trajectories against the task metric are sent back untrained; this tells the
    proposer scores. It takes a training of the human-written reward once for a task, which is kept as
    `evaluation.cache` says."""
    feedback: FeedbackMode = FeedbackMode.off
    """`ask`: after each generation but the last the run waits for a person, who answers by `eureka review DIR`."""
    feedback_timeout_s: float | None = _at_least(1, 1800.0)
    """How long it waits each time before it goes on without; null: as long as it takes."""
    hint: str | None = None
    """A person's hint to the language model, such as "keep the torso level"."""
    init: str | None = None
    """A reward to start from: a Python file with compute_reward, or `human` for the task's human-written one. It is
    trained first, in addition to the samples, and the first prompt tells how that went."""


@dataclass(frozen=True)
class TrainConfig:
    """One training per candidate and seed."""

    steps: int | None = _at_least(1, None)
    """Control steps in all worlds of a group together; null: the task's own for the budget."""
    num_envs: int | None = _at_least(1, None)
    """Worlds per group; null: the task's own."""
    seeds: int = _at_least(1, 1)
    """Trainings per candidate."""
    halving: Halving = Halving.race
    """`race`: after half of its steps only the better half of a generation trains on, and what that saves goes into
    further seeds for those that cannot be told apart from the leader, up to `search.confirmation_seeds` each (0: none);
    `off`: all are trained to the end, as in the original Eureka."""
    target: float | None = None
    """A score of the task metric that is good enough: no further generation begins after one has reached it."""
    init: str = "scratch"
    """What a generation's policies start from: `scratch`; `parent`: the parent's policy, so that generations train on
    and on; or the path of a `policy.pt` of this task. The comparison at the end always trains from scratch."""
    checkpoints: int = _at_least(1, 4)
    """Evaluations per training, evenly spaced, the last at the end."""
    eval_episodes: int = _at_least(1, 8)
    """Evaluation episodes at each checkpoint."""
    workers: int | None = _at_least(1, None)
    """Training processes; null: one per core."""


@dataclass(frozen=True)
class EvaluationConfig:
    """The final comparison: the best reward, the human-written one and the bare metric, re-trained alike."""

    seeds: int = _at_least(0, 3)
    """Fresh seeds for each of them; 0: no comparison."""
    steps: int | None = _at_least(1, None)
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

    task: str = "???"
    """The task's name, see `eureka tasks`; must be given."""
    seed: int = _at_least(0, 0)
    """Seed of the search and of every training."""
    budget: str = "quick"
    """The preset: quick, standard or paper. The default is quick on a CPU and standard where CUDA is found."""
    output: str | None = None
    """The run folder; null: `outputs/<task>/<date>_<time>` under the current directory."""
    physics: PhysicsChoice = PhysicsChoice.auto
    """MuJoCo on CPU cores (`c`) or MuJoCo Warp on every CUDA device (`warp`, the extra `gpu`); `auto` is warp where
    both a device and its packages are there."""
    sandbox: SandboxMode = field(default=SandboxMode.enforced, metadata={"given_again": True})
    """`unsafe` runs generated code without confinement, and stamps the run so."""
    llm: ProposerConfig = field(default_factory=ProgramSearchConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    report: ReportConfig = field(default_factory=ReportConfig)


BUDGETS: Mapping[str, Mapping[str, Mapping[str, int]]] = {
    "quick": {
        "search": {"generations": 3, "samples": 8},
        "train": {"seeds": 1},
        "evaluation": {"seeds": 3},
    },
    "standard": {
        "search": {"generations": 5, "samples": 8},
        "train": {"seeds": 1},
        "evaluation": {"seeds": 5},
    },
    "paper": {
        "search": {"generations": 5, "samples": 16},
        "train": {"seeds": 1},
        "evaluation": {"seeds": 5},
    },
}
"""What each `budget=` presets; a task's own training steps per budget are in its `task.yaml`."""

PROPOSERS: Mapping[str, type[ProposerConfig]] = {
    "anthropic": AnthropicConfig,
    "openai": OpenAIConfig,
    "program_search": ProgramSearchConfig,
    "replay": ReplayConfig,
}
"""The choices of `llm=`."""


def declared_values(part: Any, prefix: str = "") -> dict[str, Any]:
    """What a config has for keys that a run folder may not decide, by key, where that is not the default.

    These are declared by `given_again` in their metadata: they name an endpoint, or take confinement away.
    """
    found: dict[str, Any] = {}
    for entry in dataclasses.fields(part):
        value = getattr(part, entry.name)
        if dataclasses.is_dataclass(value):
            found |= declared_values(value, f"{prefix}{entry.name}.")
        elif entry.metadata.get("given_again") and value != entry.default:
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
        elif value is not None and "minimum" in entry.metadata and not value >= entry.metadata["minimum"]:
            raise ConfigError(f"{prefix}{entry.name}={value}: must be at least {entry.metadata['minimum']}")
