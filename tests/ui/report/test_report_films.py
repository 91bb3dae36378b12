"""Films on the page: which of those in the folder, in which order, and what is said where there is none."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from page_checks import check
from records import finish

from eureka.core.errors import StoreError
from eureka.core.serialize import dumps
from eureka.core.training import TrainingResult
from eureka.core.types import Candidate, Completion
from eureka.store import Fitness, RunFacts, RunStore
from eureka.ui.report import render_report
from eureka.ui.report.films import RunFilms, run_films
from eureka.ui.report.reading import read_run
from eureka.ui.video.film import FilmNote, film_of_candidate, film_of_evaluation, policy_hash

Make = Callable[..., TrainingResult]
CONFIG = "task: ant\nreport:\n  films: {}\n"


def store_of(folder: Path, make_result: Make, films: str = "all") -> RunStore:
    """Two candidates, the second best, and a comparison with the human-written reward."""
    store = RunStore.create(folder, CONFIG.format(films), RunFacts(metric_unit="m/s"))
    for name, score in (("g01-c01", 1.0), ("g01-c02", 2.0)):
        store.record_completion(Completion(name, "", "model"))
        store.record_candidate(Candidate(name, "", ()))
        store.record_result(replace(make_result(name, (score,)), policy=name.encode()))
    for name in ("g01-c02", "human"):
        store.record_evaluation(replace(make_result(name, (3.0,), seed=1000), policy=f"{name} again".encode()))
    finish(store, 1, "g01-c02")
    return store


@pytest.fixture
def run(tmp_path: Path, make_result: Make) -> Iterator[RunStore]:
    with store_of(tmp_path / "run", make_result) as store:
        yield store


def add(store: RunStore, path: Path, policy: bytes, content: bytes = b"film", **note: object) -> None:
    kept = {"policy": policy_hash(policy), "seed": 7, "score": 3.0, "seconds": 6.0, "ended": "cut", **note}
    store.write_file(path.with_suffix(".json"), dumps(FilmNote(**kept)))  # type: ignore[arg-type]
    if not note.get("error"):
        store.write_file(path, content)
        store.write_file(path.with_suffix(".jpg"), b"poster")


def found(store: RunStore) -> RunFilms:
    return run_films(read_run(store))


def test_no_score_stands_with_a_film_where_there_is_no_metric(run: RunStore) -> None:
    run.record_facts(replace(run.facts(), fitness=Fitness.PREFERENCE))
    add(run, film_of_evaluation("best"), b"g01-c02 again")
    assert found(run).head[0].detail == "Trained with seed 7. Shown: the first 6\u00a0s of an episode."


def test_best_human_and_sparse_stand_side_by_side(run: RunStore) -> None:
    run.record_evaluation(replace(run.evaluations()[-1], candidate_id="sparse", policy=b"sparse again"))
    add(run, film_of_evaluation("sparse"), b"sparse again", ended="terminated", seconds=0.8)
    add(run, film_of_evaluation("human"), b"human again", ended="time limit", seconds=10.0)
    add(run, film_of_evaluation("best"), b"g01-c02 again", b"best")
    shown = found(run).head
    assert [(clip.caption, clip.detail) for clip in shown] == [
        (
            "g01-c02, the best reward",
            "Trained with seed 7, scores 3.00\u00a0m/s. Shown: the first 6\u00a0s of an episode.",
        ),
        (
            "the human-written reward",
            "Trained with seed 7, scores 3.00\u00a0m/s. Shown: a whole episode of 10\u00a0s.",
        ),
        (
            "the bare task metric as reward",
            "Trained with seed 7, scores 3.00\u00a0m/s. Shown: an episode, which ended early after 1\u00a0s.",
        ),
    ]
    assert shown[0].data == f"data:video/mp4;base64,{base64.b64encode(b'best').decode()}"
    assert shown[0].poster == f"data:image/jpeg;base64,{base64.b64encode(b'poster').decode()}"
    page = check(render_report(run))
    assert len(page.all("video")) == 3
    assert [button for button in page.all("button") if "data-play-together" in button]


@pytest.mark.parametrize("suffix", [".mp4", ".jpg", ".json"])
def test_no_file_of_this_machine_is_put_on_the_page(run: RunStore, tmp_path: Path, suffix: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("key")
    add(run, film_of_evaluation("best"), b"g01-c02 again")
    linked = run.folder / film_of_evaluation("best").with_suffix(suffix)
    linked.unlink()
    linked.symlink_to(secret)
    with pytest.raises(StoreError, match="behind a link"):
        found(run)


def test_a_film_of_another_policy_is_not_shown(run: RunStore) -> None:
    """As after `eureka evaluate`, which trains anew."""
    add(run, film_of_evaluation("human"), b"an earlier one")
    add(run, film_of_evaluation("best"), b"an earlier one")
    assert found(run).head == ()


def test_before_a_comparison_the_head_has_the_film_of_the_candidate(run: RunStore) -> None:
    add(run, film_of_candidate("g01-c02"), b"g01-c02")
    add(run, film_of_candidate("g01-c01"), b"g01-c01")
    shown = found(run)
    assert [clip.path for clip in shown.head] == ["generation_01/candidate_02/rollout.mp4"]
    assert shown.in_head == "g01-c02"
    assert list(shown.of_candidates) == ["g01-c01"]
    page = check(render_report(run))
    assert len(page.all("video")) == 2
    assert "Its film stands at the top of the page" in page.text


@pytest.mark.parametrize(
    ("films", "sentence"),
    [
        ("all", "Not filmed yet."),
        ("best", "This run films the best reward alone (report.films=best)."),
        ("none", "This run makes no films (report.films=none)."),
    ],
)
def test_why_there_is_none(films: str, sentence: str, tmp_path: Path, make_result: Make) -> None:
    with store_of(tmp_path / "run", make_result, films) as store:
        assert found(store).none_at_all == sentence
        assert found(store).missing == {"g01-c01": sentence, "g01-c02": sentence}
        page = check(render_report(store))
        assert page.text.count(sentence) == 3
        assert f"eureka report {store.folder} --films" in page.text


def test_a_machine_that_cannot_draw_and_a_policy_that_could_not_be_filmed(run: RunStore) -> None:
    run.mark_finished()
    assert found(run).none_at_all == "Not filmed: the run did not wait for it."
    run.write_file("no_films.txt", "nothing can be drawn (apt-get install <b>libegl1</b>)\n")
    add(run, film_of_candidate("g01-c01"), b"g01-c01", error="killed by signal 11")
    assert found(run).missing == {
        "g01-c01": "It could not be filmed: killed by signal 11.",
        "g01-c02": "No films: nothing can be drawn (apt-get install <b>libegl1</b>).",
    }
    assert "apt-get install <b>libegl1</b>" in check(render_report(run)).text


def test_a_damaged_note_is_named(run: RunStore) -> None:
    run.write_file("generation_01/candidate_01/rollout.json", "{}")
    with pytest.raises(StoreError, match=r"rollout\.json: was changed by hand: .*; delete it"):
        found(run)
