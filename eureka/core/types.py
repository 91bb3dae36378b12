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
from typing import Literal

from eureka.core.costs import Usage
from eureka.core.diagnosis import Diagnosis
from eureka.core.ideas import Contrast, Idea
from eureka.core.ids import INIT_ID
from eureka.core.text import clean
from eureka.core.training import ComponentStatistics, EpisodeTrace

MAX_REASON = 1_000
MAX_FEEDBACK = 4_000


class Stage(StrEnum):
    """The stage at which a candidate was rejected."""

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
    """The metric that scores policies, as shown to people and in prompts; not how it is computed.

    `lowest` and `highest` are the bounds of its values, and `best` the best possible value, if known.
    """

    description: str
    unit: str
    lowest: float | None = None
    highest: float | None = None
    best: float | None = None


PREFERENCE_UNIT = "preference score"
"""Unit of a Bradley-Terry score, which replaces the task metric."""

PREFERENCE_METRIC = "a person's preferences as Bradley-Terry scores"
"""Description of the score of tasks without a metric."""


@dataclass(frozen=True)
class TaskSpec:
    """The task as seen by the search; independent of any simulator.

    Attributes:
        name: the task's name.
        sentence: what the policy should do, shown to the model and to people.
        fields: the State fields that a reward may read.
        source: the part of the environment's source that the model is shown, without metric and human-written reward.
        control_step_s: seconds between two actions.
        episode_steps: the time limit in control steps.
        metric: the task metric; None if a person's preferences are used instead.
        physical_facts: facts that the source does not show, such as masses and joint ranges, one sentence each.
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
        """Whether scores come from a task metric rather than a person's preferences."""
        return self.metric is not None

    @property
    def unit(self) -> str:
        """The unit of the scores."""
        return self.metric.unit if self.metric is not None else PREFERENCE_UNIT

    @property
    def judged_by(self) -> str:
        """A description of the scores."""
        return self.metric.description if self.metric is not None else PREFERENCE_METRIC


@dataclass(frozen=True)
class Rejected:
    """A rejected candidate: a value, never an exception.

    `reason` is one sentence for a person; `feedback` is for the model (the exact error with its line), empty if the
    code is not at fault. `duplicate_of` is the earlier candidate with the same reward, if that is the reason.

    Both texts may quote the candidate and are shown in terminals, pages and prompts, so this class makes them printable
    and cuts them to `MAX_REASON` and `MAX_FEEDBACK` characters.
    """

    candidate_id: str
    stage: Stage
    reason: str
    feedback: str
    duplicate_of: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", clean(self.reason, MAX_REASON).replace("\n", " "))
        object.__setattr__(self, "feedback", clean(self.feedback, MAX_FEEDBACK))


@dataclass(frozen=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, kw_only=True)
class ComponentReflection(ComponentStatistics):
    """Statistics of one reward component; `points` are about ten evenly spaced means over training.

    Correlations of it are with the score of training episodes over the training (`score_correlation`), between the
    evaluation episodes of the last policies (`episode_correlation`, of its mean with the score), and of its steps with
    the change of the per-step metric in them (`change_correlation`). Each is None where either is constant or unknown.
    """

    name: str
    points: tuple[float, ...]
    score_correlation: float | None = None
    episode_correlation: float | None = None
    change_correlation: float | None = None


@dataclass(frozen=True)
class Reflection:
    """Statistics of one trained candidate; all wording is in `prompts/`.

    `scores` are those of its trainings, one per seed, `estimate` its estimated worth given all scores of the run, and
    `trained_steps` the control steps of each training. `episodes` are the evaluation episodes of the last policies, of
    which two have State fields: the typical one of the training of median score, and the worst one of any training.
    `metric_max` is the mean over the trainings of each one's best evaluation, so it exceeds `metric_final` only if
    trainings fell back from what they had reached. `action_std` is the mean over the trainings of the standard
    deviation of the actions' noise at the end, None where the trainer does not tell. Without a task metric there are no
    `metric_points`, `scores` and `episodes`, and `metric_max` and `metric_final` are the preference score.
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
    scores: tuple[float, ...] = ()
    estimate: float | None = None
    trained_steps: int = 0
    episodes: tuple[EpisodeTrace, ...] = ()
    action_std: float | None = None


@dataclass(frozen=True)
class MetricProbe:
    """Correlation of State columns with the per-step task metric on sampled states.

    Filled only for a proposer that declares metric access; it is printed and stored with the run.
    Keys are `field` for scalars and `field[i]` for vectors; values Pearson correlations in [-1, 1].
    """

    correlation: Mapping[str, float]


class Verdict(StrEnum):
    """A person's verdict on the policies of a generation."""

    CHOICE = "choice"
    TIE = "tie"
    NONE_GOOD = "none good"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """A person's judgement of one generation.

    `shown` are the candidates to choose from: the trained ones of the generation, and its parent. Only a CHOICE has a
    `best` or a `worst` (one, both or neither); the others of `shown` rank between the two. `text` is what the person
    wrote, in one line.
    """

    generation: int
    verdict: Verdict
    shown: tuple[str, ...]
    best: str | None = None
    worst: str | None = None
    text: str = ""


