"""The whole page: what it may contain, how large it may be, and that nothing in it comes to life."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile_run import ALL, MARKS, write_hostile_run
from markupsafe import Markup
from page_checks import check, parse
from synthetic_run import write_synthetic_run

import eureka.ui.report.candidates
import eureka.ui.report.page
from eureka.app.cli import main
from eureka.core.types import Candidate, Completion
from eureka.store import RunStore
from eureka.ui.report import render_comparison, render_report, write_report
from eureka.ui.report.films import MAX_BYTES
from eureka.ui.report.section import Section
from eureka.ui.report.sections import SECTIONS
from eureka.ui.report.text import visible

STYLE = Path(sys.modules["eureka.ui.report"].__path__[0], "templates", "style.css").read_text()


def digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def policy(html: str) -> dict[str, list[str]]:
    """The page's Content-Security-Policy, by directive."""
    (content,) = [m["content"] for m in parse(html).all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    return {words[0]: words[1:] for words in (part.split() for part in content.split("; "))}


# ---- one file that loads nothing ---------------------------------------------------------------------------------


def test_a_report_holds_together(small_run: RunStore) -> None:
    page = check(render_report(small_run))
    for name in ("verdict", "best", "search", "lineage", "candidates", "components", "evaluation", "run", "prompt-2"):
        assert name in page.ids
    assert {c.id for c in small_run.candidates()} <= set(page.ids)


def test_a_section_is_a_title_and_what_it_renders(small_run: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Section("mine", "Mine", lambda view: Markup("<h2>{}</h2>").format(f"<{view.run.task}>"))
    monkeypatch.setattr(eureka.ui.report.page, "SECTIONS", (*SECTIONS, mine))
    html = render_report(small_run)
    assert '<a href="#mine">Mine</a>' in html
    assert '<section id="mine">\n<h2>&lt;ant&gt;</h2>\n</section>' in html
    check(html)


def test_only_its_own_style_and_script_are_allowed(small_run: RunStore) -> None:
    html = render_report(small_run)
    (script,) = parse(html).scripts
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert policy(html) == {
        "default-src": ["'none'"],
        "style-src": [digest(style)],
        "script-src": [digest(script)],
        "img-src": ["data:"],
        "media-src": ["data:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    assert "url(" not in style
    assert "@import" not in style


def test_a_served_page_may_run_one_more_script_and_talk_to_its_server(small_run: RunStore) -> None:
    html = render_report(small_run, live_script="new EventSource('/events');")
    allowed = policy(html)
    assert allowed["connect-src"] == ["'self'"]
    assert digest("new EventSource('/events');") in allowed["script-src"]


def test_the_same_run_gives_the_same_page(small_run: RunStore) -> None:
    assert render_report(small_run) == render_report(small_run)


def test_a_comparison_holds_together(small_run: RunStore) -> None:
    page = check(render_comparison([small_run, small_run]))
    assert page.text.count("claude-sonnet-5-5") == 2


def test_a_large_report_is_small_and_quick(large_run: RunStore) -> None:
    render_report(large_run)  # templates are compiled once a process
    started = time.process_time()
    html = render_report(large_run)
    assert time.process_time() - started < 2.0
    assert len(html.encode()) < 2_000_000
    check(html)


@pytest.mark.process
def test_writing_a_report_imports_nothing_heavy() -> None:
    program = "import sys, eureka.ui.report; print({'torch', 'mujoco', 'scipy', 'hydra', 'openai'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"


# ---- what it says ------------------------------------------------------------------------------------------------


def test_a_run_that_has_only_begun(tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", "") as store:
        check(render_report(store))
        store.record_completion(Completion("g01-c01", "answer", "m"))
        page = check(render_report(store))
    assert "No generation has finished with a usable reward yet." in page.text
    assert "not trained yet" in page.text


def test_every_chart_has_its_numbers(small_run: RunStore) -> None:
    html = render_report(small_run)
    for block in re.split(r'<details class="candidate', html)[1:]:
        if 'class="multiples"' in block:
            assert "The curves as numbers" in block
    assert "Numbers by generation" in html
    assert 'aria-label="Final evaluation in numbers"' in html


def test_texts_too_long_for_the_file_are_cut_and_the_file_says_where_they_are(tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", "") as store:
        for sample in range(1, 21):
            name = f"g01-c{sample:02d}"
            store.record_completion(Completion(name, f"{sample} " * 20_000, "m"))
            store.record_candidate(Candidate(name, "x = 1\n" * 30_000, ()))
        html = render_report(store)
    assert len(html.encode()) < 2_000_000
    text = check(html).text
    assert "the whole text is in generation_01/candidate_20/response.md" in text
    assert "the whole text is in generation_01/candidate_20/source.py" in text


def test_of_very_many_candidates_the_best_have_their_details(
    small_run: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eureka.ui.report.candidates, "MAX_DETAILED", 3)
    html = render_report(small_run)
    assert html.count("The details of the best candidates alone are in this file") == 13
    best = small_run.finished_generations()[2]
    assert "Asked and answered" in html.split(f'id="{best}" data-status')[1].split('class="candidate')[0]


def test_videos_are_embedded_while_there_is_room(tmp_path: Path) -> None:
    with write_synthetic_run(tmp_path / "run", 1, 4, updates=20) as store:
        best = store.finished_generations()[1]
        store.write_file("best/rollout.mp4", b"film of the best")
        store.write_file("best/rollout.jpg", b"poster")
        store.write_file("evaluation/human.mp4", b"film of the human reward")
        for candidate in store.candidates():
            large = b"x" if candidate.id == best else b"x" * (MAX_BYTES // 2)
            store.write_file((store.candidate_folder(candidate.id) / "rollout.mp4").relative_to(store.folder), large)
        html = render_report(store)
    page = parse(html)
    videos = page.all("video")
    assert base64.b64decode(videos[0]["src"].removeprefix("data:video/mp4;base64,")) == b"film of the best"
    assert base64.b64decode(videos[0]["poster"].removeprefix("data:image/jpeg;base64,")) == b"poster"
    assert [video["aria-label"] for video in videos[:2]] == [f"{best}, the best reward", "the human-written reward"]
    left_out = [a["href"] for a in page.all("a") if a["href"].endswith(".mp4")]
    assert left_out
    assert "The video is not in this file" in page.text
    assert len(html.encode()) < 10_000_000


@pytest.mark.parametrize("scheme", [0, 1])
def test_colours_have_contrast(scheme: int) -> None:
    """WCAG 2.1: at least 4.5 to 1 for text, by its definition of relative luminance."""
    pairs = dict(re.findall(r"--([\w-]+): light-dark\((#\w{6}), #\w{6}\)", STYLE))
    if scheme:
        pairs = dict(re.findall(r"--([\w-]+): light-dark\(#\w{6}, (#\w{6})\)", STYLE))

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    grounds = {"paper", "raised", "add", "del"}
    texts = {"ink", "soft", "accent", "alarm", "comment", "string", "number", "keyword"}
    assert grounds | texts <= pairs.keys()
    for ground in grounds:
        for text in texts - ({"accent", "alarm", "soft"} if ground in ("add", "del") else set()):
            light, dark = sorted((luminance(pairs[ground]), luminance(pairs[text])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)


# ---- hostile content ---------------------------------------------------------------------------------------------


def test_what_a_model_wrote_stays_text(tmp_path: Path) -> None:
    with write_hostile_run(tmp_path / "run") as store:
        html = render_report(store)
        both = render_comparison([store, store])
    for page in (check(html), check(both)):
        assert len(page.scripts) == 1
        assert "hacked" not in page.scripts[0]
        assert not [c for c in page.text if c in "\x1b\x00\x07\x85\u202e\u2066\u200b\ufeff\u2028\ud800"]
    text = check(html).text
    for mark in MARKS:
        assert visible(mark) in text
    assert text.count(visible(ALL)) >= 10
    html.encode("utf-8")
    assert "{{ 7 * 7 }}" in text


# ---- the commands ------------------------------------------------------------------------------------------------


def exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_report_and_compare(small_run: RunStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(small_run.folder)
    assert exit_code("report", folder) == 0
    assert capsys.readouterr().out == f"wrote {folder}/report.html\n"
    assert (small_run.folder / "report.html").read_text() == render_report(small_run)
    assert exit_code("report", folder, "--to", str(tmp_path / "elsewhere.html")) == 0
    assert (tmp_path / "elsewhere.html").read_text() == render_report(small_run)
    assert exit_code("compare", folder, folder, "--to", str(tmp_path / "both.html")) == 0
    check((tmp_path / "both.html").read_text())
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["report", "/nowhere"], 1, "error: /nowhere: no run folder and none below it"),
        (["report", "DIR", "--to", "/nowhere/x.html"], 1, "error: /nowhere/x.html: the report cannot be written: No"),
        (["compare", "DIR", "/nowhere"], 1, "error: /nowhere: no run folder and none below it"),
        (["compare", "DIR", "--to", "/nowhere/x.html"], 1, "error: /nowhere/x.html: the comparison cannot be written"),
        (["compare"], 2, "Missing argument"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    arguments: list[str], code: int, sentence: str, small_run: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*[str(small_run.folder) if a == "DIR" else a for a in arguments]) == code
    assert sentence in capsys.readouterr().err


def test_a_report_goes_into_the_run_folder(small_run: RunStore) -> None:
    assert write_report(small_run) == small_run.folder / "report.html"
