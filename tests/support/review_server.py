"""The page of a review on a free port, and requests to it as the page makes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from page_server import Answer, PageServer, running

import eureka.ui.web.server


class Served(PageServer):
    """A server of reviews."""

    @property
    def address(self) -> str:
        return self.ready.review_address

    def ask(
        self,
        target: str,
        headers: dict[str, str] | None = None,
        method: str = "GET",
        form: dict[str, str] | None = None,
    ) -> Answer:
        """A request below the review, with the cookie that the page's own have, unless `headers` say otherwise."""
        body = urlencode(form) if form is not None else None
        sent = {"Cookie": self.cookie, **(headers or {})}
        if body is not None:
            sent |= {"Content-Type": "application/x-www-form-urlencoded"}
        with self.connection() as connection:
            connection.request(
                method,
                f"/runs/{self.ready.root.name}/review{target}",
                body,
                {name: value for name, value in sent.items() if value},
            )
            return Answer.read(connection)

    def send(self, headers: dict[str, str] | None = None, **form: str) -> Answer:
        """The form, as the page itself sends it."""
        given = {"token": self.token, "generation": "1", **form}
        return self.ask("/answer", {"Origin": self.origin, **(headers or {})}, "POST", given)


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    with eureka.ui.web.server.serving(folder, port=0) as ready, running(ready):
        yield Served(ready)
