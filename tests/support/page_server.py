"""A server of pages on a free port, and requests to it as bytes go over the wire."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

from eureka.ui.web.live.server import Watch


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

    ready: Watch

    @property
    def address(self) -> str:
        return self.ready.address

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
def running(ready: Watch) -> Iterator[None]:
    """The server answers while the context lasts."""
    thread = Thread(target=ready.run)
    thread.start()
    try:
        yield
    finally:
        ready.server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
