"""A task, rewards and what became of them, from which the tests of prompts are made."""

from dataclasses import replace

from eureka.core.types import (
    ComponentReflection,
    Feedback,
    FieldSpec,
    PromptFacts,
    Reflection,
    Rejected,
    Stage,
    Verdict,
)
from eureka.reward.analysis.diagnosis import of_training

STATE = (
    FieldSpec("hand_position", (3,), "float32", "m", "world", "centre of the palm"),
    FieldSpec("cup_upright", (), "float32", "1", "world", "z of the cup's axis: 1 upright"),
    FieldSpec("holding", (), "bool", "", "", "whether the cup is held"),
)
ENVIRONMENT = '''def terminated(self, state):
    """Ends when the cup falls over."""
    return state.cup_upright < 0.2
'''
SOURCE = """import torch


def compute_reward(
    hand_position: torch.Tensor, cup_upright: torch.Tensor, holding: torch.Tensor
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    height_temperature = 0.001
    lift = torch.exp((hand_position[:, 2] - 1.0) / height_temperature)
    upright = 0.5 * cup_upright
    grasp = 0.001 * holding.float()
    total = lift + upright + grasp
    return total, {"lift": lift, "upright": upright, "grasp": grasp}
"""
REFLECTION = Reflection(
    candidate_id="g01-c02",
    source=SOURCE,
    steps=(10000, 20000, 30000),
    metric_points=(0.0, 0.125, 0.25),
    metric_max=0.26,
    metric_final=0.25,
    action_std=0.314,
    episode_length_points=(12.0, 340.5, 1000.0),
    total_points=(0.1, 0.2, 0.4567),
    components=(
        ComponentReflection(
            name="lift",
            points=(0.0, 0.0, 0.0),
            mean=0.0,
            minimum=0.0,
            maximum=0.004,
            std=0.00001,
            variance_share=0.0,
            active_fraction=0.002,
            metric_correlation=None,
        ),
        ComponentReflection(
            name="upright",
            points=(0.1, 0.2, 0.456),
            mean=0.25,
            minimum=-0.5,
            maximum=0.5,
            std=0.125,
            variance_share=0.995,
            active_fraction=0.998,
            metric_correlation=0.3,
        ),
        ComponentReflection(
            name="grasp",
            points=(0.0, 0.0, 0.0007),
            mean=0.0002,
            minimum=0.0,
            maximum=0.001,
            std=0.0004,
            variance_share=0.005,
            active_fraction=0.23,
            metric_correlation=0.6,
        ),
    ),
)
REFLECTION = replace(REFLECTION, diagnoses=of_training(REFLECTION))
HACKED = replace(
    REFLECTION,
    candidate_id="g02-c04",
    metric_points=(0.02, 0.021, 0.02),
    metric_max=0.021,
    metric_final=0.02,
    episode_length_points=(500.0, 430.0, 310.0),
    components=(replace(REFLECTION.components[1], metric_correlation=-0.4), REFLECTION.components[2]),
)
HACKED = replace(HACKED, diagnoses=of_training(HACKED))
REJECTED = (
    Rejected(
        "g01-c01",
        Stage.TRACE,
        "It branches.",
        "line 5: `if holding.any():`: it decides in Python on the values of a tensor. All environments are computed at "
        "once: use torch.where(condition, a, b).",
    ),
    Rejected(
        "g01-c03",
        Stage.EXTRACT,
        "The answer holds no Python code, only prose.",
        "The answer holds no Python code, only prose. Answer with one ```python block.",
    ),
)
TWIN = Rejected(
    "g02-c01",
    Stage.SCREEN,
    "its total is that of g01-c02 times 2, which scored 1.5 m/s: it is not trained again.",
    "its total is that of g01-c02 times 2, which scored 1.5 m/s: it is not trained again. Propose a reward that "
    "differs in more than the scale of the total: other terms, shapes or relative weights.",
)
BRANCHES = """import torch

def compute_reward(cup_upright, holding):
    reward = cup_upright
    if holding.any():
        reward = reward + 1.0
    return reward, {"reward": reward}
"""
FEEDBACK = (
    Feedback(
        generation=2,
        verdict=Verdict.CHOICE,
        shown=("g01-c02", "g02-c03", "g02-c04"),
        best="g02-c04",
        worst="g02-c03",
        text="it tips the cup; keep it level",
    ),
    Feedback(generation=1, verdict=Verdict.NONE_GOOD, shown=("g01-c02", "g01-c04")),
)
PREFERRED = replace(
    REFLECTION,
    metric_points=(),
    metric_max=0.7,
    metric_final=0.7,
    components=tuple(replace(c, metric_correlation=None) for c in REFLECTION.components),
)
PREFERRED = replace(PREFERRED, diagnoses=of_training(PREFERRED))
RAW = "Here is a sketch:\n\n```python\nreward = upright - effort\n```"


RANGES = {"hand_position": ((-0.1, 0.2), (-0.15, 0.15), (0.4, 0.62)), "cup_upright": ((0.3, 1.0),)}


def facts(generation: int, reflection: Reflection | None = None, rejected: tuple[Rejected, ...] = ()) -> PromptFacts:
    return PromptFacts("cup", 0, generation, STATE, reflection, rejected, training_steps=400_000, random_ranges=RANGES)
