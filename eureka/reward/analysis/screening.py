"""Rejects verified rewards that are not worth training: duplicates of earlier ones, and those that prefer failing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eureka.core.types import Reflection, Rejected, Reward, Stage
from eureka.prompts import for_person
from eureka.reward.analysis.confined import Examiner
from eureka.reward.analysis.diagnosis import prefers_failing, with_structure
from eureka.reward.analysis.fingerprint import twin_factor
from eureka.reward.analysis.parameters import RewardConstant
from eureka.reward.analysis.structure import structure
from eureka.reward.graph.parse import parse_graph
from eureka.reward.trace.service import BROKE
from eureka.sandbox import Failed

_DIFFERENT = (
    "Propose a reward that differs in more than the scale of the total: other terms, shapes or relative weights."
)
_SIMPLER = "Write it in simpler operations, and divide floating point numbers alone."
_RIGHT_WAY = (
    "The return of doing the task must exceed that of failing: check the signs, make the total of an ordinary step "
    "positive if episodes can end early, and give the main component more weight than the penalties."
)


@dataclass(frozen=True)
class EarlierReward:
    """An earlier reward of the run, and its result as a sentence, empty if it is not known yet."""

    reward: Reward
    outcome: str


class Screening:
    """Decides by the rewards alone, so that a resumed run makes the same decisions.

    Args:
        examiner: examines rewards on recorded transitions; if it has trajectories, a reward that ranks them backwards
            is rejected.
    """

    def __init__(self, examiner: Examiner) -> None:
        self.examiner = examiner

    def screen(self, reward: Reward, tried: Sequence[EarlierReward]) -> Rejected | None:
        """The rejection of a reward that is not worth training; None if it is.

        Args:
            tried: the earlier rewards of the run; the first one with the same reward is named in the rejection.
        """
        ours = self.examiner.examine(reward.graph)
        if isinstance(ours, Failed):
            return _rejected(reward, f"on states beyond the recorded ones {BROKE[ours.kind]}", _SIMPLER)
        for other in tried:
            theirs = self.examiner.examine(other.reward.graph)
            factor = None if isinstance(theirs, Failed) else twin_factor(ours.fingerprint, theirs.fingerprint)
            if factor is not None:
                return _rejected(reward, _twin(factor, other), _DIFFERENT, other.reward.candidate_id)
        if ours.ranking is not None and ours.ranking.is_backwards:
            return _rejected(reward, for_person(prefers_failing(ours.ranking)), _RIGHT_WAY)
        return None

    def about(self, reflection: Reflection, reward: Reward) -> Reflection:
        """`reflection` with diagnoses from the graph of its candidate."""
        return with_structure(reflection, structure(parse_graph(reward.graph)))

    def constants(self, reward: Reward) -> Sequence[RewardConstant]:
        """The reward's named constants, with the effect of changing each on the total; empty if it crashed its
        process."""
        seen = self.examiner.examine(reward.graph, thorough=True)
        return () if isinstance(seen, Failed) or seen.analysis is None else seen.analysis.parameters


def _twin(factor: float, other: EarlierReward) -> str:
    scale = "" if factor == 1.0 else f" times {factor:.4g}"
    outcome = other.outcome or "is trained in this generation"
    return f"its total is that of {other.reward.candidate_id}{scale}, which {outcome}: it is not trained again"


def _rejected(reward: Reward, message: str, remedy: str, duplicate_of: str | None = None) -> Rejected:
    return Rejected(reward.candidate_id, Stage.SCREEN, f"{message}.", f"{message}. {remedy}", duplicate_of)
