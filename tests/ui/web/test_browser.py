"""In a real browser: a second generation arrives without a reload, and what the reader did stays."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from live_server import serving
from playwright.sync_api import Browser, Page, sync_playwright

from eureka.ui.web.live_page import live_page

Grow = Callable[[Path, int], None]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test where the browser has something to complain of."""
    complaints: list[str] = []
    context = browser.new_context()
    one = context.new_page()
    one.on("console", lambda message: complaints.append(message.text))
    one.on("pageerror", lambda error: complaints.append(str(error)))
    yield one
    context.close()
    assert complaints == []


def test_a_second_generation_arrives_without_a_reload(tmp_path: Path, grow: Grow, page: Page) -> None:
    grow(tmp_path / "ant" / "run", 1)
    requests: list[str] = []
    with serving(tmp_path) as served:
        page.on("request", lambda request: requests.append(request.url.removeprefix(served.origin)))
        page.goto(served.address)
        page.click("text=ant/run")
        page.wait_for_selector("#live:text('Live')")
        page.evaluate("window.here = true")
        page.evaluate("document.querySelector('#g01-c01').open = true")
        page.fill("#find", "g0")
        page.focus("#g01-c01 summary")
        assert page.query_selector("#g02-c01") is None

        grow(tmp_path / "ant" / "run", 2)
        page.wait_for_selector("#g02-c02", state="attached")
        page.wait_for_selector("#live:text('Updated')")
        assert page.evaluate("window.here") is True
        assert page.evaluate("document.querySelector('#g01-c01').open") is True
        assert page.evaluate("document.querySelector('#g02-c01').open") is False
        assert page.input_value("#find") == "g0"
        assert page.evaluate("document.activeElement.closest('details').id") == "g01-c01"
        assert page.inner_text("#count") == "4 of 4"
        # What is shown now is what a fresh page shows.
        fresh = page.context.new_page()
        fresh.goto(page.url)
        fresh.fill("#find", "g0")
        fresh.evaluate("document.querySelector('#g01-c01').open = true")
        assert page.inner_text("main") == fresh.inner_text("main")
        fresh.close()

        page.click("text=All runs")
        page.wait_for_selector("text=2 of 3 generations")
        grow(tmp_path / "ant" / "another", 1)
        page.wait_for_selector("text=ant/another")
    assert all(not url.startswith("http") for url in requests), requests


def test_a_server_that_ends_leaves_the_page(tmp_path: Path, grow: Grow, browser: Browser) -> None:
    grow(tmp_path / "run", 1)
    page = browser.new_page()
    with serving(tmp_path / "run") as served:
        page.goto(served.address)
        page.wait_for_selector("#live:text('Live')")
        assert page.query_selector("text=All runs") is None
    page.wait_for_selector("#live:text('Not connected')")
    assert "g01-c02" in page.inner_text("main")
    page.close()


def test_a_page_that_is_open_sees_the_runs_end(tmp_path: Path, grow: Grow, browser: Browser) -> None:
    grow(tmp_path / "run", 1)
    told: list[str] = []
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    with live_page(tmp_path / "run", os.environ, told.append):
        deadline = time.monotonic() + 60
        while not told and time.monotonic() < deadline:
            time.sleep(0.05)
        page.goto(told[0].split()[3])
        page.wait_for_selector("#live:text('Live')")
        # The run's last records, and then its end.
        grow(tmp_path / "run", 3)
    page.wait_for_selector("#live:text('The run has ended')")
    assert "g03-c02" in page.inner_text("main")
    page.wait_for_timeout(2500)
    assert complaints == []  # it does not ask for what is no longer there
    page.close()


def test_a_change_while_a_page_is_fetched_is_not_lost(tmp_path: Path, grow: Grow, page: Page) -> None:
    grow(tmp_path / "run", 1)
    with serving(tmp_path / "run") as served:
        page.goto(served.address)
        page.wait_for_selector("#live:text('Live')")
        # The first answer after a change is an old page: what was fetched while more was recorded.
        page.evaluate(
            """() => {
              const real = window.fetch;
              let first = true;
              window.fetch = async (...given) => {
                const answer = await real(...given);
                if (!first) return answer;
                first = false;
                await new Promise((done) => setTimeout(done, 1500));
                return new Response(document.documentElement.outerHTML, { headers: answer.headers });
              };
            }"""
        )
        grow(tmp_path / "run", 2)
        page.wait_for_timeout(800)
        grow(tmp_path / "run", 3)
        page.wait_for_selector("#g03-c02", state="attached")


def test_another_sites_page_can_neither_read_nor_show_a_run(tmp_path: Path, grow: Grow, browser: Browser) -> None:
    grow(tmp_path / "run", 1)
    (tmp_path / "elsewhere").mkdir()
    with serving(tmp_path / "run") as served, serving(tmp_path / "elsewhere") as evil:
        target = f"{served.origin}/runs/run/"
        page = browser.new_page(bypass_csp=True)
        # This browser knows the token.
        page.goto(served.address)
        # The same machine, another port: another origin, though the same site.
        page.goto(evil.address)
        read = f"fetch('{target}').then((answer) => answer.text(), (error) => String(error))"
        assert "Failed to fetch" in page.evaluate(read)
        blind = f"fetch('{target}', {{mode: 'no-cors'}}).then((answer) => answer.type, (error) => String(error))"
        assert page.evaluate(blind) in ("opaque", "TypeError: Failed to fetch")
        page.evaluate(f"document.body.innerHTML = '<iframe src=\"{target}\"></iframe>'")
        page.wait_for_timeout(500)
        assert all("g01-c01" not in frame.content() for frame in page.frames)
        page.close()
