"""The configuration of a run: typed, composed from overrides such as `task=ant search.samples=4 budget=paper`.

Overrides have Hydra's grammar. Two keys are groups: `llm` chooses the proposer, `budget` presets the amount of
training.
"""

from eureka.config.compose import (
    change_resumed,
    compose_config,
    default_budget,
    environment_from_yaml,
    from_yaml,
    to_yaml,
)
from eureka.config.environments import EnvironmentKind
from eureka.config.schema import (
    BUDGETS,
    HUMAN,
    PRESETS,
    Choices,
    EnvConfig,
    EvaluationConfig,
    FeedbackMode,
    Films,
    Halving,
    Parent,
    PhysicsChoice,
    ProposerConfig,
    ReportConfig,
    RunConfig,
    SandboxMode,
    SearchConfig,
    SimulatorConfig,
    TrackingConfig,
    TrainConfig,
    at_least,
    declared_values,
)
from eureka.config.sweep import SweepJob, sweep

__all__ = [
    "BUDGETS",
    "HUMAN",
    "PRESETS",
    "Choices",
    "EnvConfig",
    "EnvironmentKind",
    "EvaluationConfig",
    "FeedbackMode",
    "Films",
    "Halving",
    "Parent",
    "PhysicsChoice",
    "ProposerConfig",
    "ReportConfig",
    "RunConfig",
    "SandboxMode",
    "SearchConfig",
    "SimulatorConfig",
    "SweepJob",
    "TrackingConfig",
    "TrainConfig",
    "at_least",
    "change_resumed",
    "compose_config",
    "declared_values",
    "default_budget",
    "environment_from_yaml",
    "from_yaml",
    "sweep",
    "to_yaml",
]
