"""Servers of one's own: one call at a time, what they serve, and how much they read."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from chat_helpers import KEY, prompts

from eureka.app.configs import compose_config
from eureka.core.errors import ConfigError, ContextTooLong
from eureka.proposers import models
from eureka.proposers.budget import Caps, Ledger
from eureka.proposers.chat import ChatProposer, ChatSettings
from eureka.proposers.gate import Gate
from eureka.proposers.openai import OpenAIEndpoint
from eureka.proposers.prices import PriceList
from eureka.proposers.served import context_window, served_models, served_models_clause

pytestmark = pytest.mark.process


@contextmanager
def one_at_a_time(seconds: float = 0.0, pages: dict[str, Any] | None = None) -> Iterator[str]:
    """A server that answers with a few words over `seconds`, and lets all other calls wait without a word meanwhile."""
    turn = threading.Lock()
    found = {"/v1/models": {"data": [{"id": "m"}]}, **(pages or {})}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = found.get(self.path)
            body = json.dumps(page).encode()
            self.send_response(200 if page is not None else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            with turn:
                try:
                    self.send_response(200)
                    self.send_header("Content-Type", "text/event-stream")
                    self.end_headers()
                    for index in range(5):
                        time.sleep(seconds / 5)
                        delta = {
                            "delta": {"content": "word "},
                            "index": 0,
                            "finish_reason": "stop" if index == 4 else None,
                        }
                        chunk = {"id": "1", "object": "chat.completion.chunk", "model": "m", "choices": [delta]}
                        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                        self.wfile.flush()
                    self.wfile.write(b"data: [DONE]\n\n")
                except OSError:
                    pass  # whoever asked has given up

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def test_waiting_behind_others_is_no_silence() -> None:
    said: list[str] = []
    with one_at_a_time(seconds=1.0) as url:
        settings = ChatSettings(concurrency=4, max_output_tokens=50, silence_s=1.6, patience_s=5.0)
        ledger = Ledger(Caps(None, None, None))
        proposer = ChatProposer(
            OpenAIEndpoint("m", KEY, url), PriceList("local", "m", url), ledger, settings, said.append
        )
        answers = list(proposer.sample_each(prompts(4)))
    assert sorted(answer.candidate_id for answer in answers) == [f"g01-c0{n}" for n in range(1, 5)]
    assert said
    assert all("the server lets calls wait for one another: from now on" in text for text in said)


def test_a_gate_is_lowered_only_while_others_are_heard() -> None:
    said: list[str] = []
    gate = Gate(2, said.append)
    assert not gate.was_queued(time.monotonic())  # nobody was heard: the server is silent
    started = time.monotonic() - 1
    gate.heard()
    assert gate.was_queued(started)
    assert not gate.was_queued(started)  # one at a time it is already
    assert said == ["the server lets calls wait for one another: from now on 1 call at a time"]


def test_what_a_server_says_of_itself() -> None:
    loaded = {"models": [{"name": "m:latest", "context_length": 4096}]}
    with one_at_a_time(pages={"/api/ps": loaded}) as url:
        assert served_models(url) == ["m"]
        assert served_models_clause(url) == f"; {url} serves m"
        assert context_window(url, "m") == 4096
        assert context_window(url, "other") is None
    with one_at_a_time(pages={"/props": {"default_generation_settings": {"n_ctx": 2048}}}) as url:
        assert context_window(url, "m") == 2048
    with one_at_a_time(pages={"/v1/models": {"data": [{"id": "m", "max_model_len": 512}]}}) as url:
        assert context_window(url, "m") == 512
    assert served_models(url) == []
    assert served_models_clause(url) == f"; nothing that lists its models answers at {url}"


def test_a_prompt_that_would_be_cut_is_made_shorter_first() -> None:
    said: list[str] = []
    with one_at_a_time(pages={"/api/ps": {"models": [{"name": "m", "context_length": 600}]}}) as url:
        settings = ChatSettings(concurrency=1, max_output_tokens=600, silence_s=5.0, patience_s=0.0)
        proposer = ChatProposer(
            OpenAIEndpoint("m", KEY, url),
            PriceList("ollama", "m", url),
            Ledger(Caps(None, None, None)),
            settings,
            said.append,
            ask_window=lambda: context_window(url, "m"),
        )
        with pytest.raises(
            ContextTooLong,
            match=r"with 600 for the answer are more than m is served with, a context of 600: serve it with more",
        ):
            list(proposer.sample_each(prompts(1)))
    assert said == ["m is served with a context of 600 tokens: longer prompts are shortened"]


def test_a_model_is_named_or_the_only_one() -> None:
    def resolved(url: str) -> Any:
        config = compose_config(["task=cartpole", "llm=local", f"llm.base_url={url}"])
        return models.resolve(config.llm, {})

    with one_at_a_time() as url:
        assert resolved(url).model == "m"
    two = {"/v1/models": {"data": [{"id": "a"}, {"id": "b"}]}}
    with one_at_a_time(pages=two) as url, pytest.raises(ConfigError, match=r"local: name .* serves a, b$"):
        resolved(url)
    with pytest.raises(ConfigError, match="nothing that lists its models answers at"):
        resolved(url)
