"""A real model from packages, through both SDKs, in whole runs. It tests the path, not the quality of its rewards.

`python benchmarks/local_model.py` does more of the same, and says how many candidates were usable.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_helpers import proposer
from local_model import GRAMMAR
from local_server import INSTALL, Settings, installed, local_model

from eureka.core.errors import ContextTooLong
from eureka.core.types import Message, Prompt, PromptFacts
from eureka.proposers.keys import no_key
from eureka.proposers.openai import OpenAIEndpoint
from eureka.store import RunStore

pytestmark = [
    pytest.mark.process,
    pytest.mark.wide,
    pytest.mark.skipif(not installed(), reason=f"the local model is not installed: {INSTALL}"),
]

SMALL = [
    *("task=cartpole", "train.steps=4000", "train.eval_episodes=2", "train.checkpoints=1", "train.workers=1"),
    *("evaluation.seeds=0", "search.confirmation_seeds=0", "search.samples=2", "report.films=none"),
]
FREE = "root ::= [^\\x00]*"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server that makes every answer a reward function; its one slot reads what the prompts share once."""
    with local_model(Settings(slots=1, grammar=GRAMMAR)) as address:
        yield address


def run(provider: str, url: str, folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    given = [f"llm={provider}", f"llm.base_url={url}", "llm.model=smollm2", "llm.max_tokens=200000"]
    command = [sys.executable, "-m", "eureka", "run", *SMALL, *given, f"output={folder}", *overrides]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_evolution_with_a_grammar_that_makes_every_answer_parse(url: str, tmp_path: Path) -> None:
    search = ["search.generations=2", "search.repairs=0", "llm.max_output_tokens=192"]
    result = run("anthropic", url, tmp_path / "run", *search)
    assert result.returncode == 0, result.stderr
    with RunStore.open(tmp_path / "run", read_only=True) as store:
        assert store.is_finished
        assert list(store.finished_generations()) == [1, 2]
        answers = [answer for given in store.completions().values() for answer in given]
        assert len(store.results()) >= 1
    assert len(answers) == 4
    for answer in answers:
        assert answer.text.startswith("```python\nimport torch\n\n\ndef compute_reward(cart_position, ")
        assert answer.usage.input_tokens
        assert answer.usage.output_tokens
    # The second sample finds the first one's prompt in the server's cache.
    assert any(answer.usage.cached_tokens for answer in answers)
    assert re.search(r"2 answers: [\d,]+ tokens read \(\d+% from the cache\)", result.stdout)
    assert re.search(r"^usable: 4 of 4 candidates \(100%\)", result.stdout, re.MULTILINE)


def test_unusable_answers_end_in_order(url: str, tmp_path: Path) -> None:
    extra = f"llm.extra_body={json.dumps({'grammar': FREE})}"
    search = ["search.generations=1", "search.repairs=1", "llm.max_output_tokens=32", extra]
    result = run("openai", f"{url}/v1", tmp_path / "run", *search)
    assert result.returncode == 1
    assert "none of the 1 generations gave a usable reward" in result.stderr
    _, _, summary = result.stdout.partition("what became of the candidates:\n")
    for candidate in ("g01-c01", "g01-c02"):
        assert re.search(rf"^  {candidate}  rejected \(extract\) after 1 repair: ", summary, re.MULTILINE)
    assert "usable: 0 of 2 candidates (0%), without repair 0 of 2 (0%); 2 repairs were asked for\n" in summary


def test_a_prompt_beyond_the_models_context(url: str) -> None:
    long = Prompt((Message("user", "keep the pole upright " * 1500),), PromptFacts("cartpole", 0, 1, ()))
    asked = proposer(OpenAIEndpoint("smollm2", no_key("OPENAI_API_KEY"), f"{url}/v1"))
    with pytest.raises(ContextTooLong, match="the prompt is longer than smollm2 takes"):
        list(asked.sample_each({"g01-c01": long}))
