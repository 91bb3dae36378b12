"""Takes README's picture of a report: python docs/images/report.py REPORT.html

Needs Chromium (Debian's package) and Playwright, both of which the tests use too.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).with_name("report.png")
WIDTH, HEIGHT = 1200, 1100
COLOURS = 256
"""Of the palette: a page has few, and the file stays small."""


def main(report: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        page.wait_for_function("[...document.querySelectorAll('.films video')].every(film => film.readyState >= 2)")
        page.wait_for_timeout(1000)  # until the films' controls have stopped to turn
        page.screenshot(path=PICTURE)
        browser.close()
    with Image.open(PICTURE) as picture:
        few = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(PICTURE, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
