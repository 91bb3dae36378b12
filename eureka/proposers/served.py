"""Information from the user's own server: its models, and the context window of one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx2

_PATIENCE_S = 2.0
_MOST_BYTES = 1_000_000
_SHOWN = 12


def served_models(base_url: str) -> list[str]:
    """The models that a server with OpenAI's protocol lists; empty if there is no readable list."""
    return [str(entry["id"]) for entry in _models(base_url) if entry.get("id")]


def served_models_clause(base_url: str) -> str:
    """A clause for an error message: `; http://... serves a, b`, or that no server answers there."""
    if _get(f"{base_url}/models") is None:
        return f"; nothing that lists its models answers at {base_url}"
    names = served_models(base_url)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"; {base_url} serves {', '.join(names[:_SHOWN]) or 'none'}{more}"


def context_window(base_url: str, model: str) -> int | None:
    """The maximum number of tokens of prompt and answer together, in the server's current setup; None if not reported.

    vLLM reports it in its list of models (`max_model_len`), llama.cpp's server in `/props`, and Ollama in `/api/ps` for
    loaded models. Ollama truncates longer prompts without a warning.
    """
    for entry in _models(base_url):
        if entry.get("id") == model and isinstance(entry.get("max_model_len"), int):
            return int(entry["max_model_len"])
    root = base_url.removesuffix("/").removesuffix("/v1")
    settings = _mapping(_mapping(_get(f"{root}/props")).get("default_generation_settings"))
    if isinstance(settings.get("n_ctx"), int):
        return int(settings["n_ctx"])
    loaded = _mapping(_get(f"{root}/api/ps")).get("models")
    for entry in map(_mapping, loaded if isinstance(loaded, list) else ()):
        if entry.get("name") in (model, f"{model}:latest") and isinstance(entry.get("context_length"), int):
            return int(entry["context_length"])
    return None


def _models(base_url: str) -> list[Mapping[str, Any]]:
    data = _mapping(_get(f"{base_url}/models")).get("data")
    return [_mapping(entry) for entry in data] if isinstance(data, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _get(url: str) -> object:
    """The JSON at an address; None if there is none, or it is too long or too slow."""
    try:
        with httpx2.stream("GET", url, timeout=_PATIENCE_S) as response:
            if response.status_code != 200:
                return None
            text = b""
            for piece in response.iter_bytes():
                text += piece
                if len(text) > _MOST_BYTES:
                    return None
        return json.loads(text)
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
        return None
