"""The data that flows through a run. Frozen and picklable.

    Prompt -> Completion -> Candidate -> Reward -> TrainingResult -> Reflection -> next Prompt
                               |           |             |
                               +--- Rejected(stage, reason, feedback) ---> Reflection

One `Candidate.id` (`g02-c05`: generation 2, sample 5, both counted from 1) keys every row and file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

from annotated_types import MinLen

from eureka.core.diagnosis import Diagnosis
from eureka.core.ranges import Count, NotNegative, Positive, Share


class Stage(StrEnum):
    """Where a candidate was rejected."""

    EXTRACT = "extract"
    TRACE = "trace"
    VERIFY = "verify"
    SCREEN = "screen"
    TRAIN = "train"


@dataclass(frozen=True)
class FieldSpec:
    """One field of a task's State, as the model and the verifier see it.

    Shape excludes the leading `num_envs`: `()` is one number per environment, `(3,)` a vector.
    """

    name: str
    shape: tuple[int, ...]
    dtype: Literal["float32", "bool", "int64"]
    unit: str
    frame: str
    description: str


@dataclass(frozen=True)
class MetricSpec:
    """What judges a policy, as people and prompts are told; never how it is computed.

    `lowest` and `highest` are the bounds of its values, and `best` the best value that is possible, where known.
    """

    description: str
    unit: str
    lowest: float | None = None
    highest: float | None = None
    best: float | None = None


@dataclass(frozen=True)
class TaskSpec:
    """What is to be learned, as the search sees it: nothing here depends on a simulator.

    Attributes:
        name: the task's name.
        sentence: what the policy should do, for the model and for people.
        fields: the State, which a reward may read.
        source: what a model is shown of the environment's source, without metric and human-written reward.
        control_step_s: seconds between two actions.
        episode_steps: the time limit in control steps.
        metric: what judges a policy; None where a person's preferences decide in its place.
        physical_facts: what a model cannot see in the source, such as masses and joint ranges, a sentence each.
    """

    name: str
    sentence: str
    fields: tuple[FieldSpec, ...]
    source: str
    control_step_s: float
    episode_steps: int
    metric: MetricSpec | None
    physical_facts: tuple[str, ...] = ()

    @property
    def has_metric(self) -> bool:
        """Whether a task metric decides, and not a person."""
        return self.metric is not None


@dataclass(frozen=True)
class Rejected:
    """A candidate that did not make it: a value, never an exception.

    `reason` is one sentence for a person; `feedback` is what the model is told (the exact error with its line), empty
    where the code is not to blame. `duplicate_of` is the earlier candidate whose reward this one repeats, where that is
    the reason.
    """

    candidate_id: str
    stage: Stage
    reason: str
    feedback: str
    duplicate_of: str | None = None


@dataclass(frozen=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, kw_only=True)
class ComponentStatistics:
    """Moments of one reward component over a whole training, per control step and over all worlds of the group.

    `variance_share` is the component's share of the total's variance, cov(component, total) / var(total), so that the
    shares of all components that add up to the total sum to 1. `active_fraction` is the share of steps on which it
    differs from its most frequent value. `metric_correlation` is Pearson's correlation with the per-step task metric,
    None where either is constant.
    """

    mean: float
    minimum: float
    maximum: float
    std: float
    variance_share: float | None
    active_fraction: float
    metric_correlation: float | None


@dataclass(frozen=True, kw_only=True)
class ComponentReflection(ComponentStatistics):
    """What became of one reward component; `points` are about ten evenly spaced means over training."""

    name: str
    points: tuple[float, ...]


@dataclass(frozen=True)
class Reflection:
    """Statistics of one trained candidate: numbers and what they show; all wording lives in `prompts/`.

    Without a task metric there are no `metric_points`, and `metric_max` and `metric_final` are the preference score.
    """

    candidate_id: str
    source: str
    steps: tuple[int, ...]
    metric_points: tuple[float, ...]
    metric_max: float
    metric_final: float
    episode_length_points: tuple[float, ...]
    total_points: tuple[float, ...]
    components: tuple[ComponentReflection, ...]
    diagnoses: tuple[Diagnosis, ...] = ()


@dataclass(frozen=True)
class MetricProbe:
    """Correlation of State columns with the per-step task metric on sampled states.

    Filled only for a proposer that declares metric access; it is printed and stored with the run.
    Keys are `field` for scalars and `field[i]` for vectors; values Pearson correlations in [-1, 1].
    """

    correlation: Mapping[str, float]


class Verdict(StrEnum):
    """What a person said of the policies of a generation."""

    CHOICE = "choice"
    TIE = "tie"
    NONE_GOOD = "none good"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """A person's judgement of one generation.

    `shown` are the candidates that there were to choose from: those of the generation that trained, and its parent.
    Only a CHOICE has a `best` or a `worst`, one of them, both or neither; the others of `shown` stand between the two.
    `text` is what the person wrote, in one line.
    """

    generation: int
    verdict: Verdict
    shown: tuple[str, ...]
    best: str | None = None
    worst: str | None = None
    text: str = ""


@dataclass(frozen=True)
class PromptFacts:
    """The typed facts that a prompt's messages were rendered from; a proposer without a model reads these.

    `rejected` are errors of earlier generations, the newest first. `hint` is a person's, passed on word for word.
    `attempt` is 0 in a generation's prompt and that of the wanted answer where one candidate is asked again.
    `feedback` is what a person said after earlier generations, the newest first; `worst_source` is the reward that they
    liked least after the last one. `has_metric` is false where a person's preferences decide in place of a metric.
    """

    task: str
    seed: int
    generation: int
    state: tuple[FieldSpec, ...]
    reflection: Reflection | None = None
    rejected: tuple[Rejected, ...] = ()
    probe: MetricProbe | None = None
    hint: str = ""
    attempt: int = 0
    feedback: tuple[Feedback, ...] = ()
    worst_source: str = ""
    has_metric: bool = True


@dataclass(frozen=True)
class Prompt:
    """What a proposer is asked for one candidate; kept as it was sent.

    `ending` is what this candidate's prompt alone says, after `messages`, which a generation's prompts share: so a
    provider's cache serves them all. Empty where there is nothing of the kind.
    """

    messages: tuple[Message, ...]
    facts: PromptFacts
    ending: str = ""


@dataclass(frozen=True)
class Usage:
    """Tokens and price of one call; None where the provider does not say, or the price of the model is not known.

    `cached_tokens` is the part of `input_tokens` that came from the provider's cache, `reasoning_tokens` the part of
    `output_tokens` that was thought and not said.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    usd: float | None = None


