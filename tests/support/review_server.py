"""The page of a review on a free port, and requests to it as the page makes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from page_server import Answer, PageServer, running

from eureka.ui.web.review.server import serving_reviews


class Served(PageServer):
    """A server of reviews."""

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]

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
        with self.connection() as connection:
            connection.request(method, target, body, {name: value for name, value in sent.items() if value})
            return Answer.read(connection)

    def send(self, headers: dict[str, str] | None = None, **form: str) -> Answer:
        """The form, as the page itself sends it."""
        given = {"token": self.token, "generation": "1", **form}
        return self.ask("/answer", {"Origin": self.origin, **(headers or {})}, "POST", given)


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    with serving_reviews(folder) as ready, running(ready):
        yield Served(ready)
