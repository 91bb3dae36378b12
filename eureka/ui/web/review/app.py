"""The review as a page: shows the films, takes one answer a generation, and shows the numbers after that.

/                 the newest review of the run, or that there is none yet
/state            whether there is another page to show, and which films are ready (JSON)
/films/NAME.mp4   a film; NAME.jpg its first picture
/answer           POST of the form
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs

import jinja2
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from eureka.core.errors import EurekaError, FeedbackError
from eureka.core.types import Feedback, Verdict
from eureka.ui.report.text import shown
from eureka.ui.web.live.guard import Guard
from eureka.ui.web.review.data import MAX_TEXT, answered_about, review_folder, write_answer
from eureka.ui.web.review.standing import Phase, Standing, asked_and_silent, standing
from eureka.ui.web.review.waiting import clock, described

MAX_FORM_BYTES = 16_384
_KINDS = {"mp4": "video/mp4", "jpg": "image/jpeg"}


def make_app(run_folder: Path, token: str, cookie: str) -> ASGIApp:
    """The application for one run.

    Args:
        token: what every request must know, and the form once more.
        cookie: the name of the cookie that keeps it.
    """
    return Guard(_Site(run_folder, token).app(), token, checks_host=True, takes_posts=True, cookie=cookie)


class _Site:
    def __init__(self, run_folder: Path, token: str) -> None:
        self._folder = run_folder
        self._token = token

    def app(self) -> Starlette:
        routes = [
            Route("/", self.page),
            Route("/state", self.state),
            Route("/films/{name}.{kind}", self.film),
            Route("/answer", self.answer, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers={EurekaError: _unreadable, HTTPException: _refused})

    async def page(self, request: Request) -> Response:
        del request
        return self._html(await run_in_threadpool(standing, self._folder))

    async def state(self, request: Request) -> Response:
        del request
        now = await run_in_threadpool(standing, self._folder)
        films = {one.name: {"ready": one.film.ready, "problem": one.film.problem} for one in now.shown}
        return JSONResponse({"version": now.version, "films": films})

    async def film(self, request: Request) -> Response:
        now = await run_in_threadpool(standing, self._folder)
        name, kind = request.path_params["name"], request.path_params["kind"]
        if now.review is None or name not in now.review.shown or kind not in _KINDS:
            raise HTTPException(404)
        path = review_folder(self._folder, now.review.generation) / f"{name}.{kind}"
        if not path.is_file():
            raise HTTPException(404)
        return FileResponse(path, media_type=_KINDS[kind])

    async def answer(self, request: Request) -> Response:
        form = await _form(request)
        if not hmac.compare_digest(form.get("token", "").encode(), self._token.encode()):
            raise HTTPException(403)
        return await run_in_threadpool(self._take, form)

    def _take(self, form: dict[str, str]) -> Response:
        now = standing(self._folder)
        if now.review is None or now.phase is not Phase.OPEN or form.get("generation") != str(now.review.generation):
            return self._html(now, "This had been answered, or the run had gone on; what you sent was not used.", 409)
        try:
            write_answer(self._folder, answered_about(_given(form, now.review.generation), now.review.shown))
        except FeedbackError as error:
            return self._html(now, str(error), 400, form)
        return RedirectResponse("/", 303)

    def _html(self, now: Standing, error: str = "", status: int = 200, form: dict[str, str] | None = None) -> Response:
        style, script = _asset("review.css"), _asset("review.js")
        page = _environment().get_template("review.jinja2")
        until = now.review.until if now.review else None
        text = page.render(
            now=now,
            is_open=now.phase is Phase.OPEN,
            is_answered=now.phase is Phase.ANSWERED,
            went_on=asked_and_silent(now.answer),
            answered=described(now.answer) if now.answer else "",
            until=clock(until) if until else None,
            error=error,
            form=form or {},
            token=self._token,
            folder=str(self._folder),
            max_text=MAX_TEXT,
            style=Markup(style),
            script=Markup(script),
        )
        policy = (
            f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src 'self' data:; "
            "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        # Without a referrer a browser leaves out the origin of a form as well.
        headers = {"content-security-policy": policy, "referrer-policy": "same-origin"}
        return HTMLResponse(text, status, headers)


def _given(form: dict[str, str], generation: int) -> Feedback:
    """The form as an answer. Where all are judged alike, what stands with single ones does not count."""
    try:
        verdict = Verdict(form.get("verdict", Verdict.CHOICE.value))
    except ValueError as error:
        raise FeedbackError(f"there is no verdict `{form['verdict']}`") from error
    alike = verdict is not Verdict.CHOICE
    return Feedback(
        generation=generation,
        verdict=Verdict.CHOICE if verdict is Verdict.NO_ANSWER else verdict,
        shown=(),
        best=None if alike else form.get("best") or None,
        worst=None if alike else form.get("worst") or None,
        text=form.get("text", ""),
    )


async def _form(request: Request) -> dict[str, str]:
    """A form as browsers send it, the last of equal names."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413)
    try:
        return {name: values[-1] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    except (UnicodeDecodeError, ValueError) as error:
        raise HTTPException(400) from error


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


@functools.cache
def _asset(name: str) -> str:
    return files("eureka.ui.web.review").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


async def _unreadable(request: Request, error: Exception) -> Response:
    del request
    return PlainTextResponse(f"{error}\n", 503)


async def _refused(request: Request, error: Exception) -> Response:
    del request
    status = error.status_code if isinstance(error, HTTPException) else 404
    return PlainTextResponse("refused\n" if status != 404 else "there is nothing here\n", status)
