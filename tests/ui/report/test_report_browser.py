"""The report in a real Chromium, opened from disk: no request, no console message, and everything works.

Debian's package `chromium` is used, driven by Playwright, which downloads nothing. Without one these tests are skipped.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hostile_run import MARKS, write_hostile_run
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from eureka.store import RunStore
from eureka.ui.report import render_comparison, render_report, write_report
from eureka.ui.report.text import visible

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)

pytestmark = [pytest.mark.process, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")]

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens a file; at the end of the test no page may have asked for anything else or have said anything."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []
    requested: list[str] = []

    def open_file(path: Path, hash_: str = "", **options: object) -> Page:
        context = browser.new_context(**{"reduced_motion": "reduce", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: requested.append(request.url.partition("#")[0]))
        page.goto(f"{path.as_uri()}{hash_}")
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert problems == []
    assert {url for url in requested if not url.startswith("data:")} <= {url for url in requested if ".html" in url}
    assert len({url for url in requested if not url.startswith("data:")}) == 1


@pytest.fixture(scope="module")
def report(small_run: RunStore) -> Path:
    return write_report(small_run)


# ---- it opens ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_real_run_opens(real_run: Path, open_page: Open, scheme: str, width: int) -> None:
    page = open_page(real_run / "report.html", color_scheme=scheme, viewport={"width": width, "height": 800})
    assert page.locator("h1").inner_text().endswith(".")
    assert page.locator(".candidate").count() == 4
    # Nothing but what is made to scroll is wider than the window.
    assert page.evaluate("document.documentElement.scrollWidth") == width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    channels = [int(channel) for channel in background.removeprefix("rgb(").removesuffix(")").split(", ")]
    assert (min(channels) > 200) == (scheme == "light")


def test_a_real_run_prints(real_run: Path, open_page: Open) -> None:
    page = open_page(real_run / "report.html", color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert not page.locator(".topbar").is_visible()
    assert page.locator("h1").is_visible()
    assert page.pdf().startswith(b"%PDF")


def test_films_play_side_by_side_and_with_their_candidates(filmed_run: Path, open_page: Open) -> None:
    """No request is made and nothing is refused: the films stand in the page."""
    page = open_page(filmed_run / "report.html")
    head = page.locator(".films video")
    assert head.count() >= 2
    assert page.evaluate(
        "[...document.querySelectorAll('.films video')].every(film => film.poster.startsWith('data:'))"
    )
    button = page.locator("[data-play-together]")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => [...document.querySelectorAll('.films video')].every(film => film.currentTime > 0.1)")
    assert button.inner_text() == "Pause"
    button.click()
    page.wait_for_function("() => document.querySelector('[data-play-together]').textContent === 'Play together'")
    assert page.evaluate("[...document.querySelectorAll('.films video')].every(film => film.paused)")
    page.locator("[data-fold=open]").click()
    films = page.locator(".candidate video")
    assert films.count() >= 3
    assert films.first.evaluate("film => film.play().then(() => film.videoWidth)") == 240
    assert (filmed_run / "report.html").stat().st_size < 10_000_000


def test_it_is_readable_without_its_script(report: Path, open_page: Open) -> None:
    page = open_page(report, java_script_enabled=False)
    for text in ("The best reward", "Search", "Candidates", "Final evaluation", "Run"):
        assert page.get_by_role("heading", name=text).first.is_visible()
    assert not page.locator(".tools").is_visible()
    assert not page.locator("[data-copy]").first.is_visible()
    candidate = page.locator(".candidate").first
    candidate.locator("> summary").click()
    assert candidate.locator(".meta").is_visible()


# ---- everything works --------------------------------------------------------------------------------------------


def test_every_link_on_the_page_leads_somewhere_visible(report: Path, open_page: Open) -> None:
    page = open_page(report)
    targets = page.evaluate("[...new Set([...document.querySelectorAll('a')].map(a => a.getAttribute('href')))]")
    for target in [target for target in targets if target.startswith("#")]:
        page.evaluate("target => document.querySelector(`a[href='${CSS.escape(target)}']`)", target)
        page.evaluate("target => { location.hash = target; }", target)
        page.wait_for_function("target => location.hash === target", arg=target)
        assert page.locator(f"[id='{target[1:]}']").is_visible(), target
        if target.startswith("#g"):
            assert page.locator(f"[id='{target[1:]}'] > .inside").is_visible(), target
    for target in [target for target in targets if not target.startswith("#")]:
        assert (report.parent / target).exists(), target


def test_every_toggle_opens(report: Path, open_page: Open) -> None:
    page = open_page(report)
    page.locator("[data-fold=open]").click()
    assert page.locator(".candidate:not([open])").count() == 0
    page.locator("[data-fold=close]").click()
    assert page.locator(".candidate[open]").count() == 0
    page.locator("[data-fold=open]").click()
    for summary in page.locator("details.numbers > summary, details.text > summary").all():
        before = summary.evaluate("summary => summary.parentElement.open")
        summary.click()
        assert summary.evaluate("summary => summary.parentElement.open") is not before


def test_a_link_into_the_lineage_opens_its_candidate_again_and_again(report: Path, open_page: Open) -> None:
    page = open_page(report)
    link = page.locator(".lineage a[data-id='g02-c01']")
    candidate = page.locator("#g02-c01")
    for _ in range(2):
        link.click()
        page.wait_for_selector("#g02-c01[open]")
        candidate.locator("> summary").click()
        assert not candidate.locator(".inside").is_visible()


def test_a_hidden_candidate_is_shown_when_a_link_leads_to_it(report: Path, open_page: Open) -> None:
    page = open_page(report, "#g02-c01")
    assert page.locator("#g02-c01 > .inside").is_visible()
    page.locator("#find").fill("there is no such thing")
    assert page.locator("#none").is_visible()
    page.evaluate("location.hash = '#g01-c01'")
    page.wait_for_selector("#g01-c01[open]")
    assert page.locator("#find").input_value() == ""


def test_sorting_and_filtering(report: Path, open_page: Open) -> None:
    page = open_page(report)

    def shown() -> list[str]:
        return page.evaluate("[...document.querySelectorAll('.candidate:not([hidden])')].map(c => c.id)")

    everything = shown()
    assert everything == sorted(everything)
    page.locator("#sort").select_option("score")
    scores = page.evaluate("[...document.querySelectorAll('.candidate')].map(c => c.dataset.score)")
    known = [float(score) for score in scores if score]
    assert known == sorted(known, reverse=True)
    assert scores[len(known) :] == [""] * (len(scores) - len(known))
    page.locator("#sort").select_option("id")
    assert shown() == everything
    rejected = page.evaluate("[...document.querySelectorAll('.candidate[data-status=rejected]')].map(c => c.id)")
    page.locator("input[data-status=trained]").uncheck()
    assert shown() == rejected
    page.locator("input[data-status=trained]").check()
    page.locator("#only-warned").check()
    assert 0 < len(shown()) < len(everything)
    page.locator("#only-warned").uncheck()
    page.locator("#find").fill("G02-C0")
    assert shown() == [name for name in everything if name.startswith("g02")]
    assert page.locator("#count").inner_text() == f"{len(shown())} of {len(everything)}"


def test_colours_are_chosen_and_remembered(report: Path, open_page: Open) -> None:
    page = open_page(report, color_scheme="light")
    button = page.locator("#theme")
    assert button.inner_text() == "Auto"
    button.click()
    button.click()
    assert button.inner_text() == "Dark"
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
    page.reload()
    assert page.locator("#theme").inner_text() == "Dark"


def test_values_are_shown_under_the_pointer(report: Path, open_page: Open) -> None:
    page = open_page(report)
    chart = page.locator("#best svg[data-x]").first
    chart.hover()
    tip = page.locator("#tip")
    assert tip.is_visible()
    assert tip.inner_text().startswith("at ")
    assert chart.locator(".rule").count() == 1
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_the_lineage_of_a_candidate_lights_up(report: Path, open_page: Open) -> None:
    page = open_page(report)
    page.locator(".lineage a[data-id='g02-c01']").focus()
    lit = page.evaluate("[...document.querySelectorAll('.edge.lit')].map(e => e.dataset.child)")
    assert lit == ["g02-c01"]


def test_code_is_copied_as_it_is_shown(report: Path, open_page: Open) -> None:
    page = open_page(report, permissions=["clipboard-read", "clipboard-write"])
    page.locator("[data-copy=best-code]").click()
    page.wait_for_function("() => document.querySelector('[data-copy=best-code]').textContent === 'Copied'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("import torch\n")
    assert copied == page.locator("#best-code").text_content()


def test_the_keyboard_reaches_everything(report: Path, open_page: Open) -> None:
    page = open_page(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(e => e.id || e.dataset.copy || e.dataset.id || e.className || e.tagName)(document.activeElement)"
            )
        )
    assert {"best-code", "find", "sort", "only-warned", "g01-c01"} <= reached
    page.locator("#g01-c01 > summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#g01-c01 > .inside").is_visible()


def test_a_page_whose_content_is_replaced_goes_on_working(report: Path, open_page: Open) -> None:
    page = open_page(report)
    page.evaluate(
        "() => { const main = document.querySelector('main'); main.innerHTML = main.innerHTML + '';"
        " document.dispatchEvent(new Event('eureka:replaced')); }"
    )
    page.locator("#find").fill("g01-c02")
    assert page.evaluate("document.querySelectorAll('.candidate:not([hidden])').length") == 1


def test_several_runs_side_by_side(small_run: RunStore, tmp_path: Path, open_page: Open) -> None:
    path = tmp_path / "comparison.html"
    path.write_text(render_comparison([small_run, small_run]))
    page = open_page(path, viewport={"width": 390, "height": 800})
    assert page.locator("article").count() == 2
    assert page.evaluate("document.documentElement.scrollWidth") == 390


# ---- hostile content ---------------------------------------------------------------------------------------------


def test_hostile_content_stays_text(tmp_path: Path, open_page: Open) -> None:
    path = tmp_path / "hostile.html"
    with write_hostile_run(tmp_path / "run") as store:
        path.write_text(render_report(store))
    page = open_page(path)
    page.locator("[data-fold=open]").click()
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    for label in page.locator("#g01-c01 figcaption").all():
        label.hover()
    page.mouse.wheel(0, 20_000)
    page.wait_for_timeout(200)
    assert page.evaluate("typeof window.hacked") == "undefined"
    assert page.evaluate("document.querySelectorAll('img, iframe, form, object, embed, math, base').length") == 0
    assert page.url == path.as_uri()
    shown = page.locator("#g01-c02").text_content() or ""
    for mark in MARKS:
        assert visible(mark) in shown


def test_the_policy_stops_what_would_slip_through(report: Path, tmp_path: Path, browser: Browser) -> None:
    """Where escaping failed, no script of the intruder would run and nothing would be fetched."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        intruder = (
            f"<script>window.hacked = 1</script><script src='{address}/x.js'></script>"
            f"<img src='{address}/x.png' onerror='window.hacked = 2'>"
        )
        path = tmp_path / "intruded.html"
        path.write_text(report.read_text().replace("<h1>", f"<h1>{intruder}"))
        context = browser.new_context()
        page = context.new_page()
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text))
        page.goto(path.as_uri())
        assert page.evaluate("typeof window.hacked") == "undefined"
        assert len([text for text in refused if "Content Security Policy" in text]) >= 3
        context.close()
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_the_report_of_nothing(tmp_path: Path, open_page: Open) -> None:
    path = tmp_path / "empty.html"
    with RunStore.create(tmp_path / "run", "") as store:
        path.write_text(render_report(store))
    assert open_page(path).locator("h1").inner_text() == "No generation has finished with a usable reward yet."
