"""Real inputs with the outcome that a user would want, from public bug reports and the styles of real models.

`rewards/*.py` begin with `# expect: accept` or `# expect: reject WORDS|OTHER WORDS`, one of which must be in what the
model is told; each is taken through extraction, tracing and verification for the task ant, as an answer. `answers/*.md`
are whole answers of a language model, with `<!-- expect: ... -->`. The texts are data: no linter reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from eureka.core.types import Candidate, Completion, Rejected, Reward
from eureka.reward.analysis.confined import LIMITS, PRELOAD
from eureka.reward.extract.extraction import extract
from eureka.reward.trace.service import RewardVerifier
from eureka.sandbox import Sandbox
from eureka.tasks import Task, load_task
from eureka.trainers.population.recording import record

pytestmark = pytest.mark.process

HERE = Path(__file__).parent
CASES = sorted([*HERE.glob("rewards/*.py"), *HERE.glob("answers/*.md")])


def expectation(text: str) -> str:
    """`accept`, or `reject WORDS|OTHER WORDS`."""
    found = re.search(r"expect: (.*?)(?: -->|$)", text, re.MULTILINE)
    assert found is not None
    return found[1].strip()


def answer(path: Path) -> str:
    """What the model said: a file's code in a block, or the text after the note of what is expected."""
    text = path.read_text(encoding="utf-8")
    return f"Here it is.\n\n```python\n{text}\n```\n" if path.suffix == ".py" else text.split("-->", 1)[1]


def outcome(path: Path, task: Task, verifier: RewardVerifier) -> Reward | Rejected:
    """What becomes of a case."""
    found = extract(Completion("g01-c01", answer(path), "m"), task.fields)
    return verifier.verify(found) if isinstance(found, Candidate) else found


@pytest.fixture(scope="module")
def ant() -> Task:
    return load_task("ant", [])


@pytest.fixture(scope="module")
def verifier(ant: Task) -> Iterator[RewardVerifier]:
    with Sandbox(preload=PRELOAD, limits=LIMITS) as sandbox:
        yield RewardVerifier(ant.fields, record(ant).state, sandbox)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_outcome(path: Path, ant: Task, verifier: RewardVerifier) -> None:
    wanted = expectation(path.read_text(encoding="utf-8"))
    found = outcome(path, ant, verifier)
    if wanted == "accept":
        assert isinstance(found, Reward), found
        return
    assert isinstance(found, Rejected), found
    words = wanted.removeprefix("reject").strip()
    assert not words or any(one.strip() in found.feedback for one in words.split("|"))
