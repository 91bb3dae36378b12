"""Serving the pages: a socket, its address, and uvicorn behind it."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import uvicorn

from eureka.core.errors import EurekaError
from eureka.store import find_runs
from eureka.ui.web.app import make_app
from eureka.ui.web.guard import is_loopback
from eureka.ui.web.runs import require_folder

LOOPBACK = "127.0.0.1"
USUAL_PORT = 8517
"""The default port, if it is free and no other is requested."""
MAX_REQUESTS = 100
"""Maximum number of simultaneous requests; more are refused."""


@dataclass(frozen=True)
class WebServer:
    """A server that is ready, with its addresses.

    Attributes:
        root: the run folder, or the folder of runs.
        origin: `http://127.0.0.1:8517`.
        token: secret that every address needs.
    """

    root: Path
    origin: str
    token: str
    server: uvicorn.Server
    sockets: list[socket.socket]

    @property
    def address(self) -> str:
        """The address of the page of the run, or of the list of runs."""
        return f"{self.origin}/?token={self.token}"

    @property
    def review_address(self) -> str:
        """The address of the run's review, for a server of one run on a loopback address."""
        (name,) = find_runs(self.root)
        return f"{self.origin}/runs/{quote(name)}/review/?token={self.token}"

    def run(self) -> None:
        """Serve until the process is interrupted or `server.should_exit` is set."""
        with self.server.capture_signals():  # uvicorn sets them only in its loop, too late for an early Ctrl-C
            self.server.run(sockets=self.sockets)


@contextmanager
def serving(
    root: Path, host: str = LOOPBACK, port: int | None = None, ended: Callable[[], bool] = lambda: False
) -> Iterator[WebServer]:
    """Bind a socket for the pages of a run folder, or of a folder of runs.

    Requests need a token, which is new for each server; the connection is not encrypted.

    Args:
        host: an address of this machine. Reviews are served on a loopback address only.
        port: None: the default one or, if that is in use, any.
        ended: returns whether the runs are over, which pages then show.

    Raises:
        StoreError: there is no such folder.
        EurekaError: the address cannot be bound.
    """
    require_folder(root)
    token = secrets.token_urlsafe(32)
    with bound_socket(host, port) as bound:
        own, number = bound.getsockname()[:2]
        app = make_app(
            root,
            token,
            f"eureka{number}",
            is_local=is_loopback(own),
            stopping=lambda: server.should_exit,
            ended=ended,
        )
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=MAX_REQUESTS,
            timeout_keep_alive=2,
            timeout_graceful_shutdown=2,
        )
        server = uvicorn.Server(config)
        shown = socket.gethostname() if own in ("0.0.0.0", "::") else host
        authority = f"[{shown}]:{number}" if ":" in shown else f"{shown}:{number}"
        yield WebServer(root, f"http://{authority}", token, server, [bound])


@contextmanager
def bound_socket(host: str, port: int | None) -> Iterator[socket.socket]:
    """A listening socket; `port` None: the default one or, if that is in use, any.

    Raises:
        EurekaError: the address cannot be bound.
    """
    wanted = [USUAL_PORT, 0] if port is None else [port]
    for number in wanted:
        try:
            family = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0][0]
            bound = socket.create_server((host, number), family=family)
        except OSError as error:
            if number == wanted[-1]:
                raise EurekaError(
                    f"{host}:{number} cannot be listened on: {error.strerror or error}; give another --host or --port"
                ) from error
        else:
            with bound:
                yield bound
            return


def open_browser(address: str, environment: Mapping[str, str]) -> bool:
    """Open the page in a browser if there is a screen, since a text browser would block the terminal. Returns whether
    it was tried.
    """
    has_screen = any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return has_screen and webbrowser.open(address)
