"""The last lines of a terminal, redrawn in place without flicker.

A frame is one write between the marks of a synchronised update (DEC private mode 2026; terminals that do not know it
ignore them). It overwrites the frame before it line by line and erases only what that leaves over, so that no moment
shows an empty screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock

from rich.console import Console, RenderableType
from rich.text import Text

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_ERASE_LINE_END, _ERASE_BELOW = "\x1b[K", "\x1b[J"


class Region:
    """Lines at the end of what `console` shows. Any thread may draw."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._height = 0
        self._lock = RLock()

    def draw(self, lines: Sequence[Text], above: Sequence[RenderableType] = ()) -> None:
        """Replace the lines of the last frame by `lines`, each narrower than the terminal.

        `above` is left behind over them for good.
        """
        with self._lock:
            gone = self._rendered(above, wrap=True)
            frame = self._rendered(lines, wrap=False)
            up = f"\x1b[{self._height}A" if self._height else ""
            text = "".join(f"{line}{_ERASE_LINE_END}\n" for line in [*gone, *frame])
            self._write(f"{_HIDE_CURSOR}\r{up}{text}{_ERASE_BELOW}")
            self._height = len(frame)

    def close(self) -> None:
        """Give the terminal back, below what was drawn last."""
        with self._lock:
            self._write(_SHOW_CURSOR)
            self._height = 0

    def _rendered(self, parts: Sequence[RenderableType], *, wrap: bool) -> list[str]:
        with self._console.capture() as captured:
            for part in parts:
                self._console.print(part, no_wrap=not wrap, crop=not wrap)
        return captured.get().splitlines()

    def _write(self, text: str) -> None:
        self._console.file.write(f"{_BEGIN}{text}{_END}")
        self._console.file.flush()
