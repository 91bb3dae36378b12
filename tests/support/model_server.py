"""A server on 127.0.0.1 that speaks both providers' streaming protocols and fails on demand. It counts what it bills.

Each request takes the next step of a script (the last one is repeated); `hold` waits before answering.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

INPUT_TOKENS = 100
CACHED_TOKENS = 80
OUTPUT_TOKENS = 20
REASONING_TOKENS = 5
FORGOTTEN = -1


@dataclass(frozen=True)
class Step:
    """How one request is answered.

    `status` and `body` other than 200: an error. `break_after` pieces the connection is cut, or with `silent` kept open
    and silent. `piece_s` is the pause between pieces, `hold_s` that before the first byte.
    """

    text: str = "def compute_reward(): ..."
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    break_after: int | None = None
    silent: bool = False
    piece_s: float = 0.0
    hold_s: float = 0.0
    finish: str = "stop"
    output_tokens: int = OUTPUT_TOKENS
    raw: str | None = None


class ModelServer:
    """See the module. `billed` is the number of whole answers, `requests` all bodies in order."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.billed = 0
        self.billed_tokens = 0
        self.most_at_once = 0  # calls that are held at a time
        self.released = threading.Event()
        self._steps = list(steps)
        self._active = 0
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: object) -> None: ...

            def do_POST(self) -> None:
                server._serve(self)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        with self._lock:
            step = self._steps[min(len(self.requests), len(self._steps) - 1)]
            self.requests.append(body)
            self.headers.append({name.lower(): value for name, value in handler.headers.items()})
            self._active += 1
            self.most_at_once = max(self.most_at_once, self._active)
        if step.hold_s:
            self.released.wait(step.hold_s)
        with self._lock:  # before the answer, after which the next call may come at once
            self._active -= 1
        with suppress(BrokenPipeError, ConnectionResetError):
            self._answer(handler, step, body)

    def _answer(self, handler: BaseHTTPRequestHandler, step: Step, body: dict[str, Any]) -> None:
        if step.break_after == 0 and not step.silent:
            handler.close_connection = True
            return
        payload = step.raw if step.raw is not None else json.dumps(step.body)
        if step.status != 200 or step.raw is not None:
            handler.send_response(step.status)
            headers = {"content-type": "application/json", **step.headers, "content-length": str(len(payload.encode()))}
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(payload.encode())
            return
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("connection", "close")
        handler.end_headers()
        handler.close_connection = True
        openai = handler.path.endswith("/chat/completions")
        pieces = openai_pieces(step, body["model"]) if openai else anthropic_pieces(step, body["model"])
        for index, piece in enumerate(pieces):
            if step.break_after == index:
                if step.silent:
                    self.released.wait(30)
                return
            handler.wfile.write(piece.encode())
            handler.wfile.flush()
            if step.piece_s:
                self.released.wait(step.piece_s)
        with self._lock:
            self.billed += 1
            self.billed_tokens += INPUT_TOKENS + step.output_tokens


@contextmanager
def serving(*steps: Step) -> Iterator[ModelServer]:
    server = ModelServer(steps or (Step(),))
    try:
        yield server
    finally:
        server.close()


def openai_pieces(step: Step, model: str) -> list[str]:
    """Server-sent events of a chat completion, one word at a time."""

    def chunk(choices: list[Any], usage: Any = None) -> str:
        value = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": choices}
        return f"data: {json.dumps({**value, 'usage': usage})}\n\n"

    usage = {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": step.output_tokens,
        "total_tokens": INPUT_TOKENS + step.output_tokens,
        "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS},
        "completion_tokens_details": {"reasoning_tokens": REASONING_TOKENS},
    }
    words = step.text.split(" ")
    deltas = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word if i == 0 else f" {word}"} for i, word in enumerate(words)]
    return [
        *(chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas),
        chunk([{"index": 0, "delta": {}, "finish_reason": step.finish}]),
        *([] if step.output_tokens == FORGOTTEN else [chunk([], usage)]),
        "data: [DONE]\n\n",
    ]


def anthropic_pieces(step: Step, model: str) -> list[str]:
    """Server-sent events of a message, one word at a time."""

    def event(kind: str, **fields: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"

    start = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": INPUT_TOKENS - CACHED_TOKENS - 10,
            "cache_read_input_tokens": CACHED_TOKENS,
            "cache_creation_input_tokens": 10,
            "output_tokens": 1,
        },
    }
    words = step.text.split(" ")
    reason = {"stop": "end_turn", "length": "max_tokens"}.get(step.finish, step.finish)
    return [
        event("message_start", message=start),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("ping"),
        *(
            event("content_block_delta", index=0, delta={"type": "text_delta", "text": w if i == 0 else f" {w}"})
            for i, w in enumerate(words)
        ),
        event("content_block_stop", index=0),
        event(
            "message_delta",
            delta={"stop_reason": reason, "stop_sequence": None},
            usage={"output_tokens": step.output_tokens, "output_tokens_details": {"thinking_tokens": REASONING_TOKENS}},
        ),
        event("message_stop"),
    ]
