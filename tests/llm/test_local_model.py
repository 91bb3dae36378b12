"""A real model from packages, through both SDKs, in whole runs. It tests the path, not the quality of its rewards."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_model import INSTALL, installed, local_model

from eureka.store import RunStore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason=f"the local model is not installed: {INSTALL}"),
]

SMALL = ["task=cartpole", "train.steps=4000", "train.eval_episodes=2", "train.checkpoints=1", "train.workers=1"]
# Makes every answer a reward function; the model is left the weights.
GRAMMAR = r"""
root ::= "```python\ndef compute_reward(pole_angle, cart_position):\n    upright = -" weight " * pole_angle.abs()\n    centred = -" weight " * cart_position.abs()\n    return upright + centred, {'upright': upright, 'centred': centred}\n```\n"
weight ::= [1-9] "." [0-9]
"""  # noqa: E501


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with local_model() as address:
        yield address


def run(url: str, provider: str, folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    base = f"{url}/v1" if provider == "openai" else url
    given = [
        f"llm={provider}",
        f"llm.base_url={base}",
        "llm.model=smollm2",
        "llm.max_tokens=200000",
        "llm.concurrency=2",
    ]
    command = [sys.executable, "-m", "eureka", "run", *SMALL, *given, f"output={folder}", *overrides]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_evolution_with_a_grammar_that_makes_every_answer_parse(url: str, tmp_path: Path) -> None:
    extra = json.dumps({"grammar": GRAMMAR})
    search = ["search.generations=2", "search.samples=2", "llm.max_output_tokens=160", f"llm.extra_body={extra}"]
    result = run(url, "openai", tmp_path / "run", *search)
    assert result.returncode == 0, result.stderr
    with RunStore.open(tmp_path / "run", read_only=True) as store:
        assert store.is_finished
        assert list(store.finished_generations()) == [1, 2]
        answers = [answer for given in store.completions().values() for answer in given]
        assert len(store.results()) >= 1
    assert len(answers) >= 4
    assert all(answer.usage.input_tokens and answer.usage.output_tokens for answer in answers)
    # The second sample finds the first one's prompt in the server's cache.
    assert any(answer.usage.cached_tokens for answer in answers)
    assert re.search(r"2 answers: [\d,]+ tokens read \(\d+% from the cache\)", result.stdout)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_unusable_answers_end_in_order(provider: str, url: str, tmp_path: Path) -> None:
    search = ["search.generations=1", "search.samples=2", "search.repairs=1", "llm.max_output_tokens=32"]
    result = run(url, provider, tmp_path / "run", *search)
    assert result.returncode == 1
    assert "none of the 1 generations gave a usable reward" in result.stderr
    for candidate in ("g01-c01", "g01-c02"):
        assert re.search(rf"^  {candidate}  rejected \(extract\): ", result.stdout, re.MULTILINE)


def test_a_prompt_beyond_the_models_context(url: str, tmp_path: Path) -> None:
    hint = "keep the pole upright " * 1500
    result = run(url, "openai", tmp_path / "run", "search.generations=1", "search.samples=1", f"search.hint={hint}")
    assert result.returncode == 1
    assert "the prompt is longer than smollm2 takes" in result.stderr
