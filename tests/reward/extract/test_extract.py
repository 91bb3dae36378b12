"""From odd answers to one self-contained function, or to a sentence that says why not."""

import textwrap

import pytest

from eureka.core.types import Candidate, Completion, FieldSpec, Rejected, Stage
from eureka.reward.extract.extraction import extract

FIELDS = (
    FieldSpec("torso_velocity", (3,), "float32", "m/s", "world", ""),
    FieldSpec("up_projection", (), "float32", "1", "world", ""),
    FieldSpec("action", (8,), "float32", "1", "", ""),
)
PLAIN = """\
import torch


def compute_reward(torso_velocity, action):
    speed = torso_velocity[:, 0]  # along x
    effort = -0.01 * torch.sum(action**2, dim=-1)
    return speed + effort, {"speed": speed, "effort": effort}
"""


def run(text: str) -> Candidate | Rejected:
    return extract(Completion("g02-c05", text, "some-model"), FIELDS)


def candidate(text: str) -> Candidate:
    found = run(text)
    assert isinstance(found, Candidate), found
    return found


def rejected(text: str) -> Rejected:
    found = run(text)
    assert isinstance(found, Rejected), found
    assert (found.candidate_id, found.stage) == ("g02-c05", Stage.EXTRACT)
    assert found.reason in found.feedback or found.reason == found.feedback
    return found


WRAPPINGS = {
    "bare": "{}",
    "fenced": "```python\n{}```",
    "fence without a language": "```\n{}```\n",
    "tildes": "~~~py\n{}~~~",
    "prose around a fence": "Here `x` is good:\n\n```python\n{}```\nI hope that it's helpful.",
    "prose around bare code": "Here is my reward. It isn't long:\n\n{}\nThe weight = small, that's all.",
    "an earlier block of something else": "Run this:\n```bash\npip install torch\n```\nthen\n```python\n{}```",
    "a broken sketch first": "```python\nreward = ...speed...\n```\n```python\n{}```",
    "the same twice": "```python\n{0}```\nOnce more in full:\n```python\n{0}```",
    "no end fence": "```python\n{}",
    "a capital info string": "```Python title=reward.py\n{}```",
    "a usage example after it": "```python\n{}\n\nprint(compute_reward(torch.ones(2, 3), torch.ones(2, 8)))\n```",
    "fences of another function in prose": "```python\nx = 1\n```\nand bare:\n\n{}",
}


