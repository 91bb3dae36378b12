"""Checks of every request: addressed to this server, with its token, not from another site's page, and read-only except
for answers to a review.
"""

from __future__ import annotations

import hmac
import ipaddress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "token"
"""The name of the query parameter."""

_SECURITY_HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Guard:
    """ASGI middleware around the whole application.

    Args:
        token: the secret that a request must have in its address or, after that, in a cookie.
        cookie: the cookie's name: servers on several ports of a machine share its cookies.
        is_local: whether the server listens on a loopback address. The Host header must then be one too: a page of
            another site whose name was bound anew to this machine (DNS rebinding) gets nothing.
        posts_to: ending of the path that accepts answers, from pages of this server only; empty: none.
    """

    def __init__(self, app: ASGIApp, token: str, cookie: str, *, is_local: bool, posts_to: str = "") -> None:
        self._app = app
        self._token = token
        self._cookie = cookie
        self._is_local = is_local
        self._posts_to = posts_to

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with one sentence."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        takes_posts = bool(self._posts_to) and scope["path"].endswith(self._posts_to)
        refusal = _refusal(scope["method"], headers, checks_host=self._is_local, takes_posts=takes_posts)
        if refusal is None and not self._knows_token(scope, headers):
            refusal = PlainTextResponse("open the whole address that was printed, with its token\n", 403)
        app: ASGIApp = refusal or self._app

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                for name, value in _SECURITY_HEADERS.items():
                    given.setdefault(name, value)
                given.setdefault("content-security-policy", _POLICY)
                if refusal is None:
                    given.append("set-cookie", f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/")
            await send(message)

        await app(scope, receive, with_headers)

    def _knows_token(self, scope: Scope, headers: Headers) -> bool:
        in_address = parse_qs(scope["query_string"].decode("latin-1")).get(TOKEN, [])
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except CookieError:
            cookies.clear()
        in_cookie = [cookies[self._cookie].value] if self._cookie in cookies else []
        wanted = self._token.encode()
        return any(hmac.compare_digest(given.encode(), wanted) for given in (*in_address, *in_cookie))


def _refusal(method: str, headers: Headers, *, checks_host: bool, takes_posts: bool) -> PlainTextResponse | None:
    allowed = ("GET", "HEAD", "POST") if takes_posts else ("GET", "HEAD")
    if method not in allowed:
        names = f"{', '.join(allowed[:-1])} and {allowed[-1]}"
        return PlainTextResponse(f"this server answers {names}\n", 405, {"allow": ", ".join(allowed)})
    host = headers.get("host", "")
    if checks_host and not is_loopback(_host_name(host)):
        return PlainTextResponse("this server is for this machine: address it as 127.0.0.1 or localhost\n", 421)
    # Requests that change something must come from a page of this server; every browser sends the origin.
    if not _same_site(headers, host) or (method == "POST" and "origin" not in headers):
        return PlainTextResponse("refused: the request comes from another site's page\n", 403)
    return None


def _same_site(headers: Headers, host: str) -> bool:
    """Whether a request comes from this server's page, or from a person opening an address."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        return False
    opened = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return opened or headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def _host_name(host: str) -> str:
    """The host of a Host header: `[::1]:80` -> `::1`; empty if it is not a host and port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback(name: str) -> bool:
    """Whether a host name or address is this machine's own, without asking a name server."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
