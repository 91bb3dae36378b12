"""Turns down verified rewards that are not worth a training: repetitions of earlier ones, and what prefers failing."""

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
class Tried:
    """A reward that the run has already, and how it did: a sentence, empty where that is not known yet."""

    reward: Reward
    outcome: str


class Screening:
    """Decides by the rewards alone, so that a resumed run decides the same again.

    Args:
        examiner: looks at rewards on recorded transitions; where it has trajectories, a reward that ranks them
            backwards is turned down.
    """

    def __init__(self, examiner: Examiner) -> None:
        self.examiner = examiner

    def screen(self, reward: Reward, tried: Sequence[Tried]) -> Rejected | None:
        """The rejection of a reward that is not worth a training; None for one that is.

        Args:
            tried: the rewards that the run had before it; the first of them that it repeats is named.
        """
        ours = self.examiner.look(reward.graph)
        if isinstance(ours, Failed):
            return _rejected(reward, f"on states beyond the recorded ones {BROKE[ours.kind]}", _SIMPLER)
        for other in tried:
            theirs = self.examiner.look(other.reward.graph)
            factor = None if isinstance(theirs, Failed) else twin_factor(ours.fingerprint, theirs.fingerprint)
            if factor is not None:
                return _rejected(reward, _twin(factor, other), _DIFFERENT, other.reward.candidate_id)
        if ours.ranking is not None and ours.ranking.is_backwards:
            return _rejected(reward, for_person(prefers_failing(ours.ranking)), _RIGHT_WAY)
        return None

    def about(self, reflection: Reflection, reward: Reward) -> Reflection:
        """`reflection` with what the graph of its candidate shows."""
        return with_structure(reflection, structure(parse_graph(reward.graph)))

    def constants(self, reward: Reward) -> Sequence[RewardConstant]:
        """The reward's named constants, with what changing each does to its total; none where it broke its process."""
        seen = self.examiner.look(reward.graph, thorough=True)
        return () if isinstance(seen, Failed) or seen.analysis is None else seen.analysis.parameters


def _twin(factor: float, other: Tried) -> str:
    scale = "" if factor == 1.0 else f" times {factor:.4g}"
    outcome = other.outcome or "is trained in this generation"
    return f"its total is that of {other.reward.candidate_id}{scale}, which {outcome}: it is not trained again"


def _rejected(reward: Reward, message: str, remedy: str, duplicate_of: str | None = None) -> Rejected:
    return Rejected(reward.candidate_id, Stage.SCREEN, f"{message}.", f"{message}. {remedy}", duplicate_of)