@pytest.mark.parametrize("name", WRAPPINGS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_the_function_is_found_in_any_wrapping(name: str, line_end: str) -> None:
    found = candidate(WRAPPINGS[name].format(PLAIN).replace("\n", line_end))
    assert found == Candidate("g02-c05", PLAIN, ("torso_velocity", "action"))


@pytest.mark.parametrize("wrapping", ["1. First:\n\n   ```python\n{}   ```\n", "So:\n\n{}\nThat is all.\n"])
def test_indented_code_is_dedented(wrapping: str) -> None:
    assert candidate(wrapping.format(textwrap.indent(PLAIN, "   "))).source == PLAIN


def test_only_what_is_needed_is_kept_in_order_with_its_text() -> None:
    answer = '''```python
"""A module."""
from __future__ import annotations
import os
import math, sys
import torch
import torch.nn.functional as F

# Speed that is wanted,
# in m/s.
TARGET: float = 2.0
SCALE, UNUSED = 0.5 * math.pi, 3
WEIGHTS = {"speed": 1.0}
WEIGHTS["speed"] = 2.0  # stronger
os.environ["X"] = "1"

def unused(x):
    return os.getcwd()

def inner(x): return x / SCALE

@torch.jit.script
def closeness(x):

    # never below zero
    return F.relu(inner(x))

if __name__ == "__main__":
    print(closeness(1))

def compute_reward(up_projection, target=TARGET):
    close = WEIGHTS["speed"] * closeness(target - up_projection)
    return close, {"close": close}

closeness(2)
```'''
    assert (
        candidate(answer).source
        == """from __future__ import annotations
import math, sys
import torch
import torch.nn.functional as F

# Speed that is wanted,
# in m/s.
TARGET: float = 2.0
SCALE, UNUSED = 0.5 * math.pi, 3
WEIGHTS = {"speed": 1.0}
WEIGHTS["speed"] = 2.0  # stronger


def inner(x): return x / SCALE


@torch.jit.script
def closeness(x):

    # never below zero
    return F.relu(inner(x))


def compute_reward(up_projection, target=TARGET):
    close = WEIGHTS["speed"] * closeness(target - up_projection)
    return close, {"close": close}
"""
    )


def test_helpers_may_stand_in_another_block_and_after() -> None:
    answer = (
        "```python\nimport torch\ndef compute_reward(action):\n    r = effort(action)\n    return r, {'r': r}\n```\n"
        "with the helper\n```python\nfrom __future__ import annotations\nW = -2; V = 3\n"
        "def effort(a):\n    return W * torch.sum(a, dim=-1)\n```"
    )
    source = candidate(answer).source
    assert source.startswith("from __future__ import annotations\nimport torch\n")
    assert source.endswith("W = -2\n\n\ndef effort(a):\n    return W * torch.sum(a, dim=-1)\n")


def test_bare_code_with_a_signature_over_several_lines() -> None:
    answer = (
        "Sure!\nimport torch\nLOW = (\n    1.0\n)\n# the reward\n@torch.no_grad()\n"
        "def compute_reward(\n    action,\n):\n    r = torch.sum(action, dim=-1) * LOW\n\n    return r, {'r': r}\n"
        "What do you think? It's fine.\n"
    )
    assert candidate(answer).source == (
        "import torch\nLOW = (\n    1.0\n)\n\n\n# the reward\n@torch.no_grad()\ndef compute_reward(\n    action,\n):\n"
        "    r = torch.sum(action, dim=-1) * LOW\n\n    return r, {'r': r}\n"
    )


@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_a_forgotten_import_of_torch_is_added(future: str) -> None:
    body = "def compute_reward(action):\n    r = torch.sum(action, dim=-1)\n    return r, {'r': r}\n"
    gap = "" if future else "\n\n"
    assert candidate(future + body).source == future + "import torch\n" + (gap or "\n\n") + body


def test_a_star_import_is_kept_and_stands_for_torch() -> None:
    answer = "from torch import *\ndef compute_reward(action):\n    r = torch.sum(action, -1)\n    return r, {'r': r}\n"
    assert candidate(answer).source.startswith("from torch import *\n\n\ndef")


def test_defaults_that_are_not_state_fields_stay_defaults() -> None:
    answer = "def compute_reward(action, weight=0.5, *, up_projection, k=1):\n    return up_projection, {}\n"
    assert candidate(answer).inputs == ("action", "up_projection")


def test_non_ascii_names_and_invalid_escapes_pass() -> None:
    answer = "```python\n속도 = 2.0\ndef compute_reward(action):\n    '\\d'\n    return action[:, 0] * 속도, {}\n```"
    assert candidate(answer).source.startswith("속도 = 2.0\n")


REJECTIONS = {
    "": "The answer is empty.",
    "   \n": "The answer is empty.",
    "A compute_reward that rewards speed would be best.": "The answer holds no Python code, only prose.",
    "I cannot help with compute_reward, sorry.": (
        "The model declined to answer: `I cannot help with compute_reward, sorry.`."
    ),
    "```python\nx = 1\n```": "The code defines no function named compute_reward.",
    "```python\ndef reward(a): return a\ndef bonus(a): return a\n```\nCall it compute_reward.": (
        "The code defines reward and bonus but no function named compute_reward."
    ),
    "compute_reward = lambda action: (action, {})": "compute_reward is not defined by a `def`.",
    "async def compute_reward(action): pass": "compute_reward is an `async def`, which cannot be used as a reward.",
    "class R:\n    def compute_reward(self, action):\n        return 1\n": "compute_reward is a method of the class R.",
    "def compute_reward(self, action): return self.acton": "`acton` (did you mean `action`?) is not a State field.",
    "def compute_reward(self): return self.num_envs": "compute_reward reads no State field.",
    "def compute_reward(*fields): pass": "compute_reward takes *fields in place of named State fields.",
    "def compute_reward(action, *a, **k): pass": "compute_reward takes *a and **k in place of named State fields.",
    "def compute_reward(action, /): pass": (
        "compute_reward has positional-only parameters (a `/`), but it is called by name."
    ),
    "def compute_reward(weight=1.0): pass": "compute_reward reads no State field.",
    "def compute_reward(torso_vel, action): pass": (
        "`torso_vel` (did you mean `torso_velocity`?) is not a State field."
    ),
    "def compute_reward(actions, zzz, *, qqq): pass": (
        "`actions` (did you mean `action`?), `zzz` and `qqq` are not State fields."
    ),
    "```python\nimport torch\ndef compute_reward(action):\n    return action[:, 0]), {}\n```": (
        "The code does not parse: line 3, `return action[:, 0]), {}`: unmatched ')'."
    ),
    "So:\ndef compute_reward(action):\n    return action +\nthat is all": (
        "The code does not parse: line 2, `return action +`: invalid syntax."
    ),
    "```python\ndef compute_reward(action):\n    return torch.sum(": (
        "The code does not parse: line 2, `return torch.sum(`: '(' was never closed. "
        "The answer seems to be cut off: it ends inside a code block."
    ),
}


@pytest.mark.parametrize("text", REJECTIONS)
def test_rejection_says_why(text: str) -> None:
    assert rejected(text).reason == REJECTIONS[text]


def test_feedback_names_the_remedy_and_the_valid_fields() -> None:
    assert rejected("def compute_reward(speed): pass").feedback == (
        "`speed` is not a State field. Name the State fields that you read as ordinary parameters. "
        "Valid names: torso_velocity, up_projection, action."
    )
    assert "without `self`" in rejected("class R:\n  def compute_reward(self): pass").feedback
    assert "one ```python block" in rejected("no").feedback


@pytest.mark.parametrize(
    "body", ["+".join(["a"] * 20000), "(" * 150 + "a" + ")" * 150, "-" * 5000 + "a", "a" + "[0]" * 3000]
)
def test_deep_nesting_is_a_rejection_not_a_crash(body: str) -> None:
    found = run(f"def compute_reward(action):\n    return {body}\n")
    assert isinstance(found, Candidate) or "nested" in found.reason


def test_null_bytes_are_a_rejection() -> None:
    assert "null bytes" in rejected("```\ndef compute_reward(action):\n    return '\x00'\n```").reason


RETURNS = "    return action[:, 0], {'a': action[:, 0]}\n"
WANTED = f"def compute_reward(action):\n{RETURNS}"
SECOND = f"def compute_reward_v2(action):\n{RETURNS}"
DRAFT = "def compute_reward(up_projection):\n    return 1, {}\n"


def test_a_suffix_and_a_call_of_the_old_name() -> None:
    again = "    if again:\n        return compute_reward_v2(action)\n"
    code = f"def compute_reward_v2(action, again=False):\n{again}{RETURNS}"
    found = candidate(f"import torch\n\n@torch.jit.script\n{code}").source
    assert found == (
        "import torch\n\n\n@torch.jit.script\n"
        + code.replace("def compute_reward_v2", "def compute_reward")
        + "\n\ncompute_reward_v2 = compute_reward\n"
    )


@pytest.mark.parametrize("suffix", ["_v2", "2", "_improved", "_final_v3", "_walking", "_"])
def test_any_suffix_of_the_only_function(suffix: str) -> None:
    if suffix == "_":
        assert rejected(f"def compute_reward{suffix}(action):\n{RETURNS}").reason.endswith(
            "no function named compute_reward."
        )
    else:
        assert (
            candidate(f"def compute_reward{suffix}(action):\n{RETURNS}").source
            == f"def compute_reward(action):\n{RETURNS}"
        )


LAST = {
    "a stub before": f"def compute_reward(action):\n    pass\n\n{SECOND}",
    "a stub that raises": f"def compute_reward(x):\n    raise NotImplementedError\n{WANTED}",
    "a stub after": f"{WANTED}\ndef compute_reward(up_projection):\n    ...\n",
    "a draft of the same name": DRAFT + WANTED,
    "a draft, then a version": f"```\n{DRAFT}```\nBetter:\n```\n{SECOND}```",
    "versions": DRAFT.replace("reward", "reward_v1") + SECOND,
    "another suffix after": f"{WANTED}\n{DRAFT.replace('reward', 'reward_numpy')}",
    "a wrapper after": f"{WANTED}\ndef compute_reward_v2(state):\n    return compute_reward(state.action)\n",
    "an alias": f"import torch\ndef f(action):\n{RETURNS}compute_reward = f\n",
    "a compiled alias": f"import torch\ndef f(action):\n{RETURNS}compute_reward = torch.compile(f, dynamic=True)\n",
}


@pytest.mark.parametrize("name", LAST)
def test_the_last_complete_definition_counts(name: str) -> None:
    found = candidate(LAST[name])
    assert found.inputs == ("action",)
    assert found.source == WANTED


@pytest.mark.parametrize(
    "offer", ["Alternatively:", "Option B:", "Another version:", "If you prefer less:", "Or\n", "A variant is:"]
)
def test_an_alternative_leaves_open_which_is_meant(offer: str) -> None:
    first = f"```python\ndef compute_reward(up_projection):\n{RETURNS}```"
    answer = f"{first}\n{offer}\n```python\ndef compute_reward(action):\n{RETURNS}```"
    assert rejected(answer).reason.startswith("The answer defines 2 different functions named compute_reward")
    assert candidate(answer.replace(offer, "The final version, for a better result:")).inputs == ("action",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<<<<<<< SEARCH\n    a = 1\n=======\n    a = 2\n>>>>>>> REPLACE\n", "a search-and-replace block or a patch"),
        (
            f"<<<<<<< SEARCH\ndef compute_reward(action): pass\n=======\ndef compute_reward(action):\n{RETURNS}",
            "a search",
        ),
        ("--- a.py\n+++ b.py\n@@ -1,2 +1,2 @@\n-a = 1\n+a = 2\n", "The answer is a diff; the whole code is needed."),
    ],
)
def test_parts_of_the_code_are_told_to_be_parts(text: str, why: str) -> None:
    assert why in rejected(text).reason
    assert "the whole code is needed" in rejected(text).reason
    assert candidate(f"{text}>>>>>>> REPLACE\nIn full:\n```python\n{PLAIN}```").source == PLAIN


def test_a_final_version_that_is_cut_off_is_asked_to_go_on() -> None:
    draft = f"```python\ndef compute_reward(up_projection):\n{RETURNS}```"
    text = f"{draft}\nThe final one:\n```python\ndef compute_reward(action):\n    return (action["
    found = extract(Completion("g02-c05", text, "m", finish="length"), FIELDS)
    assert isinstance(found, Rejected)
    assert found.reason == "The answer was cut off at the token limit before compute_reward was complete."


def test_fields_read_by_getattr_are_inputs() -> None:
    reads = "    a = getattr(self, 'action', None)\n    b = getattr(self, 'step_dt', 0.02)\n"
    assert candidate(f"def compute_reward(self):\n{reads}    return a, {{}}\n").inputs == ("action",)


def test_a_character_whose_number_is_too_long_is_no_crash() -> None:
    assert rejected("&#" + "9" * 5000 + "; compute_reward").reason == "The answer holds no Python code, only prose."
