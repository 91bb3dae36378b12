"""The ASGI application: pages, their changes as server-sent events, and linked files.

    /                       the list of runs, or on to the only one
    /runs/NAME/             a run's report
    /runs/NAME/....mp4      what it links to: a video that is too large for the page, or a text such as best/reward.py
    .../events              one message for every change of the page that stands there
    /runs/NAME/review/      a run's review (`eureka.ui.web.review.page`), on a loopback address only

Except for the answer to a review, requests only contain names, which are looked up among the existing runs.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp

from eureka.core.errors import EurekaError
from eureka.store import find_runs, is_run
from eureka.ui.web.guard import Guard
from eureka.ui.web.pages import Page, Pages, overview_version
from eureka.ui.web.review.page import ANSWER, review_routes
from eureka.ui.web.runs import version

POLL_S = 0.5
"""Seconds between checks whether a run has changed."""
HEARTBEAT_S = 15.0
"""Maximum silence of an event stream in seconds, so that closed connections are noticed."""
LEAST_SHARE = 10
"""A page is announced as changed at the earliest after this multiple of its rendering time."""
_FILE = re.compile(r"(?:\w[\w.-]*/)*\w[\w.-]*\.(mp4|py|md|txt|json|yaml)")
"""Files that may be requested from a run folder: no hidden files, databases or policies, and no paths out of it."""
_FRAMES = "frame-ancestors 'none'"
_FILE_POLICY = f"sandbox; default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; {_FRAMES}"
"""The Content-Security-Policy of a plain video or text."""


def make_app(
    root: Path,
    token: str,
    cookie: str,
    *,
    is_local: bool = True,
    stopping: Callable[[], bool] = lambda: False,
    ended: Callable[[], bool] = lambda: False,
) -> ASGIApp:
    """The application for a run folder or a folder of runs.

    Args:
        token, cookie: see `Guard`.
        is_local: whether it only serves this machine. Only then are answers to reviews accepted.
        stopping: returns whether the server is about to stop; event streams then end.
        ended: returns whether the runs are over; event streams then end after the last change.
    """
    site = _Site(root, Pages(root, has_reviews=is_local), stopping, ended)
    routes = [
        Route("/", site.overview),
        Route("/events", site.overview_events),
        Route("/runs/{name}/", site.run),
        Route("/runs/{name}/events", site.run_events),
        *(review_routes(site.find, token) if is_local else ()),
        Route("/runs/{name}/{path:path}", site.file),
    ]
    app = Starlette(routes=routes, exception_handlers={EurekaError: _unreadable, HTTPException: _refused})
    return Guard(app, token, cookie, is_local=is_local, posts_to=ANSWER if is_local else "")


class _Site:
    def __init__(self, root: Path, pages: Pages, stopping: Callable[[], bool], ended: Callable[[], bool]) -> None:
        self._root = root
        self._pages = pages
        self._stopping = stopping
        self._ended = ended
        # Requests of a page wait here for the one that renders it, so that a slow folder does not take every thread.
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def overview(self, request: Request) -> Response:
        if is_run(self._root):
            (name,) = find_runs(self._root)
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"runs/{quote(name)}/{query}", 307)
        async with self._turns[""]:
            return _html(await run_in_threadpool(self._pages.overview))

    async def overview_events(self, request: Request) -> Response:
        return self._events(request, "", lambda: overview_version(find_runs(self._root)))

    async def run(self, request: Request) -> Response:
        name, folder = self.find(request)
        async with self._turns[name]:
            return _html(await run_in_threadpool(self._pages.run, name, folder))

    async def run_events(self, request: Request) -> Response:
        name, folder = self.find(request)
        return self._events(request, name, lambda: version(folder))

    async def file(self, request: Request) -> Response:
        _, folder = self.find(request)
        name = _FILE.fullmatch(request.path_params["path"])
        path = folder / name[0] if name else folder
        if name is None or not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            raise HTTPException(404)
        kind = "video/mp4" if name[1] == "mp4" else "text/plain; charset=utf-8"
        return FileResponse(path, media_type=kind, headers={"content-security-policy": _FILE_POLICY})

    def find(self, request: Request) -> tuple[str, Path]:
        """The name and the folder of the run that a request is about."""
        name = request.path_params["name"]
        folder = find_runs(self._root).get(name)
        if folder is None:
            raise HTTPException(404)
        return name, folder

    def _events(self, request: Request, name: str, present: Callable[[], str]) -> Response:
        shown = request.headers.get("last-event-id") or request.query_params.get("version", "")
        stream = self._changes(request, name, present, shown)
        return StreamingResponse(stream, media_type="text/event-stream")

    async def _changes(self, request: Request, name: str, present: Callable[[], str], shown: str) -> AsyncIterator[str]:
        clock = asyncio.get_running_loop().time
        yield "retry: 2000\n\n"
        said = clock()
        while not self._stopping() and not await request.is_disconnected():
            ended = self._ended()
            now = await run_in_threadpool(present)
            if ended:
                yield f"event: end\ndata: {now}\n\n"
                return
            quiet_s = clock() - said
            if now != shown and quiet_s >= LEAST_SHARE * self._pages.cost_s(name):
                shown, said = now, clock()
                yield f"id: {now}\ndata: {now}\n\n"
            elif quiet_s > HEARTBEAT_S:
                said = clock()
                yield ": still here\n\n"
            await asyncio.sleep(POLL_S)


def _html(page: Page) -> Response:
    # The page contains its own policy, with the hashes of its script and style sheet.
    return HTMLResponse(page.html, headers={"eureka-version": page.version, "content-security-policy": _FRAMES})


async def _unreadable(request: Request, error: Exception) -> Response:
    del request
    return PlainTextResponse(f"{error}\n", 503)


async def _refused(request: Request, error: Exception) -> Response:
    del request
    status = error.status_code if isinstance(error, HTTPException) else 404
    return PlainTextResponse("refused\n" if status != 404 else "there is nothing here\n", status)
