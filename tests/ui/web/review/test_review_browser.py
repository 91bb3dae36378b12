"""In a real browser: a review by the keyboard alone, whose words are in the next prompt."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from loop_fakes import prompt_of
from playwright.sync_api import Browser, Page, sync_playwright
from review_server import serving

from eureka.store import RunStore
from eureka.ui.video.encode import Mp4Writer, save_poster
from eureka.ui.web.review.answers import review_folder

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
    pytest.mark.usefixtures("polls_often"),
]
WORDS = "it hops on one leg; keep the torso level"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that fails the test where the browser has something to complain of."""
    complaints: list[str] = []
    context = browser.new_context(color_scheme=request.param)
    one = context.new_page()
    one.on("console", lambda message: complaints.append(message.text))
    one.on("pageerror", lambda error: complaints.append(str(error)))
    yield one
    context.close()
    assert complaints == []


def write_film(folder: Path, name: str, frames: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    picture = np.full((48, 64, 3), 90, np.uint8)
    save_poster(picture, folder / f"{name}.jpg")
    with Mp4Writer(folder / f"{name}.mp4", 64, 48, Fraction(25)) as film:
        for _ in range(frames):
            film.add(picture)


def wait_for_films(page: Page, condition: str) -> None:
    """Wait until something holds for both films. (Playwright's own waiting for it needs `unsafe-eval`.)"""
    while page.evaluate(f"[...document.querySelectorAll('video')].filter((film) => {condition}).length") < 2:
        page.wait_for_timeout(50)


def test_a_review_by_the_keyboard_alone(folder: Path, searching: Callable, page: Page) -> None:
    requests: list[str] = []
    with searching(folder) as run, serving(folder) as served:
        run.wait_for_review(1)
        write_film(review_folder(folder, 1), "g01-c01", 50)
        page.on("request", lambda request: requests.append(request.url))
        page.goto(served.address)
        assert "task metric" not in page.inner_text("main")
        assert page.inner_text("#g01-c02 .no-film") == "The film is being made."
        # A film that is ready later comes by itself, and plays with the others.
        write_film(review_folder(folder, 1), "g01-c02", 25)
        page.wait_for_selector("#g01-c02 video")
        wait_for_films(page, "film.currentTime > 0 && !film.controls")
        page.keyboard.press("Space")
        wait_for_films(page, "film.paused")

        page.keyboard.press("2")
        page.keyboard.press("b")
        assert page.inner_text("#chosen") == "best: g01-c02"
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("b")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("w")
        assert page.inner_text("#chosen") == "best: g01-c01, worst: g01-c02"
        page.keyboard.press("t")
        assert page.inner_text("#chosen") == "tie"
        page.keyboard.press("n")
        assert page.inner_text("#chosen") == "none good"
        page.keyboard.press("1")
        page.keyboard.press("b")
        assert page.inner_text("#chosen") == "best: g01-c01"
        page.keyboard.press("/")
        page.keyboard.type(WORDS)
        page.keyboard.press("Enter")

        page.wait_for_selector("text=Your answer: best g01-c01")
        assert page.locator("dt:text('task metric')").count() == 2
        assert page.url == f"{served.origin}/runs/run/review/"
        assert all(url.startswith(page.url) for url in requests)
        page.goto("about:blank")
    with RunStore.open(folder, read_only=True) as store:
        prompt = prompt_of(store, 2)
    assert prompt is not None
    assert WORDS in prompt.messages[-1].content
    assert prompt.facts.reflection is not None
    assert prompt.facts.reflection.candidate_id == "g01-c01"


def test_without_a_script_and_on_to_the_next_generation(folder: Path, searching: Callable, browser: Browser) -> None:
    with searching(folder, generations=3) as run, serving(folder) as served:
        plain = browser.new_context(java_script_enabled=False)
        page = plain.new_page()
        run.wait_for_review(1)
        page.goto(served.address)
        assert page.locator("kbd:visible").count() == 0
        page.check("#g01-c02 input[name=best]")
        page.click("text=Send")
        page.wait_for_selector("text=Your answer: best g01-c02")
        plain.close()
        # A page that is open is told of the next review.
        follows = browser.new_page()
        follows.goto(served.address)
        run.wait_for_review(2)
        follows.wait_for_selector("h1:text('Generation 2 of cartpole: which policy does best?')")
        assert follows.inner_text("#g01-c02 h2") == "1 g01-c02 the parent, from before"
        assert follows.locator(".card").count() == 4  # both of generation 1 are parents
        # Nothing is wider than a small window.
        follows.set_viewport_size({"width": 390, "height": 800})
        assert follows.evaluate("document.documentElement.scrollWidth") == 390
        follows.keyboard.press("t")
        follows.keyboard.press("Enter")
        follows.wait_for_selector("text=Your answer: tie")
        follows.close()
