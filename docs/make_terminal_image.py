"""Makes docs/images/terminal.svg: what a terminal of 80 columns shows in the middle of a real search.

    python docs/make_terminal_image.py [--share 0.4] [KEY=VALUE]...

It starts `eureka run task=ant` with a pseudo-terminal, waits until the second generation is trained to `--share`, takes
what stands on the screen, and interrupts the run.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from contextlib import suppress
from pathlib import Path

import pyte
from rich.console import Console
from rich.text import Text

COLUMNS, LINES = 80, 48
IMAGE = Path(__file__).parent / "images" / "terminal.svg"


def main() -> None:
    """Run, take the picture, and stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.4)
    parser.add_argument("overrides", nargs="*", default=["search.samples=6", "train.steps=120000", "seed=1"])
    options = parser.parse_args()
    screen = pyte.Screen(COLUMNS, LINES)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "eureka", "run", "task=ant", "llm=program_search", *options.overrides]
        film(command, folder, screen, options.share)
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    for line in table_lines(screen):
        console.print(line, no_wrap=True)
    svg = console.export_svg(title="eureka run task=ant")
    # The picture loads nothing: the reader's own monospaced font has to do.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code", "ui-monospace")
    IMAGE.parent.mkdir(exist_ok=True)
    IMAGE.write_text(re.sub(r"[ \t]+\n", "\n", svg), encoding="utf-8")
    print(f"wrote {IMAGE}")


def film(command: list[str], folder: str, screen: pyte.Screen, share: float) -> None:
    """Run `command` in `folder` until the second generation has got so far; `screen` then shows it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    stream = pyte.ByteStream(screen)
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1"}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment, start_new_session=True
    )
    os.close(theirs)
    try:
        while not far_enough(screen, share):
            stream.feed(os.read(ours, 65536))
    finally:
        process.send_signal(signal.SIGINT)
        # A terminal that nobody reads fills up, and what writes to it never ends.
        with suppress(OSError):
            while os.read(ours, 65536):
                pass
        process.wait()
        os.close(ours)


def far_enough(screen: pyte.Screen, share: float) -> bool:
    """Whether every training of the second generation is at `share` at least."""
    text = "\n".join(screen.display)
    at = [int(percent) for percent in re.findall(r"g02-c\d+ +training .*? (\d+)%", text)]
    return bool(at) and min(at) >= share * 100


def table_lines(screen: pyte.Screen) -> list[Text]:
    """The screen from the first generation's table on, in its colours."""
    rows = [row.rstrip() for row in screen.display]
    first = next(index for index, row in enumerate(rows) if row.startswith("ant · generation 1"))
    last = max(index for index, row in enumerate(rows) if row)
    return [styled(screen, index) for index in range(first, last + 1)] + [Text()]


def styled(screen: pyte.Screen, index: int) -> Text:
    """One row of the screen with its colours."""
    text = Text()
    for column in range(COLUMNS):
        cell = screen.buffer[index][column]
        color = cell.fg if cell.fg in ("red", "green", "cyan", "blue", "magenta") else ""
        color = "yellow" if cell.fg == "brown" else color  # what pyte calls ANSI's third colour
        text.append(cell.data, " ".join(filter(None, ("bold" if cell.bold else "", color))))
    text.rstrip()
    return text


if __name__ == "__main__":
    main()
