"""The configuration of a run: typed, composed from overrides such as `task=ant search.samples=4 budget=paper`.

The dataclasses of `schema` are registered with Hydra's ConfigStore, in a private one, so that a program that uses
Hydra itself notices nothing. Two keys are groups: `llm` chooses who proposes, `budget` presets how much is spent.
"""

from eureka.config.compose import change_resumed, compose_config, default_budget, from_yaml, to_yaml
from eureka.config.schema import (
    BUDGETS,
    DEFAULT_MODELS,
    PROPOSERS,
    AnthropicConfig,
    Effort,
    EvaluationConfig,
    FeedbackMode,
    Films,
    Halving,
    ModelConfig,
    OpenAIConfig,
    Parent,
    PhysicsChoice,
    ProgramSearchConfig,
    ProposerConfig,
    ReplayConfig,
    ReportConfig,
    RunConfig,
    SandboxMode,
    SearchConfig,
    TrackingConfig,
    TrainConfig,
    declared_values,
)
from eureka.config.sweep import SweepJob, sweep

__all__ = [
    "BUDGETS",
    "DEFAULT_MODELS",
    "PROPOSERS",
    "AnthropicConfig",
    "Effort",
    "EvaluationConfig",
    "FeedbackMode",
    "Films",
    "Halving",
    "ModelConfig",
    "OpenAIConfig",
    "Parent",
    "PhysicsChoice",
    "ProgramSearchConfig",
    "ProposerConfig",
    "ReplayConfig",
    "ReportConfig",
    "RunConfig",
    "SandboxMode",
    "SearchConfig",
    "SweepJob",
    "TrackingConfig",
    "TrainConfig",
    "change_resumed",
    "compose_config",
    "declared_values",
    "default_budget",
    "from_yaml",
    "sweep",
    "to_yaml",
]
