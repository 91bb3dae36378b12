"""The page over the wire: whom it answers, what it shows before and after the vote, what it takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loop_fakes import GOOD, IDS, build_run
from page_server import running
from review_server import Served, serving

import eureka.ui.web.server
from eureka.app.cli import main
from eureka.core.serialize import dumps
from eureka.core.training import TrainingResult
from eureka.core.types import Feedback, Verdict
from eureka.proposers.base import FakeProposer
from eureka.search.loop import evolve
from eureka.store import RunStore
from eureka.ui.video.film import FilmNote
from eureka.ui.web.review.answers import Review, newest_review, read_answer, review_folder, write_review
from eureka.ui.web.review.reviewer import leave_answers
from eureka.ui.web.server import open_browser

Make = Callable[..., TrainingResult]
HOSTILE = GOOD.replace("def ", "# </pre><script>alert(1)</script> \x1b[31m \u202e\ndef ")


@pytest.fixture
def waiting(folder: Path, make_result: Make) -> Path:
    """A run of one generation, and a review of it: one film is ready, the other cannot be made."""
    run = build_run(folder, make_result, proposer=FakeProposer(dict.fromkeys(IDS, HOSTILE)), generations=1)
    with run.store:
        evolve(run)
    write_review(folder, Review(generation=1, shown=("g01-c01", "g01-c02"), parent="g01-c01", until=4e9))
    (review_folder(folder, 1) / "g01-c01.mp4").write_bytes(b"0123456789")
    (review_folder(folder, 1) / "g01-c01.jpg").write_bytes(b"jpg")
    note = FilmNote(policy="", error="no <b>EGL</b> here")
    (review_folder(folder, 1) / "g01-c02.json").write_text(dumps(note))
    return folder


@pytest.fixture
def served(waiting: Path) -> Iterator[Served]:
    with serving(waiting) as one:
        yield one


def test_numbers_are_hidden_until_there_is_an_answer(served: Served, waiting: Path) -> None:
    before = served.ask("/")
    assert before.status == 200
    assert "which policy does best?" in before.body
    assert "The run waits until 2096-" in before.body
    assert "task metric" not in before.body
    assert "1 s" not in before.body
    answer = served.send(best="g01-c02", worst="g01-c01", text="keep it <i>level</i>\n## now")
    assert (answer.status, answer.headers["location"]) == (303, "./")
    assert read_answer(waiting, 1) == Feedback(
        generation=1,
        verdict=Verdict.CHOICE,
        shown=("g01-c01", "g01-c02"),
        best="g01-c02",
        worst="g01-c01",
        text="keep it <i>level</i> ## now",
    )
    after = served.ask("/").body
    assert "<dt>task metric</dt><dd>1 s</dd>" in after
    assert "<dt>episode length</dt><dd>11 steps</dd>" in after
    assert "keep it &lt;i&gt;level&lt;/i&gt; ## now" in after
    assert 'name="best"' not in after
    again = served.send(best="g01-c01")
    assert (again.status, "what you sent was not used" in again.body) == (409, True)


def test_everything_is_escaped_and_allowed_by_name(served: Served) -> None:
    page = served.ask("/")
    assert "<script>alert" not in page.body
    assert "&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt; \u241b[31m \u27e8U+202E\u27e9" in page.body
    assert "No film: no &lt;b&gt;EGL&lt;/b&gt; here" in page.body
    assert "Keep the pole &lt;b&gt;upright&lt;/b&gt;." in page.body
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["x-frame-options"] == "DENY"
    assert " style=" not in page.body
    assert " onclick" not in page.body


def test_only_a_page_of_its_own_with_the_token_can_vote(served: Served, waiting: Path) -> None:
    refused: list[dict[str, str]] = [
        {"Origin": ""},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": f"http://localhost:{served.port}"},
        {"Cookie": ""},
        {"Cookie": f"eureka{served.port}=guess"},
        {"Cookie": f"token={served.token}"},
        {"Host": "evil.example"},
        {"Host": f"evil.example:{served.port}", "Origin": f"http://evil.example:{served.port}"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
    ]
    for headers in refused:
        assert served.send(headers, best="g01-c01").status in (403, 421), headers
    assert served.send(token="guess", best="g01-c01").status == 403
    form = {"token": served.token, "generation": "1", "best": "g01-c01"}
    assert served.ask(f"/answer?token={served.token}", {"Cookie": ""}, "POST", form).status == 403
    assert served.ask("/answer").status == 404
    assert served.ask("/", {"Origin": served.origin}, "POST", form).status == 405
    assert served.ask("/", method="PUT").status == 405
    for target in ("/", "/state", "/films/g01-c01.mp4"):
        assert served.ask(target, {"Cookie": ""}).status == 403
        assert served.ask(target, {"Host": "evil.example"}).status == 421
    assert read_answer(waiting, 1) is None
    opened = served.ask(f"/?token={served.token}", {"Cookie": ""})
    assert opened.status == 200
    assert opened.headers["set-cookie"].startswith(f"eureka{served.port}={served.token}; HttpOnly; SameSite=Strict")


def test_what_cannot_be_used_is_said_and_can_be_mended(served: Served, waiting: Path) -> None:
    same = served.send(best="g01-c01", worst="g01-c01", text="so far")
    assert same.status == 400
    assert "both the best and the worst" in same.body
    assert 'name="best" value="g01-c01" checked' in same.body
    assert 'value="so far"' in same.body
    for form in ({}, {"best": "g09-c01"}, {"verdict": "splendid"}, {"text": "x" * 600}, {"verdict": "no answer"}):
        assert served.send(**form).status == 400, form
    assert served.send(text="x" * 20_000).status == 413
    assert served.send(generation="2", best="g01-c01").status == 409
    assert read_answer(waiting, 1) is None
    # Radio buttons cannot be taken back: where all are judged alike, nobody is named.
    assert served.send(verdict="tie", best="g01-c01").status == 303
    given = read_answer(waiting, 1)
    assert given is not None
    assert (given.verdict, given.best) == (Verdict.TIE, None)


def test_films_are_served_by_name_alone(served: Served) -> None:
    film = served.ask("/films/g01-c01.mp4")
    assert (film.status, film.body, film.headers["content-type"]) == (200, "0123456789", "video/mp4")
    assert served.ask("/films/g01-c01.jpg").headers["content-type"] == "image/jpeg"
    for name in ("g01-c02.mp4", "g01-c02.txt", "g01-c01.json", "g09-c01.mp4", "..%2f..%2frun.db", "answer.json"):
        assert served.ask(f"/films/{name}").status == 404
    state = json.loads(served.ask("/state").body)
    assert state["version"] == "1-open"
    assert state["films"]["g01-c01"] == {"ready": True, "problem": ""}
    assert state["films"]["g01-c02"]["ready"] is False


def test_before_the_first_review_and_after_one_that_nobody_answered(folder: Path, make_result: Make) -> None:
    with serving(folder) as one:
        assert "There is nothing to review yet." in one.ask("/").body
        assert json.loads(one.ask("/state").body) == {"version": "0-nothing", "films": {}}
        assert one.send(best="g01-c01").status == 409
        write_review(folder, Review(generation=1, shown=("g01-c01",)))
        assert "The run waits for you." in one.ask("/").body
        with RunStore.open(folder) as store:
            store.record_feedback(Feedback(generation=1, verdict=Verdict.NO_ANSWER, shown=("g01-c01",)))
        assert "Nobody answered in time" in one.ask("/").body
        (folder / "run.db").unlink()
        assert one.ask("/").status == 404


def test_answers_written_down_beforehand_are_no_review(folder: Path) -> None:
    leave_answers(folder, [Feedback(generation=1, verdict=Verdict.TIE, shown=())])
    assert newest_review(folder) is None


def test_names_in_a_review_are_ids(folder: Path) -> None:
    (folder / "review" / "generation_01").mkdir(parents=True)
    (folder / "review" / "generation_01" / "../x.mp4").write_bytes(b"secret")
    (folder / "review" / "generation_01" / "review.json").write_text(dumps(Review(generation=1, shown=("../x",))))
    with serving(folder) as one:
        refused = one.ask("/films/..%2fx.mp4")
        assert (refused.status, "secret" in refused.body) in ((503, False), (404, False))
        assert "'../x' is not a candidate id such as g02-c05; delete the file" in one.ask("/").body


def test_no_run_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["review", str(tmp_path)])
    assert "not a run folder" in capsys.readouterr().err


def test_beyond_this_machine_there_is_no_review(waiting: Path) -> None:
    with eureka.ui.web.server.serving(waiting, "0.0.0.0", 0) as ready, running(ready):
        served = Served(ready)
        assert served.ask("/").status == 404
        assert served.send(best="g01-c01").status == 405
    assert read_answer(waiting, 1) is None


def test_a_browser_is_opened_only_where_there_is_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(eureka.ui.web.server.webbrowser, "open", lambda address: opened.append(address) or True)
    assert not open_browser("http://127.0.0.1/", {})
    assert open_browser("http://127.0.0.1/", {"DISPLAY": ":0"})
    assert opened == ["http://127.0.0.1/"]
