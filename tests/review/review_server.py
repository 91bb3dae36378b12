"""The page of a review on a free port, and requests to it as bytes go over the wire."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

from eureka.live.server import Watch
from eureka.review.server import serving_reviews


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Served:
    ready: Watch

    @property
    def port(self) -> int:
        return self.ready.sockets[0].getsockname()[1]

    @property
    def token(self) -> str:
        return self.ready.address.partition("token=")[2]

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self,
        target: str,
        headers: dict[str, str] | None = None,
        method: str = "GET",
        form: dict[str, str] | None = None,
    ) -> Answer:
        """A request with the cookie that the page's own have, unless `headers` say otherwise."""
        body = urlencode(form) if form is not None else None
        sent = {"Cookie": f"review{self.port}={self.token}", **(headers or {})}
        if body is not None:
            sent |= {"Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target, body, {name: value for name, value in sent.items() if value})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", errors="replace")
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)
        finally:
            connection.close()

    def send(self, headers: dict[str, str] | None = None, **form: str) -> Answer:
        """The form, as the page itself sends it."""
        given = {"token": self.token, "generation": "1", **form}
        return self.ask("/answer", {"Origin": self.origin, **(headers or {})}, "POST", given)


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    with serving_reviews(folder) as ready:
        thread = Thread(target=ready.run)
        thread.start()
        try:
            yield Served(ready)
        finally:
            ready.server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()
