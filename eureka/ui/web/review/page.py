"""The review as a page: shows the films, takes one answer a generation, and shows the numbers after that.

/runs/NAME/review/             the newest review of the run, or that there is none yet
.../state                      whether there is another page to show, and which films are ready (JSON)
.../films/g02-c05.mp4          a film; g02-c05.jpg its first picture
.../answer                     POST of the form
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from eureka.core.errors import FeedbackError
from eureka.core.types import Feedback, Verdict
from eureka.ui.report.templating import asset, fill, source_hash
from eureka.ui.video.film import film_of_review
from eureka.ui.web.review.answers import MAX_TEXT, answered_about, newest_review, write_answer
from eureka.ui.web.review.reviewer import clock, described
from eureka.ui.web.review.state import ReviewPhase, ReviewState, nobody_answered, review_state

ANSWER = "/review/answer"
"""Ending of the path to which the form is sent."""
MAX_FORM_BYTES = 16_384
_PACKAGE = "eureka.ui.web.review"
_KINDS = {"mp4": "video/mp4", "jpg": "image/jpeg"}


def review_routes(find: Callable[[Request], tuple[str, Path]], token: str) -> list[Route]:
    """The routes of the reviews of runs.

    Args:
        find: returns the name and the folder of the run that a request is about.
        token: the secret that the form must contain.
    """
    site = _Reviews(find, token)
    return [
        Route("/runs/{name}/review/", site.page),
        Route("/runs/{name}/review/state", site.state),
        Route("/runs/{name}/review/films/{candidate}.{kind}", site.film),
        Route(f"/runs/{{name}}{ANSWER}", site.answer, methods=["POST"]),
    ]


class _Reviews:
    def __init__(self, find: Callable[[Request], tuple[str, Path]], token: str) -> None:
        self._find = find
        self._token = token

    async def page(self, request: Request) -> Response:
        _, folder = self._find(request)
        return self._html(folder, await run_in_threadpool(review_state, folder))

    async def state(self, request: Request) -> Response:
        _, folder = self._find(request)
        now = await run_in_threadpool(review_state, folder)
        films = {one.name: {"ready": one.film.ready, "problem": one.film.problem} for one in now.policies}
        return JSONResponse({"version": now.version, "films": films})

    async def film(self, request: Request) -> Response:
        _, folder = self._find(request)
        review = await run_in_threadpool(newest_review, folder)
        name, kind = request.path_params["candidate"], request.path_params["kind"]
        if review is None or name not in review.shown or kind not in _KINDS:
            raise HTTPException(404)
        path = folder / film_of_review(review.generation, name).with_suffix(f".{kind}")
        if not path.is_file():
            raise HTTPException(404)
        return FileResponse(path, media_type=_KINDS[kind])

    async def answer(self, request: Request) -> Response:
        _, folder = self._find(request)
        form = await _form(request)
        if not hmac.compare_digest(form.get("token", "").encode(), self._token.encode()):
            raise HTTPException(403)
        return await run_in_threadpool(self._take, folder, form)

    def _take(self, folder: Path, form: dict[str, str]) -> Response:
        now = review_state(folder)
        if (
            now.review is None
            or now.phase is not ReviewPhase.OPEN
            or form.get("generation") != str(now.review.generation)
        ):
            error = "This had been answered, or the run had gone on; what you sent was not used."
            return self._html(folder, now, error, 409)
        try:
            write_answer(folder, answered_about(_given(form, now.review.generation), now.review.shown))
        except FeedbackError as error:
            return self._html(folder, now, str(error), 400, form)
        return RedirectResponse("./", 303)

    def _html(
        self, folder: Path, now: ReviewState, error: str = "", status: int = 200, form: dict[str, str] | None = None
    ) -> Response:
        style, script = asset("review.css", _PACKAGE), asset("review.js", _PACKAGE)
        until = now.review.until if now.review else None
        text = fill(
            "review.jinja2",
            _PACKAGE,
            now=now,
            is_open=now.phase is ReviewPhase.OPEN,
            went_on=nobody_answered(now.answer),
            answered=described(now.answer) if now.answer else "",
            until=clock(until) if until else None,
            error=error,
            form=form or {},
            token=self._token,
            folder=str(folder),
            max_text=MAX_TEXT,
            style=Markup(style),
            script=Markup(script),
        )
        policy = (
            f"default-src 'none'; style-src {source_hash(style)}; script-src {source_hash(script)}; "
            "img-src 'self' data:; media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        # With a no-referrer policy, a browser would also omit the origin of a form.
        headers = {"content-security-policy": policy, "referrer-policy": "same-origin"}
        return HTMLResponse(text, status, headers)


def _given(form: dict[str, str], generation: int) -> Feedback:
    """The form as an answer. With a verdict on all candidates, marks on single ones are ignored."""
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
    """The form's fields as sent by browsers; of equal names, the last one."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413)
    try:
        return {name: values[-1] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    except (UnicodeDecodeError, ValueError) as error:
        raise HTTPException(400) from error
