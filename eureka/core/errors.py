"""Failures of the host. (Failures of generated code are values: `eureka.core.types.Rejected`.)

EurekaError                 anything that stops a run; its text is one sentence for the user
├── ConfigError             a key, a value or a choice that does not exist
├── TaskError               a task folder that cannot be used
├── PhysicsError            an engine that lacks what the task declares
├── SandboxUnavailable      a mandatory layer of confinement is missing on this machine
├── SandboxError            the sandbox's own machinery failed
├── ProposerError           the proposer cannot go on (no key, no answer, nothing left to replay)
│   ├── ContextTooLong      the prompt is longer than the model takes; a shorter one may do
│   └── BudgetReached       a cap on money, tokens or time leaves no room for another answer
├── TrainingError           the trainer's machinery failed
├── VideoError              a video cannot be made
│   └── RenderingUnavailable  nothing on this machine can draw without a screen
├── StoreError              a run folder that cannot be written or read
├── FeedbackError           a person's answer that cannot be used
└── SearchFailed            the search ended without one usable reward
"""


class EurekaError(Exception):
    """Base of every failure of the host; `str(error)` says what was wrong, where, and what to do."""


class ConfigError(EurekaError):
    """A key, a value or a choice that does not exist."""


class TaskError(EurekaError):
    """A task folder that cannot be used."""


class PhysicsError(EurekaError):
    """An engine that lacks what the task declares, or a model that does not compile."""


class SandboxUnavailable(EurekaError):
    """A mandatory layer of confinement is missing on this machine."""


class SandboxError(EurekaError):
    """The sandbox's own machinery failed (not the code inside it)."""


class ProposerError(EurekaError):
    """The proposer cannot continue."""


class ContextTooLong(ProposerError):
    """The prompt is longer than the model accepts; a shorter one may fit."""


class BudgetReached(ProposerError):
    """A cap on money, tokens or time leaves no room for another answer."""


class TrainingError(EurekaError):
    """The trainer's machinery failed (not one candidate's training)."""


class VideoError(EurekaError):
    """A video cannot be made."""


class RenderingUnavailable(VideoError):
    """Nothing on this machine can draw without a screen."""


class StoreError(EurekaError):
    """A run folder that cannot be written or read."""


class FeedbackError(EurekaError):
    """A person's answer about a generation that cannot be used."""


class SearchFailed(EurekaError):
    """The search ended without one usable reward."""
