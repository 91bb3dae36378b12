"""The configuration of a run: typed, composed from overrides such as `task=ant search.samples=4 budget=paper`.

Overrides have Hydra's grammar. Two keys are groups: `llm` chooses the proposer, `budget` presets the amount of
training.
"""

from eureka.config.compose import environment_from_yaml, to_yaml
from eureka.config.environments import EnvironmentKind
from eureka.config.schema import (
    BUDGETS,
    HUMAN,
    Choices,
    EnvConfig,
    EvaluationConfig,
    FeedbackMode,
    Films,
    Halving,
    Parent,
    PhysicsChoice,
    ProposerConfig,
    RunConfig,
    SandboxMode,
    SearchConfig,
    SimulatorConfig,
    at_least,
    declared_values,
)
from eureka.config.sweep import sweep

__all__ = [
    "BUDGETS",
    "HUMAN",
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
    "RunConfig",
    "SandboxMode",
    "SearchConfig",
    "SimulatorConfig",
    "at_least",
    "declared_values",
    "environment_from_yaml",
    "sweep",
    "to_yaml",
]
