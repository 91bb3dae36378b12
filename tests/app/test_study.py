"""A search whose rewards are trained elsewhere: asked for, and told."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from eureka.app.study import Study
from eureka.core.errors import ConfigError
from eureka.store import RunStore

KEYS = {
    "llm": "program_search",
    "llm.use_probe": False,
    "search": {"generations": 2, "samples": 2, "finalists": 2, "confirmation_seeds": 1, "method": "greedy"},
    "budget": "quick",
}


@pytest.mark.process
def test_rewards_are_asked_for_and_told(tmp_path: Path) -> None:
    state = {
        "pole_angle": torch.tensor([0.1, -0.2]),
        "pole_angular_velocity": torch.zeros(2),
        "cart_position": torch.zeros(2),
        "cart_velocity": torch.ones(2),
        "action": torch.tensor([0, 1]),
    }
    told: dict[str, list[float]] = {}
    with Study(env="CartPole-v1", description="balance", output=str(tmp_path / "run"), **KEYS) as study:
        first = study.ask()
        second = study.ask()
        assert first is not None
        assert second is not None
        assert (first.id, second.id) == ("g01-c01", "g01-c02")
        total, components = first.compute(state)
        assert total.shape == (2,)
        assert components
        assert "def compute_reward(" in first.module
        with pytest.raises(ConfigError, match="every reward of this step was asked for: tell the scores of g01-c01"):
            study.ask()
        with pytest.raises(ConfigError, match="scores must be finite numbers"):
            study.tell(first, [float("nan")])
        study.tell(first, [1.0, 3.0])
        with pytest.raises(ConfigError, match="was told before"):
            study.tell(first, 1.0)
        study.tell(second, None, reason="the robot fell over")
        number = 0
        while (candidate := study.ask()) is not None:
            number += 1
            told.setdefault(candidate.id, []).append(float(number))
            study.tell(candidate, float(number))
        assert study.ask() is None
        assert "def compute_reward(" in study.best
    with RunStore.open(tmp_path / "run", read_only=True) as store:
        assert store.is_finished
        assert {r.candidate_id: r.reason for r in store.rejections()}["g01-c02"] == "the robot fell over"
        kept: dict[str, list[float]] = {}
        for result in store.results():
            kept.setdefault(result.candidate_id, []).append(result.score)
        assert kept.pop("g01-c01")[0] == 2.0  # the mean of 1 and 3
        assert all(set(values) <= set(kept[name]) for name, values in told.items() if name in kept)
        # Two rewards of the second generation, and the finalists once more with another seed.
        assert {name for name in kept if name.startswith("g02")} <= {"g02-c01", "g02-c02"}
        assert number >= 3
    assert (tmp_path / "run" / "best" / "reward.py").is_file()
