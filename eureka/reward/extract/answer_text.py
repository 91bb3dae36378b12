"""What an answer says once its wrapping is off: thinking tags, chat markup, JSON and tool calls. Text in, text out."""

from __future__ import annotations

import ast
import html
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

_THINKING_TAG = re.compile(
    r"^[ \t]*<(?:think|thinking|thoughts?|reasoning|scratchpad|analysis)>"
    r"|(?P<end></(?:think|thinking|thoughts?|reasoning|scratchpad|analysis)\s*>)",
    re.MULTILINE | re.IGNORECASE,
)
_FINAL_CHANNEL = "<|channel|>final<|message|>"
_CHAT_MARK = re.compile(r"<\|[^|>\n]{1,40}\|>")
_TAG = re.compile(r"</?[A-Za-z_][\w.:-]*(?:[= ][^<>\n]{0,80})?>")
# Spaces that Python does not take for one, and characters that nobody sees.
_ODD_CHARACTERS = {**dict.fromkeys("\u00a0\u202f\u3000", " "), **dict.fromkeys("\u200b\u2060\ufeff", None)}
_ODD_CHARACTERS |= dict.fromkeys("\u2028\u2029", "\n")
_MAX_TRIES = 200
_MAX_LITERALS = 8
_MAX_DEPTH = 8


class Spoken(NamedTuple):
    """An answer without its thinking; `thought` is what was thought where the answer ends in it, else empty."""

    text: str
    thought: str


class Quoted(NamedTuple):
    """Code that stood in a string of JSON or Python; `unterminated` where the string never ended."""

    text: str
    unterminated: bool = False


def tidy(text: str) -> str:
    """One kind of line end, plain spaces, nothing invisible."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(str.maketrans(_ODD_CHARACTERS))


def without_thinking(text: str) -> Spoken:
    """The answer without `<think>...</think>` and its like, and without the marks of chat templates.

    A closing tag without an opening one ends a thought that began with the answer (templates often swallow the first).
    """
    if _FINAL_CHANNEL in text:
        text = text.rpartition(_FINAL_CHANNEL)[2]
    text = _CHAT_MARK.sub("\n", text)
    said: list[str] = []
    thought, thinking, at = "", False, 0
    for tag in _THINKING_TAG.finditer(text):
        if tag["end"]:
            thought, said = text[at : tag.start()], said if thinking else []
            thinking, at = False, tag.end()
        elif not thinking:
            said.append(text[at : tag.start()])
            thinking, at = True, tag.end()
    if thinking:
        return Spoken("\n".join(said), text[at:])
    said.append(text[at:])
    return Spoken("\n".join(said), "" if text[at:].strip() else thought)


def quoted_code(text: str, wanted: str) -> list[Quoted]:
    """Code with `def <wanted>` from strings in JSON or Python: `{"code": "..."}`, tool calls, lists of lines."""
    defines = re.compile(rf"\bdef\s+{re.escape(wanted)}\b")
    found: list[Quoted] = []
    decoder = json.JSONDecoder(strict=False)
    at = tries = 0
    while (start := text.find("{", at)) >= 0 and tries < _MAX_TRIES:
        tries += 1
        try:
            value, at = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            at = start + 1
            continue
        found += [Quoted(tidy(string)) for string in _strings(value) if defines.search(string)]
    return found or list(_broken_literals(text, wanted))


def without_tags(text: str) -> str:
    """The text with XML tags as line ends and with HTML's entities resolved."""
    return html.unescape(_TAG.sub("\n", text))


def _strings(value: object, depth: int = 0) -> Iterator[str]:
    """Every text in a JSON value, also in JSON that is itself a string, and lists of lines as one text."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str):
        if value.lstrip().startswith(("{", "[")):
            try:
                yield from _strings(json.loads(value, strict=False), depth + 1)
            except (ValueError, RecursionError):
                yield value
        else:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item, depth + 1)
    elif isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            yield "\n".join(item.removesuffix("\n") for item in value)
        else:
            for item in value:
                yield from _strings(item, depth + 1)


def _broken_literals(text: str, wanted: str) -> Iterator[Quoted]:
    """The string around `def <wanted>` in JSON that was cut off, or in a Python dictionary."""
    # In such a string a line end is the two characters `\n`, so that there is no word boundary before `def`.
    for match in islice(re.finditer(rf"(?:\\n|[\"'])def\s+{re.escape(wanted)}\b", text), _MAX_LITERALS):
        before = list(re.finditer(r"(?<!\\)(\"\"\"|'''|[\"'])", text[: match.end()]))
        if not before:
            continue
        quote = before[-1][1]
        body = text[before[-1].end() :]
        end = re.search(rf"(?<!\\)(?:\\\\)*{quote}", body)
        inner = body[: end.end() - len(quote)] if end else body.rstrip("\\")
        try:
            decoded = json.loads(f'"{inner}"', strict=False) if quote == '"' else ast.literal_eval(f"'''{inner}\\n'''")
        except (ValueError, SyntaxError):
            continue
        yield Quoted(tidy(str(decoded)), unterminated=end is None)
        return
