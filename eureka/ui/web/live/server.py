"""Serving the pages: a socket, its address, and uvicorn behind it."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from eureka.core.errors import EurekaError
from eureka.ui.web.live.app import make_app
from eureka.ui.web.live.guard import is_loopback
from eureka.ui.web.live.runs import require_folder

LOOPBACK = "127.0.0.1"
USUAL_PORT = 8517
"""Taken where it is free and no other is asked for."""
MAX_REQUESTS = 100
"""At the same time; more are refused."""


@dataclass(frozen=True)
class Watch:
    """A server that is ready: where it can be opened, and what runs it."""

    address: str
    server: uvicorn.Server
    sockets: list[socket.socket]

    def run(self) -> None:
        """Serve until the process is interrupted or `server.should_exit` is set."""
        with self.server.capture_signals():  # uvicorn does so only once its loop runs, which an early Ctrl-C is before
            self.server.run(sockets=self.sockets)


@contextmanager
def watch(
    root: Path, host: str = LOOPBACK, port: int | None = None, ended: Callable[[], bool] = lambda: False
) -> Iterator[Watch]:
    """Bind a socket for the pages of a run folder, or of a folder of runs.

    Args:
        host: an address of this machine. For another than a loopback address a token is drawn, without which nothing
            is answered; the connection is not encrypted.
        port: None for the usual one or, where that is taken, any.
        ended: says that nothing more will happen in the runs; pages are then told so.

    Raises:
        StoreError: there is no such folder.
        EurekaError: the address cannot be bound.
    """
    require_folder(root)
    with bound_socket(host, port) as bound:
        own = bound.getsockname()[0]
        token = None if is_loopback(own) else secrets.token_urlsafe(32)
        yield serve_on(bound, host, token, lambda stopping: make_app(root, token, stopping, ended))


def serve_on(
    bound: socket.socket, host: str, token: str | None, make: Callable[[Callable[[], bool]], ASGIApp]
) -> Watch:
    """A server, ready to run, on a socket that listens.

    Args:
        host: how the socket's address was asked for.
        token: is put into the address that is shown.
        make: gives the application; what it is given says whether the server is about to end.
    """
    own, number = bound.getsockname()[:2]
    config = uvicorn.Config(
        make(lambda: server.should_exit),
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
    return Watch(f"http://{authority}/" + (f"?token={token}" if token else ""), server, [bound])


@contextmanager
def bound_socket(host: str, port: int | None) -> Iterator[socket.socket]:
    """A socket that listens; `port` None is the usual one or, where that is taken, any.

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
