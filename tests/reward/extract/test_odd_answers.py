"""What models answer when they do not do as they were told: each is extracted, or rejected with its reason."""

import json
import random
import time
from typing import Literal

import pytest

from eureka.core.types import Candidate, Completion, FieldSpec, Rejected
from eureka.reward.extract.extraction import MAX_ANSWER, extract, extract_continued

FIELDS = (FieldSpec("action", (8,), "float32", "1", "", ""),)
CODE = """\
import torch


def compute_reward(action):
    effort = torch.sum(action, dim=-1)
    return effort, {'effort': effort}
"""
FENCED = f"```python\n{CODE}```"
DRAFT = "```python\ndef compute_reward(action):\n    return action[:, 0], {}\n```"
CUT_OFF = "The answer was cut off at the token limit before compute_reward was complete."
Finish = Literal["stop", "length", "refusal"]


def answer(text: str, finish: Finish = "stop") -> Completion:
    return Completion("g01-c01", text, "m", finish=finish)


def source(text: str, finish: Finish = "stop") -> str:
    found = extract(answer(text, finish), FIELDS)
    assert isinstance(found, Candidate), found
    return found.source


def reason(text: str, finish: Finish = "stop") -> str:
    found = extract(answer(text, finish), FIELDS)
    assert isinstance(found, Rejected), found
    assert found.reason in found.feedback
    return found.reason


EXTRACTED = {
    "a JSON object": json.dumps({"code": CODE}),
    "JSON that begins with the function": json.dumps({"code": CODE.replace("import torch\n\n\n", "")}),
    "a JSON fence with fenced code in it": f"```json\n{json.dumps({'why': 'x', 'code': FENCED}, indent=2)}\n```",
    "JSON after prose with braces": "I use {torch}.\n" + json.dumps({"reward": {"source": CODE}}),
    "JSON with real line ends in its string": '{"code": "' + CODE + '"}',
    "JSON without its last brace": json.dumps({"code": CODE})[:-1],
    "JSON with Windows line ends": json.dumps({"code": CODE.replace("\n", "\r\n")}),
    "lines in a list": json.dumps({"code": CODE.split("\n")}),
    "a tool call": f"<tool_call>\n{json.dumps({'name': 'submit', 'arguments': {'code': CODE}})}\n</tool_call>",
    "a tool call with arguments as text": json.dumps(
        {"tool_calls": [{"function": {"name": "f", "arguments": json.dumps({"code": CODE})}}]}
    ),
    "a Python dictionary": repr({"code": CODE}),
    "tags": f"<code>{CODE}</code>",
    "tags of a function call": f"<function=submit>\n<parameter=code>\n{CODE}</parameter>\n</function>",
    "HTML": "<pre>" + CODE.replace("'", "&#39;") + "</pre>",
    "thinking": f"<think>\nA draft:\n{DRAFT}\n</think>\n{FENCED}",
    "thinking twice": f"<thinking>{DRAFT}</thinking>So.\n<thinking>hm</thinking>\n{FENCED}",
    "thinking without its first tag": f"A draft:\n{DRAFT}\n</think>\n{FENCED}",
    "thinking that never ends": f"<think>\nThis is it:\n{FENCED}",
    "nothing beside thinking": f"<think>\nThis is it:\n{FENCED}\n</think>",
    "marks of a chat template": f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant"
    f"<|channel|>final<|message|>{FENCED}<|return|>",
    "Markdown in a longer fence": f"````markdown\n# Reward\n{FENCED}\n````",
    "Markdown in a fence of the same length": f"```markdown\n{FENCED}\n```",
    "a fence that begins in a line of prose": f"Here:{FENCED}",
    "spaces of another alphabet": CODE.replace("    ", "\u3000\u00a0  "),
    "a byte order mark and a zero-width space": "\ufeff" + CODE.replace("\n\n\n", "\n\u200b\n\n"),
    "Windows line ends": FENCED.replace("\n", "\r\n"),
    "a thousand lines before it": "```python\n" + "".join(f"x{i} = {i}\n" for i in range(1000)) + CODE + "```",
}


@pytest.mark.parametrize("name", EXTRACTED)
def test_extracted(name: str) -> None:
    found = source(EXTRACTED[name])
    if "\n\n\n" not in found:
        found = found.replace("import torch\n", "import torch\n\n\n", 1)
    assert found == CODE


def test_cut_off_after_the_code_does_not_matter() -> None:
    assert source(f"{FENCED}\nThis rewards", "length") == CODE


def test_fences_in_a_docstring() -> None:
    for margin in ("    ", ""):
        docstring = f'    """For example\n{margin}```\nx\n{margin}```\n    """\n'
        code = f"def compute_reward(action):\n{docstring}    return action, {{}}\n"
        assert source(f"So:\n```python\n{code}```\nIs that all?") == code


