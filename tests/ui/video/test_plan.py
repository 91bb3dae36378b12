"""Which policies of a run are filmed, in which order, and what becomes of those that cannot be."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from records import finish

import eureka.ui.video.queue
from eureka.app.configs import compose_config
from eureka.config import Films, to_yaml
from eureka.core.errors import RenderingUnavailable, VideoError
from eureka.core.training import TrainingResult
from eureka.core.types import Candidate, Completion
from eureka.store import RunFacts, RunStore
from eureka.trainers.population.networks import StackedMLP
from eureka.trainers.population.policy import Policies
from eureka.ui.video.film import FilmedEpisode, FilmJob, FilmNote, Video, policy_hash, read_note
from eureka.ui.video.gl import find_gl
from eureka.ui.video.plan import REVIEW, best_training, is_made, median_training, report_films, review_films
from eureka.ui.video.queue import FilmQueue, film_run

Make = Callable[..., TrainingResult]


def config(generations: int, samples: int) -> str:
    given = ["task=cartpole", f"search.generations={generations}", f"search.samples={samples}"]
    return to_yaml(compose_config(given, []))


def add_candidate(store: RunStore, make_result: Make, name: str, scores: dict[int, float]) -> None:
    store.record_completion(Completion(name, "", "model"))
    store.record_candidate(Candidate(name, "", ("pole_angle",)))
    for seed, score in scores.items():
        store.record_result(replace(make_result(name, (score,), seed=seed), policy=f"{name} {seed}".encode()))


def add_evaluation(store: RunStore, make_result: Make, name: str, scores: dict[int, float]) -> None:
    for seed, score in scores.items():
        store.record_evaluation(replace(make_result(name, (score,), seed=seed), policy=f"{name} {seed}".encode()))


@pytest.fixture
def run(tmp_path: Path, make_result: Make) -> Iterator[RunStore]:
    """Two candidates, the second best, with two seeds."""
    with RunStore.create(tmp_path / "run", config(1, 2), RunFacts(task_dirs=("/somewhere",))) as store:
        add_candidate(store, make_result, "g01-c01", {0: 1.0})
        add_candidate(store, make_result, "g01-c02", {0: 5.0, 1: 2.0})
        finish(store, 1, "g01-c02")
        yield store


class FakeProcess:
    """Stands for the process that draws. What `fails` names cannot be filmed."""

    jobs: list[FilmJob]
    fails: tuple[bytes, ...]
    cannot_draw: str

    def __init__(self, environment: object, **options: object) -> None:
        self.is_closed = False
        self._scratch = tempfile.TemporaryDirectory()
        self.scratch = Path(self._scratch.name)

    def film(self, job: FilmJob, to: Path) -> Video:
        if self.cannot_draw:
            raise RenderingUnavailable(self.cannot_draw)
        self.jobs.append(job)
        if job.policy in self.fails:
            raise VideoError("the video cannot be made: killed by signal 11")
        to.write_bytes(b"film of " + job.policy)
        to.with_suffix(".jpg").write_bytes(b"poster")
        return Video(str(to), str(to.with_suffix(".jpg")), 10, 25.0, (FilmedEpisode(10, 0.4, 0.36, "cut"),))

    def end(self) -> None:
        self.is_closed = True

    def __enter__(self) -> FakeProcess:
        return self

    def __exit__(self, *error: object) -> None:
        self._scratch.cleanup()


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> type[FakeProcess]:
    class Drawing(FakeProcess):
        jobs: list[FilmJob] = []
        fails: tuple[bytes, ...] = ()
        cannot_draw = ""

    monkeypatch.setattr(eureka.ui.video.queue, "FilmProcess", Drawing)
    return Drawing


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def planned(store: RunStore, films: Films = Films.all) -> list[tuple[str, bytes]]:
    return [(str(film.path), film.result.policy) for film in report_films(store, films)]


def test_the_best_first_then_candidates_by_score(run: RunStore) -> None:
    assert planned(run) == [
        ("best/rollout.mp4", b"g01-c02 0"),
        ("generation_01/candidate_02/rollout.mp4", b"g01-c02 0"),
        ("generation_01/candidate_01/rollout.mp4", b"g01-c01 0"),
    ]
    assert planned(run, Films.best) == [("best/rollout.mp4", b"g01-c02 0")]
    assert planned(run, Films.none) == []


def test_after_a_comparison_three_trainings_of_median_score_are_shown(run: RunStore, make_result: Make) -> None:
    add_evaluation(run, make_result, "g01-c02", {1000: 3.0, 1001: 7.0, 1002: 4.0})
    add_evaluation(run, make_result, "human", {1000: 1.0, 1001: 2.0, 1002: 0.5})
    add_evaluation(run, make_result, "sparse", {1000: 0.1})
    assert planned(run, Films.best) == [
        ("evaluation/best.mp4", b"g01-c02 1002"),
        ("evaluation/human.mp4", b"human 1000"),
        ("evaluation/sparse.mp4", b"sparse 1000"),
    ]


def test_a_run_without_a_result_has_nothing_to_film(tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", config(1, 2)) as store:
        assert report_films(store, Films.all) == []
        assert film_run(store, Films.all, {}, print) == 0


def test_the_more_candidates_the_shorter_their_films(run: RunStore, tmp_path: Path, make_result: Make) -> None:
    """Six seconds each of two; of 80, 200 s together are 2.5 s each, but three are the least."""
    assert report_films(run, Films.all)[-1].look.max_seconds == 6.0
    with RunStore.create(tmp_path / "large", config(5, 16)) as store:
        add_candidate(store, make_result, "g01-c01", {0: 1.0})
        assert report_films(store, Films.all)[-1].look.max_seconds == 3.0


def test_which_training_is_shown(make_result: Make) -> None:
    results = [make_result("a", (score,), seed=seed) for seed, score in enumerate((3.0, 9.0, 5.0, 4.0))]
    assert best_training(results).seed == 1
    assert median_training(results).seed == 2


def test_what_is_missing_is_filmed_and_said(run: RunStore, drawing: type[FakeProcess]) -> None:
    told: list[str] = []
    assert film_run(run, Films.all, {}, told.append, [Path("/mine")]) == 3
    assert told[0] == "best/rollout.mp4: filmed"
    assert (run.folder / "best/rollout.mp4").read_bytes() == b"film of g01-c02 0"
    assert (run.folder / "best/rollout.jpg").read_bytes() == b"poster"
    note = FilmNote(
        policy=policy_hash(b"g01-c02 0"), name="g01-c02", seed=0, score=5.0, seconds=0.4, metric=0.36, ended="cut"
    )
    assert read_note(run.folder, Path("best/rollout.mp4")) == note
    # Not what the run has recorded of itself.
    assert (drawing.jobs[0].config.task, drawing.jobs[0].task_dirs) == ("cartpole", ("/mine",))
    assert film_run(run, Films.all, {}, told.append) == 0
    # Another training of it is best by now: its film is no longer the one.
    run.record_result(replace(run.results()[-1], final_scores=(9.0,)))
    assert [str(film.path) for film in report_films(run, Films.all) if not is_made(run.folder, film)] == [
        "best/rollout.mp4",
        "generation_01/candidate_02/rollout.mp4",
    ]


def test_a_film_that_fails_is_noted_and_the_others_are_made(run: RunStore, drawing: type[FakeProcess]) -> None:
    drawing.fails = (b"g01-c02 0",)
    told: list[str] = []
    assert film_run(run, Films.all, {}, told.append) == 1
    assert told[0] == "best/rollout.mp4: the video cannot be made: killed by signal 11"
    (first, *_) = report_films(run, Films.all)
    assert is_made(run.folder, first), "it is not tried again while the run goes on"
    assert not is_made(run.folder, first, retry=True)


def test_films_made_by_hand_stay(run: RunStore, drawing: type[FakeProcess]) -> None:
    run.write_file("best/rollout.mp4", b"mine")
    film_run(run, Films.best, {}, print)
    assert (run.folder / "best/rollout.mp4").read_bytes() == b"mine"
    assert drawing.jobs == []


def test_a_review_is_filmed_by_the_best_training_of_each(run: RunStore) -> None:
    films = review_films(run, 1, ("g01-c01", "g01-c02"))
    assert [(film.path.as_posix(), film.result.policy, film.look) for film in films] == [
        ("review/generation_01/g01-c01.mp4", b"g01-c01 0", REVIEW),
        ("review/generation_01/g01-c02.mp4", b"g01-c02 0", REVIEW),
    ]


@pytest.mark.usefixtures("films_beside")
def test_beside_a_run_what_is_new_is_filmed_too(run: RunStore, drawing: type[FakeProcess], make_result: Make) -> None:
    with FilmQueue(run, Films.all, {}, print) as queue:
        queue.film_report()
        wait_for(run.folder / "generation_01/candidate_01/rollout.mp4")
        add_candidate(run, make_result, "g01-c03", {0: 3.0})
        queue.film_review(1, ("g01-c03",))
        wait_for(run.folder / "review/generation_01/g01-c03.mp4")
        queue.finish()
    assert (run.folder / "generation_01/candidate_03/rollout.mp4").read_bytes() == b"film of g01-c03 0"
    assert len(drawing.jobs) == 5


def test_where_nothing_can_be_drawn_the_run_says_why(run: RunStore, drawing: type[FakeProcess]) -> None:
    drawing.cannot_draw = "nothing here can draw (apt-get install libegl1)"
    with pytest.raises(RenderingUnavailable, match="nothing here can draw"):
        film_run(run, Films.all, {}, print)
    assert (run.folder / "no_films.txt").read_text() == "nothing here can draw (apt-get install libegl1)"
    drawing.cannot_draw = ""
    film_run(run, Films.best, {}, print)
    assert not (run.folder / "no_films.txt").exists()


@pytest.mark.process
def test_a_film_of_a_run(run: RunStore) -> None:
    """With nothing in between: a candidate's film is small, and browsers play it."""
    try:
        find_gl(os.environ)
    except RenderingUnavailable as error:
        pytest.skip(str(error))
    network = StackedMLP((4, 1), "relu")
    zeros, ones = torch.zeros(1, 1, 4), torch.ones(1, 1, 4)
    policy = Policies(network, torch.zeros(1, network.num_parameters), zeros, ones).dump(0)
    for result in run.results():
        run.record_result(replace(result, policy=policy))
    assert film_run(run, Films.best, os.environ, print) == 1
    film = (run.folder / "best/rollout.mp4").read_bytes()
    assert b"ftyp" in film[:32]
    assert len(film) < 200_000
    assert (run.folder / "best/rollout.jpg").read_bytes().startswith(b"\xff\xd8")
    note = read_note(run.folder, Path("best/rollout.mp4"))
    assert note is not None
    # An upright pole that nobody holds falls within a few seconds.
    assert (note.ended, 0.5 < note.seconds < 6.0) == ("terminated", True)
