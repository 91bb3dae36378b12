"""Who is answered: no other name for this machine, no other site's page, nobody without the token, and only to read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from live_server import Served, serving

from eureka.ui.web.guard import is_loopback


@pytest.fixture
def served(tmp_path: Path, grow: Callable[[Path, int], None]) -> Iterator[Served]:
    grow(tmp_path / "outputs" / "ant" / "first", 1)
    (tmp_path / "secret.txt").write_text("the secret")
    with serving(tmp_path / "outputs") as one:
        yield one


PAGE = "/runs/ant~first/"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.168.0.7", "", "[::1", "localhost.evil.example"],
)
def test_dns_rebinding_gets_nothing(served: Served, host: str) -> None:
    for target in ("/", PAGE, f"{PAGE}events", f"{PAGE}config.yaml"):
        answer = served.ask(target, {"Host": host})
        assert answer.status in (400, 421)
        assert "ant" not in answer.body


def test_this_machines_names_are_answered_on_any_port(served: Served) -> None:
    for host in ("127.0.0.1", "localhost:1234", f"[::1]:{served.port}", "127.0.0.2", "LOCALHOST"):
        assert served.ask("/", {"Host": host}).status == 200


def test_another_sites_page_gets_nothing(served: Served) -> None:
    refused = [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://localhost:{served.port}"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        # Another port of the same host counts as the same site and is another's page all the same.
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    ]
    for headers in refused:
        answer = served.ask(PAGE, headers)
        assert (answer.status, "g01-c01" in answer.body) == (403, False)
    answered = [
        {"Origin": served.origin, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        # A link on another page may be followed: the address is opened, and that page sees nothing of it.
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    ]
    for headers in answered:
        answer = served.ask(PAGE, headers)
        assert (answer.status, "g01-c01" in answer.body) == (200, True)
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
def test_it_only_shows(served: Served, method: str) -> None:
    answer = served.ask(PAGE, method=method)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_head_is_answered_without_a_body(served: Served) -> None:
    answer = served.ask(PAGE, method="HEAD")
    assert (answer.status, answer.body) == (200, "")


@pytest.mark.parametrize(
    "target",
    [
        "/runs/ant~first/../../secret.txt",
        "/runs/ant~first/../../../secret.txt",
        "/runs/ant~first/%2e%2e/%2e%2e/%2e%2e/secret.txt",
        "/runs/ant~first/..%2f..%2f..%2fsecret.txt",
        "/runs/ant~first/..%5c..%5csecret.txt",
        "/runs/ant~first/%252e%252e/secret.txt",
        "/runs/ant~first//etc/passwd.txt",
        "/runs/ant~first/link.txt",
        "/runs/ant~first/folder/secret.txt",
        "/runs/../secret.txt",
        "/runs/~/secret.txt",
        "/runs/..~..~secret/",
        "/runs/outside/",
        "/runs/outside/secret.txt",
        "/runs/ant~first/secret.txt%00.mp4",
        "/../secret.txt",
        "//secret.txt",
    ],
)
def test_no_way_out_of_the_run_folders(served: Served, tmp_path: Path, target: str) -> None:
    run = tmp_path / "outputs" / "ant" / "first"
    (run / "link.txt").symlink_to(tmp_path / "secret.txt")
    (run / "folder").symlink_to(tmp_path)
    (tmp_path / "run.db").touch()
    (tmp_path / "outputs" / "outside").symlink_to(tmp_path)
    answer = served.ask(target)
    assert answer.status in (400, 404)
    assert "secret" not in answer.body


def test_what_a_page_links_to_is_served_as_what_it_is(served: Served, tmp_path: Path) -> None:
    run = tmp_path / "outputs" / "ant" / "first"
    (run / "videos").mkdir()
    (run / "videos" / "rollout.mp4").write_bytes(b"0123456789")
    source = served.ask("/runs/ant~first/generation_01/candidate_01/source.py")
    assert source.body == (run / "generation_01" / "candidate_01" / "source.py").read_text()
    assert source.headers["content-type"] == "text/plain; charset=utf-8"
    assert source.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    part = served.ask("/runs/ant~first/videos/rollout.mp4", {"Range": "bytes=2-4"})
    assert (part.status, part.body, part.headers["content-type"]) == (206, "234", "video/mp4")
    for hidden in ("run.db", "run.lock", "generation_01/candidate_01/policy_seed7.pt", ".hidden.txt", "best", ""):
        (run / ".hidden.txt").touch()
        answer = served.ask(f"/runs/ant~first/{hidden}")
        assert answer.status == (404 if hidden else 200)


def test_every_answer_has_the_headers_that_keep_others_out(served: Served) -> None:
    for target in ("/", PAGE, "/nothing", f"{PAGE}config.yaml"):
        headers = served.ask(target).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("target", ["/", PAGE])
def test_a_page_may_load_nothing_and_talk_to_its_server_only(served: Served, target: str) -> None:
    found = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)"', served.ask(target).body)
    assert found
    policy = dict(part.split(" ", 1) for part in found[1].replace("&#39;", "'").split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert re.fullmatch(r"('sha256-[\w+/=]+' ?)+", policy["script-src"])
    assert re.fullmatch(r"'sha256-[\w+/=]+'", policy["style-src"])


# ---- the token ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_everything_needs_the_token(tmp_path: Path, grow: Callable[[Path, int], None], host: str) -> None:
    grow(tmp_path / "run", 1)
    with serving(tmp_path / "run", host) as served:
        token, name, page = served.token, f"eureka{served.port}", "/runs/run/"
        assert len(token) >= 40
        assert served.address.endswith(f"/?token={token}")
        for target in ("/", page, f"{page}events", f"{page}?token=", f"{page}?token={token[:-1]}", f"{page}?token=%ff"):
            assert served.ask(target, {"Cookie": ""}).status == 403
        for cookie in (f"{name}=", f"{name}={token[::-1]}", f"token={token}", "a", f'{name}="\\'):
            assert served.ask(page, {"Cookie": cookie}).status == 403
        opened = served.ask(f"{page}?token={token}", {"Cookie": ""})
        assert opened.status == 200
        assert opened.headers["set-cookie"] == f"{name}={token}; HttpOnly; SameSite=Strict; Path=/"
        assert served.ask(page, {"Cookie": f"other=1; {name}={token}"}).status == 200
        assert served.ask(f"{page}?token={token}", {"Origin": "https://evil.example"}).status == 403
        assert served.ask(f"/?token={token}").headers["location"] == f"runs/run/?token={token}"
        # Beyond this machine any name will do: a page of another site does not know the token.
        assert served.ask(page, {"Host": "gpu-box.example"}).status == (200 if host == "0.0.0.0" else 421)
    with serving(tmp_path / "run", host) as again:
        assert again.token != token


def test_what_is_loopback() -> None:
    assert all(is_loopback(name) for name in ("localhost", "127.0.0.1", "127.8.8.8", "::1"))
    assert not any(is_loopback(name) for name in ("", "0.0.0.0", "::", "10.0.0.1", "localhost.", "example.org"))
