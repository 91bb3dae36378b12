"""A server of pages on a free port, and requests to it as bytes go over the wire."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from eureka.live.server import Watch, watch


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Served:
    """A running server."""

    ready: Watch

    @property
    def address(self) -> str:
        return self.ready.address

    @property
    def port(self) -> int:
        return self.ready.sockets[0].getsockname()[1]

    @property
    def query(self) -> str:
        return f"?{urlsplit(self.address).query}" if "?" in self.address else ""

    def ask(self, target: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
        """A request with exactly this target; `headers` replace what a browser would send."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": f"127.0.0.1:{self.port}", **(headers or {})}.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            body = answer.read().decode("utf-8", errors="replace")
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)
        finally:
            connection.close()

    @contextmanager
    def events(self, target: str, headers: dict[str, str] | None = None) -> Iterator[Iterator[str]]:
        """The lines of an event stream as they arrive."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", target, headers=headers or {})
            answer = connection.getresponse()
            assert answer.status == 200
            assert answer.getheader("content-type", "").startswith("text/event-stream")
            yield (line.decode().rstrip("\n") for line in answer)
        finally:
            connection.close()


@contextmanager
def serving(root: Path, host: str = "127.0.0.1") -> Iterator[Served]:
    """The pages of `root` on a free port while the context lasts."""
    with watch(root, host, 0) as ready:
        thread = Thread(target=ready.run)
        thread.start()
        try:
            yield Served(ready)
        finally:
            ready.server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()
