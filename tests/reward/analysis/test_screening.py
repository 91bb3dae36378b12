"""What is not worth a training, and what the proposer is told."""

import torch
from analysis_graphs import HEIGHT, SPEED, node, text
from in_process import Here, examiner

from eureka.core.types import Rejected, Reward, Stage
from eureka.reward.analysis.confined import Examiner
from eureka.reward.analysis.screening import EarlierReward, Screening
from eureka.reward.analysis.trajectory import Trajectory
from eureka.sandbox import Failed

GENERATOR = torch.Generator().manual_seed(2)
STATE = {
    "speed": torch.randn(50, generator=GENERATOR),
    "height": torch.rand(50, generator=GENERATOR),
    "action": torch.randn(50, 2, generator=GENERATOR),
}


def reward(identity, weight):
    return Reward(identity, text([("mul.Tensor", [SPEED, weight])], node(0), {"speed": SPEED}), ("speed",))


FIRST = EarlierReward(reward("g01-c01", 2.0), "scored 1.5 m/s")


def test_twins_are_told_how_the_first_did():
    screening = Screening(examiner(STATE))
    assert screening.screen(FIRST.reward, []) is None
    again = screening.screen(reward("g02-c03", 2.0), [FIRST])
    assert isinstance(again, Rejected)
    assert (again.candidate_id, again.stage, again.duplicate_of) == ("g02-c03", Stage.SCREEN, "g01-c01")
    assert again.reason == "its total is that of g01-c01, which scored 1.5 m/s: it is not trained again."
    assert again.feedback.startswith(again.reason + " Propose a reward that differs in more than the scale")
    scaled = screening.screen(reward("g02-c04", 0.5), [FIRST])
    assert scaled
    assert scaled.reason.startswith("its total is that of g01-c01 times 0.25, which scored 1.5 m/s")
    other = screening.screen(reward("g02-c05", 0.5), [EarlierReward(reward("g02-c01", 1.0), "")])
    assert other
    assert "which is trained in this generation" in other.reason


def test_what_differs_is_trained():
    height = Reward("g02-c01", text([("mul.Tensor", [HEIGHT, 2.0])], node(0), {"h": HEIGHT}), ("h",))
    assert Screening(examiner(STATE)).screen(height, [FIRST]) is None


def test_backwards_rewards_are_sent_back_with_trajectories_only():
    fall = Trajectory("random", {n: v[:4] * 0.0 for n, v in STATE.items()}, 0.0, True)
    run = Trajectory("trained", {n: v[:4].abs() for n, v in STATE.items()}, 2.0, False)
    wrong = reward("g01-c01", -1.0)
    assert Screening(examiner(STATE)).screen(wrong, []) is None
    verdict = Screening(examiner(STATE, [fall, run], 0.9)).screen(wrong, [])
    assert verdict
    assert verdict.stage is Stage.SCREEN
    assert verdict.reason.startswith("it prefers failing to succeeding")
    assert "must exceed that of failing" in verdict.feedback
    assert Screening(examiner(STATE, [fall, run], 0.9)).screen(reward("g01-c02", 1.0), []) is None


def test_what_breaks_its_process_is_turned_down_and_is_nobodys_twin():
    broken = Failed("killed", "The code crashed its process (SIGFPE).")
    looks = Examiner(Here({b"7.0]": broken}), STATE)
    verdict = Screening(looks).screen(reward("g01-c02", 7.0), [FIRST])
    assert verdict
    assert (verdict.candidate_id, verdict.stage) == ("g01-c02", Stage.SCREEN)
    assert verdict.reason == "on states beyond the recorded ones it breaks its process."
    assert Screening(looks).screen(reward("g01-c03", 3.5), [EarlierReward(reward("g01-c02", 7.0), "")]) is None
