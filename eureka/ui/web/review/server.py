"""Serving the page of a review, to this machine only."""

from __future__ import annotations

import secrets
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from eureka.ui.web.live.server import LOOPBACK, Watch, bound_socket, serve_on
from eureka.ui.web.review.app import make_app
from eureka.ui.web.review.standing import standing


@contextmanager
def serving_reviews(run_folder: Path, port: int = 0) -> Iterator[Watch]:
    """A server of a run's reviews on a loopback address, whose token is drawn anew each time.

    Raises:
        StoreError: not a run folder.
        EurekaError: the port cannot be listened on.
    """
    standing(run_folder)
    token = secrets.token_urlsafe(32)
    with bound_socket(LOOPBACK, port) as bound:
        cookie = f"review{bound.getsockname()[1]}"
        yield serve_on(bound, LOOPBACK, token, lambda _: make_app(run_folder, token, cookie))


def open_browser(address: str, environment: Mapping[str, str]) -> bool:
    """Show the page where there is a screen; elsewhere a text browser would take the terminal. Whether it was tried."""
    has_screen = any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return has_screen and webbrowser.open(address)
