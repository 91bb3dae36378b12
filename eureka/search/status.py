"""The final status of every candidate of a run, for the summary at its end and for counts of usable candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from eureka.core.ids import INIT_ID
from eureka.core.text import table
from eureka.core.types import AnswerKind, Completion, Rejected, Stage
from eureka.search.outcomes import by_candidate, pooled_score
from eureka.search.preferences import preference_scores
from eureka.search.racing import stopped_after
from eureka.store import RunStore


@dataclass(frozen=True)
class CandidateStatus:
    """The status of one candidate.

    `repairs` counts its answers beyond the first, without continuations of one that was cut off. `usable` means that
    its last answer gave a verified reward that failed in no training, whether or not it was worth training;
    `usable_at_once` is the same for its first answer. `rejected` is the reason for its rejection; None if it was not
    rejected or not answered. `stopped_after` is the number of control steps after which its race stopped it.
    `was_asked` is False if a person gave it or tuning made it.
    """

    candidate_id: str
    answers: int
    repairs: int
    usable: bool
    usable_at_once: bool
    score: float | None = None
    rejected: Rejected | None = None
    stopped_after: int | None = None
    was_asked: bool = True


def candidate_statuses(store: RunStore) -> list[CandidateStatus]:
    """The status of every candidate that was asked for or has an answer, in order of ids."""
    answers = store.completions()
    history = by_candidate(store.rejections(every_attempt=True))
    rejected = {rejection.candidate_id: rejection for rejection in store.rejections()}
    verified = {reward.candidate_id for reward in store.rewards()}
    results = by_candidate(store.results())
    stopped = stopped_after(results)
    in_flight = {call.candidate_id for call in store.calls_in_flight()}
    preferences = preference_scores(store)
    scores = {n: pooled_score(r) if preferences is None else preferences.get(n, 0.0) for n, r in results.items()}
    found = []
    texts = {sample.id for sample in store.samples() if sample.answer is AnswerKind.TEXT}
    for name in sorted((answers.keys() | in_flight) - texts):
        given = answers.get(name, ())
        usable = name in verified and not _ends_candidate(rejected.get(name))
        found.append(
            CandidateStatus(
                candidate_id=name,
                answers=len(given),
                repairs=sum(not answer.continues for answer in given[1:]),
                usable=usable,
                usable_at_once=_usable_at_once(given, history.get(name, []), usable),
                score=scores[name] if name in results and name not in rejected else None,
                rejected=rejected.get(name),
                stopped_after=stopped.get(name),
                was_asked=all(answer.was_asked for answer in given),
            )
        )
    return found


def _usable_at_once(answers: Sequence[Completion], rejections: Sequence[Rejected], usable: bool) -> bool:
    """Whether the first answer was usable, together with its continuation if it was cut off.

    An answer is followed by another only if it was rejected, so the rejections are in the order of the answers.
    """
    first = 1 if len(answers) > 1 and answers[1].continues else 0
    return usable if first == len(answers) - 1 else first < len(rejections) and not _ends_candidate(rejections[first])


def _ends_candidate(rejected: Rejected | None) -> bool:
    """Whether a rejection leaves a candidate without a usable reward."""
    return rejected is not None and rejected.stage is not Stage.SCREEN


def summary_lines(statuses: Sequence[CandidateStatus], unit: str) -> list[str]:
    """Summary of how many candidates were usable; lists each candidate first, unless all were usable and trained at
    once.

    Args:
        unit: of the task metric.
    """
    if not any(status.was_asked for status in statuses):
        return []
    share = share_line(statuses)
    if all(status.usable_at_once and status.rejected is None for status in statuses):
        return [share]
    rows = table([(f"  {status.candidate_id}", in_words(status, unit)) for status in statuses])
    return ["what became of the candidates:", *rows, share]


def share_line(statuses: Sequence[CandidateStatus]) -> str:
    """`usable: 5 of 16 candidates (31%), without repair 2 of 16 (12%); 23 repairs were asked for`.

    Only candidates that a proposer was asked for count, so neither a person's reward to start from nor tuned ones.
    """
    statuses = [status for status in statuses if status.was_asked]
    count = len(statuses)
    usable = sum(status.usable for status in statuses)
    at_once = sum(status.usable_at_once for status in statuses)
    repairs = sum(status.repairs for status in statuses)
    text = f"usable: {usable} of {count} candidates ({usable / count:.0%})"
    if not repairs:
        return text
    asked = "1 repair was asked for" if repairs == 1 else f"{repairs} repairs were asked for"
    return f"{text}, without repair {at_once} of {count} ({at_once / count:.0%}); {asked}"


def in_words(status: CandidateStatus, unit: str) -> str:
    """A candidate's status in words."""
    if status.candidate_id == INIT_ID:
        return f"given to start from; {in_words(replace(status, candidate_id='', was_asked=True), unit)}"
    if not status.was_asked:
        return f"with other constants; {in_words(replace(status, was_asked=True), unit)}"
    after = (
        "" if status.repairs == 0 else " after 1 repair" if status.repairs == 1 else f" after {status.repairs} repairs"
    )
    if status.rejected is not None:
        return f"rejected ({status.rejected.stage}){after}: {status.rejected.reason}"
    if status.answers == 0:
        return "asked, no answer"
    if not status.usable:
        return f"answered{after}, not judged yet"
    if status.score is None:
        return f"usable{after}, not trained yet"
    until = f" for {status.stopped_after:,} steps" if status.stopped_after else ""
    return f"trained{after}{until}: {status.score:.3g} {unit}"
