"""The pages of runs on a free port, and requests with exactly the bytes that a test wants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from page_server import Answer, PageServer, running

import eureka.ui.web.server


class Served(PageServer):
    """A server of runs."""

    def ask(self, target: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
        """A request with exactly this target; `headers` replace what a browser that knows the token would send."""
        with self.connection() as connection:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            sent = {"Host": f"127.0.0.1:{self.port}", "Cookie": self.cookie, **(headers or {})}
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders()
            return Answer.read(connection)

    @contextmanager
    def events(self, target: str, headers: dict[str, str] | None = None) -> Iterator[Iterator[str]]:
        """The lines of an event stream as they arrive."""
        with self.connection() as connection:
            connection.request("GET", target, headers={"Cookie": self.cookie, **(headers or {})})
            answer = connection.getresponse()
            assert answer.status == 200
            assert answer.getheader("content-type", "").startswith("text/event-stream")
            yield (line.decode().rstrip("\n") for line in answer)


@contextmanager
def serving(root: Path, host: str = "127.0.0.1") -> Iterator[Served]:
    """The pages of `root` on a free port while the context lasts."""
    with eureka.ui.web.server.serving(root, host, 0) as ready, running(ready):
        yield Served(ready)