@dataclass(frozen=True)
class Completion:
    """One answer, for the candidate that it was asked for.

    `attempt` is 0 for the first answer and counts further ones from 1; `finish` says why the model stopped: of itself,
    at the token limit, or because it refused. `continues` marks an answer that goes on where the attempt before it was
    cut off, and so is no repair.
    """

    candidate_id: str
    text: str
    model: str
    usage: Usage = Usage()
    attempt: int = 0
    finish: Literal["stop", "length", "refusal"] = "stop"
    continues: bool = False


@dataclass(frozen=True)
class Candidate:
    """A reward function's source as taken from a completion: never imported, only traced in the sandbox.

    `inputs` are the names of the State fields that `compute_reward` reads, in the order of its parameters.
    """

    id: str
    source: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Reward:
    """A candidate that was traced and verified. `graph` is the canonical JSON text of its reward graph."""

    candidate_id: str
    graph: str
    components: tuple[str, ...]


@dataclass(frozen=True)
class PPOConfig:
    """Hyper-parameters of PPO (Schulman et al. 2017), one set per task in its `task.yaml`.

    `horizon` is the number of control steps of a rollout; `initial_std` the standard deviation of the action
    noise at the start, in units of half the control range.
    """

    hidden: Annotated[tuple[Count, ...], MinLen(1)] = (64, 64)
    activation: Literal["elu", "relu", "tanh"] = "elu"
    horizon: Count = 32
    epochs: Count = 8
    minibatches: Count = 8
    learning_rate: Positive = 4e-4
    gamma: Share = 0.99
    gae_lambda: Share = 0.95
    clip: Positive = 0.2
    entropy: NotNegative = 0.0
    value_weight: NotNegative = 0.5
    max_grad_norm: Positive = 1.0
    initial_std: Positive = 0.5


