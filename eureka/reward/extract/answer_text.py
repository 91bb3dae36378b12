"""Removes the wrapping of an answer: thinking tags, chat markup, JSON and tool calls. Works on text only."""

from __future__ import annotations

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
# Spaces that Python does not accept as such, and invisible characters.
_ODD_CHARACTERS = {**dict.fromkeys("\u00a0\u202f\u3000", " "), **dict.fromkeys("\u200b\u2060\ufeff", None)}
_ODD_CHARACTERS |= dict.fromkeys("\u2028\u2029", "\n")
_MAX_TRIES = 200
_MAX_LITERALS = 8
_MAX_QUOTED = 16
_ESCAPED = {quote: re.compile(rf"\\.|{quote}", re.DOTALL) for quote in ("'", '"', "'''", '"""')}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}
# Start and end of a search-and-replace block, and patches in the form of some coding agents.
_EDITS = (
    ("<<<<<<< SEARCH", ">>>>>>>"),
    ("<<<<<<< ORIGINAL", ">>>>>>>"),
    ("<<<<<<< HEAD", ">>>>>>>"),
    ("*** Begin Patch", "*** End Patch"),
)
_MAX_DEPTH = 8


class SplitAnswer(NamedTuple):
    """An answer without its thinking; `thought` is the thinking if the answer ends in it, else empty."""

    text: str
    thought: str


class QuotedCode(NamedTuple):
    """Code from a string of JSON or Python; `unterminated` if the string never ended."""

    text: str
    unterminated: bool = False


def tidy(text: str) -> str:
    """The text with uniform line ends, plain spaces, and no invisible characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(str.maketrans(_ODD_CHARACTERS))


def without_thinking(text: str) -> SplitAnswer:
    """The answer without `<think>...</think>` and similar tags, and without the marks of chat templates.

    A closing tag without an opening one ends thinking that began with the answer (templates often drop the opening
    tag).
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
        return SplitAnswer("\n".join(said), text[at:])
    said.append(text[at:])
    return SplitAnswer("\n".join(said), "" if text[at:].strip() else thought)


def quoted_code(text: str, wanted: str) -> list[QuotedCode]:
    """Code with `def <wanted>` from strings in JSON or Python: `{"code": "..."}`, tool calls, lists of lines.

    `wanted` may have a suffix there, as in `def compute_reward_v2`.
    """
    defines = re.compile(rf"\bdef\s+{re.escape(wanted)}(?![^\W\d_])")
    found: list[QuotedCode] = []
    decoder = json.JSONDecoder(strict=False)
    at = tries = 0
    while (start := text.find("{", at)) >= 0 and tries < _MAX_TRIES and len(found) < _MAX_QUOTED:
        tries += 1
        try:
            value, at = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            at = start + 1
            continue
        found += [QuotedCode(tidy(string)) for string in _strings(value) if defines.search(string)]
    return found[:_MAX_QUOTED] or list(_broken_literals(text, wanted))


def without_edits(text: str) -> tuple[str, bool]:
    """The text without blocks of search and replace or patches, and whether it had any."""
    kept: list[str] = []
    closing, found = "", False
    for line in text.split("\n"):
        bare = line.strip()
        if closing:
            closing = "" if bare.startswith(closing) else closing
            continue
        closing = next((end for begin, end in _EDITS if bare.startswith(begin)), "")
        if closing:
            found = True
        else:
            kept.append(line)
    return "\n".join(kept), found


def without_tags(text: str) -> str:
    """The text with XML tags as line ends and with HTML's entities resolved."""
    text = _TAG.sub("\n", text)
    try:
        return html.unescape(text)
    # A numeric character reference may have too many digits to be converted.
    except ValueError:
        return text


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


def _broken_literals(text: str, wanted: str) -> Iterator[QuotedCode]:
    """The string around `def <wanted>` in JSON that was cut off, or in a Python dictionary."""
    # In such a string, a line end is the two characters `\n`, so there is no word boundary before `def`.
    for match in islice(re.finditer(rf"(?:\\n|[\"'])def\s+{re.escape(wanted)}(?![^\W\d_])", text), _MAX_LITERALS):
        start = _quote_before(text, match.end())
        if start is None:
            continue
        quote = text[start] * 3 if text[start - 2 : start + 1] == text[start] * 3 else text[start]
        end = next((m for m in _ESCAPED[quote].finditer(text, start + 1) if m[0] == quote), None)
        inner = text[start + 1 : end.start()] if end else text[start + 1 :].rstrip("\\")
        yield QuotedCode(tidy(_unescaped(inner)), unterminated=end is None)
        return


def _quote_before(text: str, end: int) -> int | None:
    """The position of the last quote before `end` that is not preceded by a backslash."""
    at = end
    while (at := max(text.rfind('"', 0, at), text.rfind("'", 0, at))) > 0 and text[at - 1] == "\\":
        pass
    return at if at >= 0 else None


def _unescaped(text: str) -> str:
    """The text with the escapes of JSON and Python replaced; others are kept."""

    def meant(match: re.Match[str]) -> str:
        escape = match[1]
        if len(escape) > 1:
            return chr(int(escape[1:], 16))
        return _ESCAPES.get(escape, escape if escape in "\"'\\/" else match[0])

    halves = _ESCAPE.sub(meant, text).encode("utf-16", "surrogatepass")
    return halves.decode("utf-16", "replace")
