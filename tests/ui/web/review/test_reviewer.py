"""The run's side: it waits, takes the answer or goes on without, and a person's best is the next parent."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from loop_fakes import ScriptedTrainer, build_run, prompt_of

from eureka.core.errors import FeedbackError
from eureka.core.serialize import dumps
from eureka.core.training import TrainingResult
from eureka.core.types import Feedback, Verdict
from eureka.search.loop import evolve
from eureka.store import RunStore
from eureka.ui.video.film import FilmNote, film_of_review
from eureka.ui.web.review.answers import (
    Review,
    answered_about,
    newest_review,
    one_line,
    read_answer,
    review_folder,
    write_answer,
    write_review,
)
from eureka.ui.web.review.reviewer import PersonReviewer, clock, described, leave_answers
from eureka.ui.web.review.state import film_states

Make = Callable[..., TrainingResult]
WORDS = "it hops on one leg; keep the torso level"


def no_film(generation: int, names: Sequence[str]) -> None:
    """Stands in for what has films made."""


def choice(generation: int, best: str | None = None, worst: str | None = None, text: str = "") -> Feedback:
    return Feedback(generation=generation, verdict=Verdict.CHOICE, shown=(), best=best, worst=worst, text=text)


def reviewer(folder: Path, told: list[str], **changes: object) -> PersonReviewer:
    defaults: dict[str, object] = {"asks": False, "timeout_s": 60.0, "film": no_film}
    return PersonReviewer(folder=folder, say=told.append, **{**defaults, **changes})  # type: ignore[arg-type]


def parents(store: RunStore) -> list[str | None]:
    prompts = [prompt_of(store, generation) for generation in (1, 2, 3)]
    return [p.facts.reflection.candidate_id if p and p.facts.reflection else None for p in prompts]


def test_a_persons_best_is_the_parent_and_their_words_are_told(folder: Path, make_result: Make) -> None:
    told: list[str] = []
    leave_answers(folder, [choice(1, "g01-c01", "g01-c02", WORDS)])
    run = build_run(folder, make_result, reviewer=reviewer(folder, told))
    with run.store:
        assert evolve(run).candidate.id == "g03-c02"
        # After generation 2 nobody was asked: the metric decides again.
        assert parents(run.store) == [None, "g01-c01", "g02-c02"]
        second, third = (prompt_of(run.store, generation) for generation in (2, 3))
        assert run.store.feedback() == [
            Feedback(
                generation=1,
                verdict=Verdict.CHOICE,
                shown=("g01-c01", "g01-c02"),
                best="g01-c01",
                worst="g01-c02",
                text=WORDS,
            )
        ]
    assert second
    assert third
    assert WORDS in second.messages[1].content
    assert WORDS in third.messages[1].content
    assert second.facts.worst_source.startswith("def compute_reward")
    assert told == [f'generation 1 was judged by a person: best g01-c01, worst g01-c02; "{WORDS}"']


def test_the_parent_is_shown_beside_the_next_generation(folder: Path, make_result: Make) -> None:
    leave_answers(folder, [choice(1, "g01-c01"), choice(2, "g01-c01", "g02-c01")])
    run = build_run(folder, make_result, reviewer=reviewer(folder, []))
    with run.store:
        evolve(run)
        assert [said.shown for said in run.store.feedback()] == [
            ("g01-c01", "g01-c02"),
            ("g01-c01", "g02-c01", "g02-c02"),
        ]
        assert parents(run.store) == [None, "g01-c01", "g01-c01"]


@pytest.mark.usefixtures("polls_often")
def test_it_waits_for_an_answer_and_not_after_the_last_generation(folder: Path, searching: Callable) -> None:
    with searching(folder) as run:
        run.wait_for_review(1)
        time.sleep(0.1)
        with RunStore.open(folder, read_only=True) as store:
            assert store.finished_generations() == {}
        review = newest_review(folder)
        assert review is not None
        assert (review.generation, review.shown, review.parent) == (1, ("g01-c01", "g01-c02"), None)
        assert abs((review.until or 0) - time.time() - 60) < 30
        write_answer(folder, choice(1, "g01-c01"))
    assert f"`eureka review {folder}`; the run waits until {clock(review.until)}" in run.told[0]
    with RunStore.open(folder, read_only=True) as store:
        assert list(store.finished_generations()) == [1, 2]
        assert [said.best for said in store.feedback()] == ["g01-c01"]
    assert newest_review(folder) == review


@pytest.mark.usefixtures("polls_often")
def test_without_an_answer_it_goes_on_and_does_not_ask_again(folder: Path, make_result: Make) -> None:
    told: list[str] = []
    for _ in range(2):
        run = build_run(folder, make_result, reviewer=reviewer(folder, told, asks=True, timeout_s=0.05))
        with run.store:
            evolve(run)
            assert [said.verdict for said in run.store.feedback()] == [Verdict.NO_ANSWER] * 2
            assert parents(run.store) == [None, "g01-c02", "g02-c02"]
            prompt = prompt_of(run.store, 2)
    assert prompt
    assert prompt.facts.feedback == ()
    assert "What a person says" not in prompt.messages[1].content
    assert sum("nobody reviewed" in text for text in told) == 2


@pytest.mark.usefixtures("polls_often")
def test_killed_while_it_waits_it_waits_again_and_finds_the_answer(folder: Path, make_result: Make) -> None:
    class Killed(Exception): ...

    def kill(text: str) -> None:
        raise Killed

    trainer = ScriptedTrainer(make_result, {"g01-c01": 1.0, "g01-c02": 2.0, "g02-c01": 3.0, "g02-c02": 4.0})
    for _ in range(2):
        waiting = PersonReviewer(folder, asks=True, timeout_s=60.0, say=kill, film=no_film)
        run = build_run(folder, make_result, reviewer=waiting, trainer=trainer, generations=2)
        with run.store, pytest.raises(Killed):
            evolve(run)
        assert run.store.folder.joinpath("review/generation_01/review.json").is_file()
    write_answer(folder, choice(1, "g01-c01"))
    told: list[str] = []
    run = build_run(folder, make_result, reviewer=reviewer(folder, told, asks=True), trainer=trainer, generations=2)
    with run.store:
        evolve(run)
        assert parents(run.store) == [None, "g01-c01", None]
    assert trainer.trained == ["g01-c01", "g01-c02", "g02-c01", "g02-c02"]
    assert told == ["generation 1 was judged by a person: best g01-c01"]


def test_an_answer_that_names_somebody_else_stops_with_one_sentence(folder: Path, make_result: Make) -> None:
    leave_answers(folder, [choice(1, "g01-c07")])
    run = build_run(folder, make_result, reviewer=reviewer(folder, []))
    with run.store, pytest.raises(FeedbackError) as caught:
        evolve(run)
    assert str(caught.value) == (
        "the answer about generation 1: best g01-c07 is not among those to choose from: g01-c01, g01-c02; mend it, and "
        f"give it anew with `eureka resume {folder} --feedback FILE`"
    )


def test_a_replayed_run_has_the_answers_of_the_first(folder: Path, make_result: Make) -> None:
    shown = ("g01-c01", "g01-c02")
    recorded = Feedback(generation=1, verdict=Verdict.CHOICE, shown=shown, best="g01-c01", text=WORDS)
    replaying = reviewer(folder, [], replayed={1: recorded})
    assert replaying.review(1, shown, None) == recorded
    # Others were trained, so that it is about something else.
    assert replaying.review(1, ("g01-c01",), None) is None
    silent = Feedback(generation=1, verdict=Verdict.NO_ANSWER, shown=shown)
    assert reviewer(folder, [], replayed={1: silent}, asks=True).review(1, shown, None) == silent


def test_an_answer_must_make_sense() -> None:
    shown = ("g01-c01", "g01-c02")
    refused = {
        "both the best and the worst": choice(1, "g01-c01", "g01-c01"),
        "it says nothing": choice(1, text="  \n"),
        "it is `tie` and names g01-c01": Feedback(generation=1, verdict=Verdict.TIE, shown=(), best="g01-c01"),
        "the text has 501 characters; at most 500": choice(1, text="x" * 501),
        "worst g02-c01 is not among": choice(1, worst="g02-c01"),
    }
    for message, answer in refused.items():
        with pytest.raises(FeedbackError, match=message):
            answered_about(answer, shown)
    for answer in (choice(1, "g01-c01"), choice(1, worst="g01-c02"), choice(1, text="faster")):
        assert answered_about(answer, shown).shown == shown
    tie = Feedback(generation=1, verdict=Verdict.TIE, shown=())
    assert described(answered_about(tie, shown)) == "tie"


def test_words_are_one_line_of_visible_characters() -> None:
    assert one_line("a\n\n## b\tc\u2028d\u202ee\x1b[31m\x00") == "a ## b c de[31m"
    assert one_line("می\u200cخواهم 몸통") == "می\u200cخواهم 몸통"


def test_files_changed_by_hand_are_one_sentence(folder: Path) -> None:
    review_folder(folder, 1).mkdir(parents=True)
    (review_folder(folder, 1) / "answer.json").write_text("{")
    with pytest.raises(FeedbackError, match=r"answer\.json: cannot be read .*: delete it, and answer again"):
        read_answer(folder, 1)


def test_the_newest_review_is_the_highest_generation(folder: Path) -> None:
    assert newest_review(folder) is None
    for generation in (9, 10, 2):
        write_review(folder, Review(generation=generation, shown=("g02-c01",)))
    newest = newest_review(folder)
    assert newest is not None
    assert newest.generation == 10
    assert clock(None) == "any time"
    assert clock(0.0).startswith("1970-01-01") or clock(0.0).startswith("1969-12-31")


# ---- films -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("polls_often")
def test_the_films_of_a_review_are_asked_for(folder: Path, make_result: Make) -> None:
    asked: list[tuple[int, Sequence[str]]] = []

    def film(generation: int, names: Sequence[str]) -> None:
        asked.append((generation, names))

    waiting = reviewer(folder, [], asks=True, timeout_s=0.05, film=film)
    run = build_run(folder, make_result, reviewer=waiting, generations=2)
    with run.store:
        evolve(run)
    assert asked == [(1, ("g01-c01", "g01-c02"))]


def test_a_film_is_ready_or_cannot_be_made_or_is_being_made(folder: Path) -> None:
    review = Review(generation=1, shown=("g01-c01", "g01-c02", "g01-c03"))
    with RunStore.open(folder, read_only=True) as store:
        store.write_file(film_of_review(1, "g01-c01"), b"mp4")
        store.write_file("review/generation_01/g01-c01.json", dumps(FilmNote(policy="1")))
        store.write_file("review/generation_01/g01-c02.json", dumps(FilmNote(policy="2", error="killed by signal 11")))
    found = film_states(folder, review)
    assert [(one.ready, one.problem) for one in found.values()] == [
        (True, ""),
        (False, "killed by signal 11"),
        (False, ""),
    ]
    (folder / "no_films.txt").write_text("nothing here can draw\n")
    assert film_states(folder, review)["g01-c03"].problem == "nothing here can draw"
