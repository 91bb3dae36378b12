"""HTTP traffic of the SDKs as JSON files: recorded once, replayed in tests without a network.

`origin` says where a cassette comes from: recorded from a named model, or a protocol fixture written by hand. Keys are
in none: of the request only its path and body are kept. `PYTHONPATH=benchmarks python tests/llm/cassette.py` records
those of the local model (see benchmarks/local_server.py) anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2

FOLDER = Path(__file__).parent / "cassettes"


class Replaying(httpx2.BaseTransport):
    """Gives back a cassette's responses in order, each to the very request that it was given for."""

    def __init__(self, name: str) -> None:
        cassette = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        self.origin: str = cassette["origin"]
        self.left: list[dict[str, Any]] = cassette["exchanges"]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        assert self.left, f"no further request is recorded, and there was one to {request.url}"
        exchange = self.left.pop(0)
        assert request.url.path == exchange["path"]
        assert json.loads(request.read()) == exchange["body"]
        return httpx2.Response(exchange["status"], headers=exchange["headers"], content=exchange["response"].encode())


class Recording(httpx2.BaseTransport):
    """Asks the network, and keeps what it said."""

    def __init__(self) -> None:
        self._network = httpx2.HTTPTransport()
        self.exchanges: list[dict[str, Any]] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._network.handle_request(request)
        text = response.read().decode()
        headers = {"content-type": response.headers["content-type"]}
        self.exchanges.append(
            {
                "path": request.url.path,
                "body": json.loads(request.read()),
                "status": response.status_code,
                "headers": headers,
                "response": text,
            }
        )
        return httpx2.Response(response.status_code, headers=headers, content=text.encode())

    def save(self, name: str, origin: str) -> None:
        text = json.dumps({"origin": origin, "exchanges": self.exchanges}, indent=1, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _record() -> None:
    from local_server import MODEL, local_model
    from test_cassettes import PROMPT, endpoint_at, single

    for provider in ("openai", "anthropic"):
        recording = Recording()
        with local_model() as url:
            single(endpoint_at(provider, url, recording), PROMPT)
        recording.save(f"{provider}_local_model", f"recorded from {MODEL}")


if __name__ == "__main__":
    _record()