def test_a_thousand_lines_of_function() -> None:
    body = "".join(f"    x{i} = {i}\n" for i in range(1000))
    code = f"def compute_reward(action):\n{body}    return action[:, 0], {{}}\n"
    assert source(code) == code


def test_names_of_another_alphabet() -> None:
    body = "    노력 = action[:, 0] * 속도_척도\n    return 노력, {'노력': 노력}\n"
    code = f"속도_척도 = 2.0\n\n\ndef compute_reward(action):\n{body}"
    assert source(f"보상입니다:\n```python\n{code}```\n끝.") == code
    assert source(json.dumps({"코드": code})) == code


REJECTED: list[tuple[str, Finish, str]] = [
    ("", "stop", "The answer is empty."),
    ("", "length", "The token limit was reached before the answer began: all tokens went into thinking."),
    (
        f"<think>\n{FENCED}",
        "length",
        "The token limit was reached before the answer began: all tokens went into thinking.",
    ),
    ("<think>\nWell.", "stop", "The answer holds nothing but thinking."),
    ("", "refusal", "The model refused to answer."),
    (FENCED, "refusal", "The model refused to answer: `'''python import torch def compute_reward(action): effort ="),
    ("I'm sorry, but I can't help.", "stop", "The model declined to answer: `I'm sorry, but I can't help.`."),
    (FENCED[:-4], "length", CUT_OFF),
    (CODE, "length", CUT_OFF),
    (json.dumps({"code": CODE})[:-30], "length", CUT_OFF),
    (json.dumps({"code": CODE})[:-30], "stop", CUT_OFF),
    ("Let me explain", "length", CUT_OFF),
    ("```javascript\nfunction compute_reward(a) {}\n```", "stop", "The answer holds JavaScript code, not Python."),
    ("```cpp\nfloat compute_reward(float a);\n```", "stop", "The answer holds C++ code, not Python."),
    ("```rust\nfn compute_reward() {}\n```", "stop", "The answer holds Rust code, not Python."),
    ("double compute_reward(double a) {}", "stop", "The answer holds another language's code, not Python."),
    ("```diff\n-def compute_reward(a):\n+def compute_reward(b):\n```", "stop", "The answer is a diff; the whole code"),
    ("```\n???\n```", "stop", "No Python code was found."),
    (">>> " + CODE.replace("\n", "\n... "), "stop", "`def compute_reward` is there, but with something around it"),
    (f"{FENCED}\nOr:\n{DRAFT}", "stop", "The answer defines 2 different functions named compute_reward"),
    ("x" * (MAX_ANSWER + 1), "stop", "The answer is 200,001 characters long; 200,000 are read."),
]


@pytest.mark.parametrize(("text", "finish", "why"), REJECTED)
def test_rejected(text: str, finish: Finish, why: str) -> None:
    assert reason(text, finish).startswith(why)


def test_what_went_on_is_joined_or_taken_alone() -> None:
    start = answer(FENCED[:70], "length")

    def continued(rest: str, finish: Finish = "stop") -> Candidate | Rejected:
        return extract_continued(start, answer(rest, finish), FIELDS)

    for rest in (FENCED[70:], f"Sorry, once more:\n{FENCED}"):
        found = continued(rest)
        assert isinstance(found, Candidate)
        assert found.source == CODE
    still = continued(FENCED[70:80], "length")
    assert isinstance(still, Rejected)
    assert still.reason == CUT_OFF


PIECES = [
    *("```", "python", "\n", "def compute_reward(action):", "\n    return action, {}", "{", "}", '"', "'", "\\n", "\\"),
    *("<think>", "</think>", "\n<think>", "\r", "\x00", "\ud800", "(", ")", "=", "x", "é", "한", "@", "class A:", ":"),
    *("lambda", "json", "~~~", "\t", "\x0c", "compute_reward", "async ", "from x import *", '{"code": "', "    "),
]


def test_no_jumble_crashes() -> None:
    chance = random.Random(0)
    for _ in range(1500):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 60)))
        for finish in ("stop", "length"):
            extract(answer(text, finish), FIELDS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "a = b c\n",
            "x = (\n",
            "def compute_reward(a):\n",
            "{",
            '"def compute_reward ',
            "<think>\n",
            "```\n",
            "word ",
        ),
        *("```python\ndef compute_reward(\n```\n", '{"a":', 'x = """\n', "if x:\n def compute_reward(a:\n", "</a>"),
    ],
)
def test_no_long_answer_takes_long(piece: str) -> None:
    started = time.monotonic()
    extract(answer(piece * (20_000 // len(piece)) + "compute_reward"), FIELDS)
    assert time.monotonic() - started < 5
