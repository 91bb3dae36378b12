"""The longest answers there can be, made to hold whoever reads them: each is read within seconds, and none crashes."""

import time
from collections.abc import Callable

import pytest

from eureka.core.types import Completion, FieldSpec, Rejected
from eureka.reward.extract.code_blocks import MAX_CODE, Parser
from eureka.reward.extract.extraction import MAX_ANSWER, extract

FIELDS = (FieldSpec("action", (8,), "float32", "1", "", ""),)
PLAIN = "def compute_reward(action):\n    return action[:, 0], {'a': action[:, 0]}\n"
FENCED = f"```python\n{PLAIN}```\n"
LONGEST_S = 3.0
"""Of the processor's time; the slowest of these takes about half a second."""

REPEATED = [
    *('"\\"\\"\\"', '"\\\\', "\\", '"', "'", '{"', "{", '{"a":', '{"code": "def compute_reward(', "<", "a ", "\n"),
    *('"def compute_reward ', "\\ndef compute_reward ", "```\n", "```python\nx=1\n```\n", FENCED, "~", "~~~\n", "`"),
    *("```python\ndef compute_reward(\n```\n", " ", "\t", "a = b c\n", "x = (\n", "x=1;", "x=1\n", "a: ", "a :  "),
    *("def compute_reward_v2(a):\n return a\n", "<think>\n", "</think ", "<a ", "<|a", "&a", "&#9", "self.a "),
    *("from a import *\n", "<<<<<<< SEARCH\n", "é", "\x00", "\ud800", "(", "#", "-", "lambda ", '{"a":"{\\"a\\":'),
]


def counted(piece: Callable[[int], str], longest: int = MAX_CODE - 200) -> str:
    """`piece(0) + piece(1) + ...`, of about the length given."""
    pieces: list[str] = []
    length = 0
    while length < longest:
        pieces.append(piece(len(pieces)))
        length += len(pieces[-1])
    return "".join(pieces[:-1])


GENERATED = {
    "a chain of constants": f"```python\n{counted(lambda i: f'a{i + 1}=a{i};')}\n{PLAIN}```",
    "a chain of lines": "```python\n" + counted(lambda i: f"a{i}=a{i + 1}\n") + PLAIN.replace(":, 0", "a0"),
    "parameters": f"def compute_reward({counted(lambda i: f'a{i},')}action): return 1",
    "attributes": f"def compute_reward(self): return ({counted(lambda i: f'self.a{i},')[:-1]})",
    "definitions": counted(lambda i: f"def compute_reward(action): return {i}, 1\n"),
    "versions": counted(lambda i: f"def compute_reward_v{i}(action): return {i}, 1\n"),
    "parts": counted(lambda i: f"def compute_reward_a{i}(action): return {i}, 1\n"),
    "other names": counted(lambda i: f"def f{i}(action): return 'compute_reward'\n"),
    "Markdown in Markdown": "".join("`" * k + f"\n{PLAIN}" for k in range(350, 3, -1)),
    "bare pieces": counted(lambda i: f"a{i} = (\n{i}\n) zz\n", MAX_ANSWER - 200) + PLAIN,
    "bare lines and words": counted(lambda i: f"words {i}\nx = {i}\n", MAX_ANSWER - 200) + PLAIN,
    "nesting": "def compute_reward(action):\n" + "".join(" " * i + "if a:\n" for i in range(1, 95)),
    "a number of JSON": '{"a": ' + "1" * 190_000 + "} compute_reward",
    "a number of HTML": "&#" + "9" * 190_000 + "; compute_reward",
    "strings of JSON": '{"a":[' + counted(lambda i: f'{{"c":"def compute_reward(a{i}): 1"}},', 190_000) + "1]}",
    "a long name": f"def compute_reward({'a' * 59_000}): return 1",
    "spaces before a word": "a" + " " * 190_000 + "x compute_reward",
    "spaces after a fence": "``` " + " " * 190_000 + "` compute_reward",
    "backticks before a word": "~" * 190_000 + "` compute_reward",
}


def read(text: str) -> tuple[object, float]:
    started = time.process_time()
    found = extract(Completion("g01-c01", text[:MAX_ANSWER], "m"), FIELDS)
    return found, time.process_time() - started


@pytest.mark.parametrize("unit", REPEATED)
def test_repeated(unit: str) -> None:
    for before, after in (("", "compute_reward"), (FENCED, ""), ('{"code": "', PLAIN)):
        found, seconds = read(before + unit * ((MAX_ANSWER - len(before) - len(after)) // len(unit)) + after)
        assert seconds < LONGEST_S
        assert not isinstance(found, Rejected) or len(found.feedback) < 4_000


@pytest.mark.parametrize("name", GENERATED)
def test_generated(name: str) -> None:
    found, seconds = read(GENERATED[name])
    assert seconds < LONGEST_S
    assert not isinstance(found, Rejected) or len(found.feedback) < 4_000


def test_too_much_code_is_told() -> None:
    found, _ = read("```python\n" + counted(lambda i: f"a{i}={i}\n", 70_000) + PLAIN)
    assert isinstance(found, Rejected)
    assert "characters of code, of which 60,000 are read" in found.reason


def test_a_parser_reads_no_more_than_its_limit() -> None:
    parser = Parser(limit=105)
    assert parser.parses("x = 1")
    assert parser.parses("x = 1"), "a second time costs little"
    assert not parser.parses("long = 1")
    assert parser.is_spent
    with pytest.raises(SyntaxError, match="too many pieces"):
        parser.parse("y")