Ranges = tuple[tuple[float, float], ...]
"""A lowest and a highest value for each column of a State field, or one pair for all of its columns."""


@dataclass(frozen=True)
class PromptFacts:
    """The typed facts that a prompt's messages were rendered from; a proposer without a model reads these.

    `rejected` are errors of earlier generations, the newest first. `hint` is a person's text, passed on verbatim.
    `attempt` is 0 in a generation's prompt, and the number of the requested attempt when a candidate is asked again.
    `feedback` is a person's feedback on earlier generations, the newest first; `worst_source` is the reward that the
    person rated worst in the last one. `has_metric` is False if a person's preferences replace the metric. `reflection`
    holds the statistics of the first parent and `further_parents` those of the others. `ideas` are all earlier rewards
    of the run, the best first, `contrasts` the properties that go with their scores, `failures` the statistics of some
    that did not work, and `seed_noise` the standard deviation of a score between seeds.
    `training_steps` is about the number of control steps of a training in all environments together; 0: not told.
    `random_ranges` says within what most values of a State field lie under random actions.
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
    further_parents: tuple[Reflection, ...] = ()
    ideas: tuple[Idea, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    failures: tuple[Reflection, ...] = ()
    seed_noise: float | None = None
    training_steps: int = 0
    random_ranges: Mapping[str, Ranges] = field(default_factory=dict)


@dataclass(frozen=True)
class Prompt:
    """The prompt for one candidate, stored as it was sent: `messages`, common to a generation's prompts so that a
    provider's cache serves them all, and after them `ending` for this candidate, which may be empty."""

    messages: tuple[Message, ...]
    facts: PromptFacts
    ending: str = ""

    @property
    def sent(self) -> tuple[Message, ...]:
        """All messages, of which `ending` is the last."""
        return (*self.messages, Message("user", self.ending)) if self.ending else self.messages


class Origin(StrEnum):
    """Origin of a sample's answer: a proposer, a person, or an earlier candidate with other constants."""

    ASKED = "asked"
    GIVEN = "given"
    TUNED = "tuned"


class AnswerKind(StrEnum):
    """The kind of answer that a sample expects: a reward function, or a text for later prompts."""

    REWARD = "reward"
    TEXT = "text"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One request of a search method, stored before it is sent.

    Attributes:
        id: the candidate's id. Repairs and continuations of an answer are samples of the same id.
        facts: the content of the prompt.
        template: the file in `prompts/` that the prompt is rendered by.
        parents: the candidates that the prompt builds on; for lineage, review and warm starts.
        ending: the final part of the prompt, specific to this sample.
        origin: asked for, given by a person, or made from its parent by changing constants.
        answer: the expected kind of answer: a reward, or a text.
        source: the source of a reward that is not asked for.
        attempt: 0 for the first answer; increases with each repair or continuation.
        continues: whether this asks for the rest of an answer that was cut off.
        given_up: why the sample is no longer asked for, if its prompt is too long for the model.
        notes: data of the search method, such as a candidate's island. A method keeps no other state.
    """

    id: str
    facts: PromptFacts
    template: str = "user.jinja2"
    parents: tuple[str, ...] = ()
    ending: str = ""
    origin: Origin = Origin.ASKED
    answer: AnswerKind = AnswerKind.REWARD
    source: str = ""
    attempt: int = 0
    continues: bool = False
    given_up: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)


class Phase(StrEnum):
    """The parts of a run, in their order."""

    SEARCH = "search"
    CONFIRM = "confirm"
    EVALUATION = "evaluation"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A decision of a search method, recorded at the end of a generation or phase.

    Attributes:
        generation: the generation that ended, or the last one.
        phase: SEARCH at the end of a generation, else the phase that ended.
        best: the best candidate by then, None where no reward was usable.
        stop: whether the search ends without a further generation.
    """

    generation: int
    phase: Phase = Phase.SEARCH
    best: str | None = None
    stop: bool = False


@dataclass(frozen=True)
class Completion:
    """One answer, for the candidate that it was asked for.

    `attempt` is 0 for the first answer and counts further ones from 1; `finish` says why the model stopped: at its
    natural end, at the token limit, or because it refused. `continues` marks the continuation of an attempt that was
    cut off, which is not a repair. `given` marks a source that no proposer wrote.
    """

    candidate_id: str
    text: str
    model: str
    usage: Usage = field(default_factory=Usage)
    attempt: int = 0
    finish: Literal["stop", "length", "refusal"] = "stop"
    continues: bool = False
    given: bool = False

    @property
    def was_asked(self) -> bool:
        """Whether a proposer wrote this answer. Earlier versions did not set `given` for the reward to start from."""
        return not self.given and self.candidate_id != INIT_ID


@dataclass(frozen=True)
class Candidate:
    """A reward function's source extracted from a completion: never imported, only traced in the sandbox.

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
