"""Turns answers into verified rewards that are worth training: extract, verify, screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from eureka.core.ids import INIT_ID, generation_of
from eureka.core.types import Candidate, Rejected, Reward, Stage
from eureka.reward.analysis.screening import EarlierReward, Screening
from eureka.reward.extract.extraction import extract, extract_continued
from eureka.search.history import History
from eureka.search.sampling import expects_reward
from eureka.store import RunStore


class Verifier(Protocol):
    """Turns candidates into verified rewards."""

    def verify_all(self, candidates: Sequence[Candidate]) -> list[Reward | Rejected]: ...


@dataclass
class Judge:
    """Takes answers through extraction, verification and screening.

    Args:
        reject: called with every rejection, to record it.
        screening: selects the rewards that are not worth training; None: all are trained.
    """

    store: RunStore
    verifier: Verifier
    screening: Screening | None
    reject: Callable[[Rejected], None]
    _screened: set[tuple[str, str]] = field(default_factory=set)

    def judge(self, history: History) -> bool:
        """Run the next stage for every candidate that is ready for it; False if there is none."""
        return self._extract(history) or self._verify(history) or self._screen(history)

    def _extract(self, history: History) -> bool:
        settled = history.candidates.keys() | history.rejections.keys()
        waiting = [n for n in sorted(history.answers) if n not in settled and expects_reward(history, n)]
        for name in waiting:
            newest, fields = history.answers[name][-1], history.spec.fields
            if newest.continues:
                found = extract_continued(history.answers[name][-2], newest, fields)
            else:
                found = extract(newest, fields)
            self.reject(found) if isinstance(found, Rejected) else self.store.record_candidate(found)
        return bool(waiting)

    def _verify(self, history: History) -> bool:
        settled = history.rewards.keys() | history.rejections.keys()
        waiting = [candidate for name, candidate in history.candidates.items() if name not in settled]
        for verdict in self.verifier.verify_all(waiting):
            self.reject(verdict) if isinstance(verdict, Rejected) else self.store.record_reward(verdict)
        return bool(waiting)

    def _screen(self, history: History) -> bool:
        """Reject rewards that are not worth training; of several equal rewards only the first is kept."""
        if self.screening is None:
            return False
        pending = [
            reward
            for name, reward in history.rewards.items()
            if generation_of(name) == history.generation and name != INIT_ID and name not in history.rejections
        ]
        waiting = [reward for reward in pending if _key(reward) not in self._screened]
        tried = _tried(history) + [EarlierReward(reward, "") for reward in pending if _key(reward) in self._screened]
        rejected = False
        for reward in sorted(
            waiting, key=lambda reward: (len(history.answers[reward.candidate_id]), reward.candidate_id)
        ):
            verdict = self.screening.screen(reward, tried)
            if verdict is None:
                self._screened.add(_key(reward))
                tried.append(EarlierReward(reward, ""))
            else:
                rejected = True
                self.reject(verdict)
        return rejected


def _key(reward: Reward) -> tuple[str, str]:
    """Key of a candidate's reward that distinguishes its newest answer from earlier ones."""
    return reward.candidate_id, reward.graph


def _tried(history: History) -> list[EarlierReward]:
    """Every reward that was put into training before this generation, including those that failed there."""
    scores = {outcome.candidate.id: outcome.score for outcome in history.outcomes}
    unit = history.spec.unit
    tried = []
    for name, reward in history.rewards.items():
        if name != INIT_ID and generation_of(name) >= history.generation:
            continue
        rejected = history.rejections.get(name)
        if name in scores:
            tried.append(EarlierReward(reward, f"scored {scores[name]:.4g} {unit}"))
        elif rejected is not None and rejected.stage is Stage.TRAIN:
            tried.append(EarlierReward(reward, "failed in training"))
    return tried
