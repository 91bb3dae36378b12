"""A server of pages on a free port, and requests to it as bytes go over the wire."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

from eureka.ui.web.server import WebServer


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: str

    @classmethod
    def read(cls, connection: http.client.HTTPConnection) -> Answer:
        answer = connection.getresponse()
        body = answer.read().decode("utf-8", errors="replace")
        return cls(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)


@dataclass(frozen=True)
class PageServer:
    """A running server."""

    ready: WebServer

    @property
    def address(self) -> str:
        return self.ready.address

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return self.ready.token

    @property
    def cookie(self) -> str:
        """What a browser sends that opened the address."""
        return f"eureka{self.port}={self.token}"

    @property
    def port(self) -> int:
        return self.ready.sockets[0].getsockname()[1]

    @contextmanager
    def connection(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def running(ready: WebServer) -> Iterator[None]:
    """The server answers while the context lasts."""
    thread = Thread(target=ready.run)
    thread.start()
    try:
        yield
    finally:
        ready.server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