@dataclass(frozen=True)
class Schedule:
    """How one group trains. With its seed this fixes the training bitwise on the CPU.

    `steps` control steps in all `num_envs` worlds together; `checkpoints` evenly spaced evaluations, the last at
    the end; `eval_episodes` evaluation episodes at each. A training that `ends_after` so many of its evaluations is the
    beginning of the whole one; None: it is trained to the end.
    """

    num_envs: int
    steps: int
    checkpoints: int
    eval_episodes: int
    ppo: PPOConfig
    ends_after: int | None = None

    @property
    def evaluated_after(self) -> tuple[int, ...]:
        """The updates that an evaluation follows. In all they take as many whole rollouts as come nearest to `steps`;
        where there are fewer of them than `checkpoints`, each is evaluated."""
        whole = max(1, round(self.steps / (self.num_envs * self.ppo.horizon)))
        every = {max(1, round(whole * i / self.checkpoints)) for i in range(1, self.checkpoints + 1)}
        return tuple(sorted(every))[: self.ends_after]

    @property
    def num_updates(self) -> int:
        """Rollouts and PPO updates."""
        return self.evaluated_after[-1]

    @property
    def trained_steps(self) -> int:
        """Control steps that these updates take; the last entry of `TrainingResult.steps`."""
        return self.num_updates * self.num_envs * self.ppo.horizon


@dataclass(frozen=True)
class TrainingJob:
    """One group: a candidate's graph (JSON text) trained with one seed. Only this and tensors cross to a worker.

    `init` is the policy that it starts from, the bytes of a `policy.pt`; None: from scratch.
    """

    candidate_id: str
    graph: str
    seed: int
    schedule: Schedule
    init: bytes | None = None


@dataclass(frozen=True)
class Progress:
    """Event: a group has finished `steps` of its schedule; `metric` is the task metric of its recent episodes."""

    candidate_id: str
    seed: int
    steps: int
    metric: float
    episode_length: float


@dataclass(frozen=True)
class WorkerRestarted:
    """Event: a training worker died or fell silent and was started again from the last checkpoints.

    Or its device ran out of memory, and it starts again with fewer worlds.
    """

    worker: int
    reason: str
    candidate_ids: tuple[str, ...]


@dataclass(frozen=True)
class TrainingResult:
    """What one training gave. Curves have one value per PPO update.

    `metric` is the task metric's running value in training episodes; `final_scores` are the metric of each
    evaluation episode of the last policy on start states never trained on, `checkpoint_scores` the mean of the
    same at every checkpoint, after `checkpoint_steps` of training. `diverged_worlds` counts worlds whose physics
    diverged and were reset.
    """

    candidate_id: str
    seed: int
    steps: tuple[int, ...]
    metric: tuple[float, ...]
    episode_length: tuple[float, ...]
    total: tuple[float, ...]
    components: Mapping[str, tuple[float, ...]]
    statistics: Mapping[str, ComponentStatistics]
    final_scores: tuple[float, ...]
    checkpoint_scores: tuple[float, ...]
    policy: bytes = field(repr=False)
    checkpoint_steps: tuple[int, ...] = ()
    diverged_worlds: int = 0
    wall_s: float = 0.0

    @property
    def score(self) -> float:
        """Mean task metric of the final policy's evaluation episodes."""
        return sum(self.final_scores) / len(self.final_scores)

    @property
    def best_score(self) -> float:
        """The best checkpoint's mean (the original Eureka's optimistic choice); reported beside `score`."""
        return max(self.checkpoint_scores)
