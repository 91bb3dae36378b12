"""What became of every candidate, and the share of usable ones with repair and without."""

from pathlib import Path

from loop_fakes import GOOD, Make

from eureka.core.ids import INIT_ID
from eureka.core.types import Candidate, Completion, Prompt, PromptFacts, Rejected, Reward, Stage
from eureka.search.status import CandidateStatus, candidate_statuses, share_line, summary_lines
from eureka.store import RunStore

NAMES = [f"g01-c{sample:02d}" for sample in range(1, 8)]


def record(store: RunStore, make_result: Make) -> None:
    """Seven candidates, of which each came another way."""
    trained, mended, continued, rejected, pending, untrained, unanswered = NAMES

    def verify(name: str) -> None:
        store.record_candidate(Candidate(name, "source", ("a",)))
        store.record_reward(Reward(name, "{}", ("a",)))

    facts = PromptFacts("t", 0, 1, ())
    store.record_prompts({name: Prompt((), facts) for name in NAMES})
    store.record_calls(NAMES)
    store.record_completion(Completion(trained, GOOD, "m"))
    verify(trained)
    store.record_result(make_result(trained, (2.0, 3.0)))
    store.record_result(make_result(trained, (4.0, 3.0), seed=1))

    store.record_completion(Completion(mended, "prose", "m"))
    store.record_rejection(Rejected(mended, Stage.EXTRACT, "no code", "no code"))
    store.record_completion(Completion(mended, GOOD, "m", attempt=1))
    verify(mended)
    store.record_result(make_result(mended, (1.5,)))

    store.record_completion(Completion(continued, "half", "m", finish="length"))
    store.record_rejection(Rejected(continued, Stage.EXTRACT, "cut off", "cut off"))
    store.record_completion(Completion(continued, "rest", "m", attempt=1, continues=True))
    verify(continued)
    store.record_result(make_result(continued, (1.0,)))

    for attempt in range(3):
        store.record_completion(Completion(rejected, "prose", "m", attempt=attempt))
        store.record_rejection(Rejected(rejected, Stage.EXTRACT, f"bad {attempt}", "bad"))

    store.record_completion(Completion(pending, GOOD, "m"))
    store.record_completion(Completion(untrained, GOOD, "m"))
    verify(untrained)
    assert unanswered not in store.completions()


def test_every_candidate_has_its_status(tmp_path: Path, make_result: Make) -> None:
    with RunStore.create(tmp_path / "run", "") as store:
        assert summary_lines(candidate_statuses(store), "s") == []
        record(store, make_result)
        found = candidate_statuses(store)
        lines = summary_lines(found, "s")
    assert [status.candidate_id for status in found] == NAMES
    assert [status.usable for status in found] == [True, True, True, False, False, True, False]
    # The one that went on where it was cut off took no repair.
    assert [status.usable_at_once for status in found] == [True, False, True, False, False, True, False]
    assert [status.repairs for status in found] == [0, 1, 0, 2, 0, 0, 0]
    assert lines == [
        "what became of the candidates:",
        "  g01-c01  trained: 3 s",
        "  g01-c02  trained after 1 repair: 1.5 s",
        "  g01-c03  trained: 1 s",
        "  g01-c04  rejected (extract) after 2 repairs: bad 2",
        "  g01-c05  answered, not judged yet",
        "  g01-c06  usable, not trained yet",
        "  g01-c07  asked, no answer",
        "usable: 4 of 7 candidates (57%), without repair 3 of 7 (43%); 3 repairs were asked for",
    ]


def test_where_all_were_usable_at_once_that_is_said_alone() -> None:
    good = [CandidateStatus(name, 1, 0, usable=True, usable_at_once=True) for name in NAMES[:4]]
    assert summary_lines(good, "s") == ["usable: 4 of 4 candidates (100%)"]
    mended = [*good[:3], CandidateStatus(NAMES[3], 2, 1, usable=True, usable_at_once=False)]
    assert share_line(mended) == (
        "usable: 4 of 4 candidates (100%), without repair 3 of 4 (75%); 1 repair was asked for"
    )
    assert len(summary_lines(mended, "s")) == 6


def test_what_training_refused_is_not_usable(tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", "") as store:
        store.record_completion(Completion(NAMES[0], GOOD, "m"))
        store.record_candidate(Candidate(NAMES[0], "source", ("a",)))
        store.record_reward(Reward(NAMES[0], "{}", ("a",)))
        store.record_rejection(Rejected(NAMES[0], Stage.TRAIN, "it became infinite", "clamp"))
        (status,) = candidate_statuses(store)
    assert not status.usable
    assert summary_lines([status], "s")[1] == "  g01-c01  rejected (train): it became infinite"


def test_a_twin_is_usable_but_not_in_the_race(tmp_path: Path) -> None:
    twin, left = Rejected(NAMES[0], Stage.SCREEN, "a twin", "differ"), NAMES[1]
    with RunStore.create(tmp_path / "run", "") as store:
        for name, answers in ((NAMES[0], 2), (left, 1)):
            for attempt in range(answers):
                store.record_completion(Completion(name, GOOD, "m", attempt=attempt))
                store.record_candidate(Candidate(name, "source", ("a",)))
                store.record_reward(Reward(name, "{}", ("a",)))
                store.record_rejection(Rejected(name, Stage.SCREEN, twin.reason, twin.feedback))
        store.record_completion(Completion(left, "prose", "m", attempt=1))
        store.record_rejection(Rejected(left, Stage.EXTRACT, "prose", "prose"))
        found = candidate_statuses(store)
    # The second was a usable twin at once, and its repair was worse.
    assert [(status.usable_at_once, status.usable) for status in found] == [(True, True), (True, False)]
    assert summary_lines(found, "s")[1] == "  g01-c01  rejected (screen) after 1 repair: a twin"


def test_what_was_given_to_start_from_is_told_and_not_counted() -> None:
    given = CandidateStatus(INIT_ID, 1, 0, True, True, score=2.0, was_asked=False)
    asked = CandidateStatus(
        "g01-c01", 1, 0, False, False, rejected=Rejected("g01-c01", Stage.TRACE, "it loops", "it loops")
    )
    assert summary_lines([given], "s") == []
    assert summary_lines([given, asked], "s") == [
        "what became of the candidates:",
        "  g01-c00  given to start from; trained: 2 s",
        "  g01-c01  rejected (trace): it loops",
        "usable: 0 of 1 candidates (0%)",
    ]
