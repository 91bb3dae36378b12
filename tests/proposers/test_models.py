"""From config to language models: which, where, with which key and within which caps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from eureka.app.build import make_proposer, resolve, resumed_config
from eureka.app.estimate import assumption_line, call_line, duration, estimate, num_trainings
from eureka.config import RunConfig, SandboxMode, SearchConfig, to_yaml
from eureka.config.schema import TrainConfig
from eureka.core.costs import Spent
from eureka.core.errors import ConfigError, ProposerError
from eureka.core.types import Message, Prompt, PromptFacts
from eureka.proposers.anthropic import AnthropicConfig, AnthropicEndpoint
from eureka.proposers.calls import Endpoint
from eureka.proposers.chat import ChatProposer
from eureka.proposers.fallback import Fallback
from eureka.proposers.keys import Key
from eureka.proposers.models import ModelAccess, chosen_models, make_ledger, resolve_model
from eureka.proposers.openai import OpenAIConfig, OpenAIEndpoint
from eureka.proposers.program_search.proposer import ProgramSearchConfig
from eureka.proposers.provider import ModelConfig
from eureka.store import RunStore

KEYS = {"anthropic": Key("ANTHROPIC_API_KEY", "sk-a"), "openai": Key("OPENAI_API_KEY", "sk-o")}
LOCAL = "http://127.0.0.1:8080/v1"


def test_models_and_endpoints_are_written_out() -> None:
    assert resolve_model(AnthropicConfig(), {}) == AnthropicConfig(model="claude-sonnet-5-5")
    environment = {"OPENAI_BASE_URL": LOCAL, "ANTHROPIC_BASE_URL": "http://gateway"}
    given = OpenAIConfig(model="m", fallback="anthropic/claude-opus-5-5")
    assert resolve_model(given, environment) == OpenAIConfig(
        model="m", base_url=LOCAL, fallback="anthropic/claude-opus-5-5", fallback_base_url="http://gateway"
    )
    resolved = resolve(RunConfig(llm=AnthropicConfig(fallback="openai")), {})
    assert resolved.llm == AnthropicConfig(model="claude-sonnet-5-5", fallback="openai/gpt-6.1-sol")
    assert resolve(resolved) == resolved
    assert [tuple(chosen) for chosen in chosen_models(resolve_model(AnthropicConfig(fallback="openai"), {}))] == [
        ("anthropic", "claude-sonnet-5-5", None),
        ("openai", "gpt-6.1-sol", None),
    ]
    assert resolve_model(AnthropicConfig(fallback="program_search"), {}).fallback == "program_search"


@pytest.mark.parametrize(
    ("llm", "sentence"),
    [
        (OpenAIConfig(base_url=LOCAL), f"{LOCAL} is not openai's own endpoint: name its model with llm.model"),
        (OpenAIConfig(base_url="https://me:secret@host/v1", model="m"), "llm.base_url holds a user name, a password"),
        (OpenAIConfig(base_url="https://host/v1?key=secret", model="m"), "llm.base_url holds a user name, a password"),
        (OpenAIConfig(base_url="https://host/v1#secret", model="m"), "llm.base_url holds a user name, a password"),
        (OpenAIConfig(base_url="me:secret@host/v1", model="m"), "llm.base_url holds a user name, a password"),
        (OpenAIConfig(base_url="host:80", model="m"), "llm.base_url=host:80: expected a URL such as http://"),
        (
            OpenAIConfig(fallback="gemini"),
            "there is no such provider; give one of anthropic, openai, ollama, local, program_search",
        ),
        (OpenAIConfig(fallback="openai", fallback_base_url=LOCAL), "name its model with llm.fallback=openai/MODEL"),
        (OpenAIConfig(extra_body="[1]"), 'llm.extra_body=[1]: expected a JSON object such as {"top_k": 40}'),
        (OpenAIConfig(extra_body="{"), "expected a JSON object"),
    ],
)
def test_what_cannot_be_asked(llm: ModelConfig, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_model(llm, {})
    assert sentence in str(caught.value)
    assert "secret" not in str(caught.value)


def made(llm: ModelConfig, keys: dict[str, Key] = KEYS) -> object:
    config = RunConfig(task="ant", llm=resolve_model(llm, {}))
    assert isinstance(config.llm, ModelConfig)
    return make_proposer(config, ModelAccess(keys, make_ledger(config.llm, Spent()), print))


def endpoint_of(proposer: object) -> Endpoint:
    assert isinstance(proposer, ChatProposer)
    return proposer._endpoint


def test_proposers() -> None:
    openai = made(OpenAIConfig(temperature=0.5, extra_body='{"top_k": 4}'))
    assert endpoint_of(openai) == OpenAIEndpoint(
        "gpt-6.1-sol", KEYS["openai"], temperature=0.5, extra_body={"top_k": 4}, patience_s=300.0
    )
    assert endpoint_of(openai).varies
    assert "sk-" not in repr(endpoint_of(openai))
    anthropic = made(AnthropicConfig())
    assert isinstance(anthropic, ChatProposer)
    assert endpoint_of(anthropic) == AnthropicEndpoint("claude-sonnet-5-5", KEYS["anthropic"], patience_s=300.0)
    assert anthropic.description == "The language model claude-sonnet-5-5 (anthropic) writes the reward functions."
    both = made(AnthropicConfig(fallback="openai"))
    assert isinstance(both, Fallback)
    assert "gpt-6.1-sol (openai)" in both.description
    searching = made(AnthropicConfig(fallback="program_search"))
    assert isinstance(searching, Fallback)
    assert not searching.capabilities.uses_metric


def test_keys_and_caps_are_checked_before_anything_is_asked() -> None:
    with pytest.raises(ProposerError, match="llm=openai needs a key: set OPENAI_API_KEY in the environment"):
        made(AnthropicConfig(fallback="openai"), {"anthropic": KEYS["anthropic"]})
    local = OpenAIConfig(base_url=LOCAL, model="m", max_tokens=1000)
    assert endpoint_of(made(local, {})).provider == "openai"
    with pytest.raises(ConfigError, match=rf"the price of m at {LOCAL} is not known, .* llm\.max_tokens=N"):
        made(replace(local, max_tokens=None), {})
    with pytest.raises(ConfigError, match="the price of claude-17 is not known, so"):
        made(AnthropicConfig(model="claude-17"))
    with pytest.raises(ConfigError, match="the price of unheard-of is not known"):
        made(AnthropicConfig(fallback="openai/unheard-of"))


# ---- estimates ---------------------------------------------------------------------------------------------------

# 3500 bytes are estimated at 1000 tokens.
PROMPT = Prompt((Message("user", "x" * 3500),), PromptFacts("t", 0, 1, ()))


def test_an_estimate() -> None:
    config = resolve(RunConfig(llm=AnthropicConfig(), search=SearchConfig(2, 4), train=TrainConfig(seeds=3)))
    found = estimate(config, PROMPT)
    # A repair for one candidate in four.
    assert (found.calls, found.repairs) == (10, 2)
    # The second generation's prompts hold a reflection of 2000 tokens more, a repair the answer and 300 of errors.
    assert (found.input_tokens, found.output_tokens) == (4 * 1000 + 3800 + 4 * 3000 + 5800, 10 * 2500)
    # A million tokens into the cache are $2.5, from it $0.1, beside it $2, and answers $10; a generation's first call
    # fills it.
    assert found.usd == pytest.approx((4000 * 2.5 + 4 * 4000 * 0.1 + 2 * 2800 * 2 + 25_000 * 10) / 1e6)
    # The two leaders of the first generation with three further seeds, and three finalists with two.
    assert num_trainings(config) == 3 * 8 + 2 * 3 + 3 * 2
    assert call_line(config, found) == (
        "provider anthropic, model claude-sonnet-5-5: about 10 calls, 25,600 tokens to read and 25,000 to write, about "
        "$0.27; stops at $5"
    )
    assert "answers of 2,500 tokens, reasoning included, and a repair for one candidate in 4" in assumption_line(found)
    without = estimate(replace(config, search=replace(config.search, repairs=0)), PROMPT)
    assert (without.calls, without.input_tokens) == (8, 16_000)
    assert "and no repair:" in assumption_line(without)
    nothing = estimate(RunConfig(search=SearchConfig(1, 1)), PROMPT)
    assert (nothing.calls, nothing.usd) == (0, None)


def test_an_estimate_without_a_price() -> None:
    llm = OpenAIConfig(base_url=LOCAL, model="m", max_tokens=9000, max_seconds=60.0)
    config = resolve(RunConfig(llm=llm, search=SearchConfig(1, 1)))
    found = estimate(config, PROMPT)
    assert found.usd is None
    text = call_line(config, found)
    assert text.startswith(f"provider openai, model m at {LOCAL}: about 1 call")
    assert text.endswith("price not known; stops at 9,000 tokens or 60 s")
    free = replace(config, llm=replace(AnthropicConfig(model="claude-opus-5-5"), max_usd=None))
    assert call_line(free, estimate(free, PROMPT)).endswith("; stops at no cap")


# ---- resumed runs ------------------------------------------------------------------------------------------------


def test_what_a_resume_gave_anew_holds_for_later_ones(tmp_path: Path) -> None:
    config = resolve(RunConfig(task="cartpole", llm=OpenAIConfig(base_url=LOCAL, model="m", max_tokens=1)))
    mine = {"OPENAI_BASE_URL": LOCAL}
    with RunStore.create(tmp_path / "run", to_yaml(config)) as store:
        assert resumed_config(store, [], mine) == config
        raised = resumed_config(store, ["llm.max_tokens=500", 'llm.extra_body={"a b": 1}'], mine).llm
        assert (raised.max_tokens, raised.extra_body) == (500, '{"a b": 1}')
        assert resumed_config(store, [], mine).llm == raised
        assert resumed_config(store, ["llm.max_tokens=900"], mine).llm == replace(raised, max_tokens=900)
        with pytest.raises(ConfigError, match="a resumed run keeps its config"):
            resumed_config(store, ["search.samples=3"], mine)
        # What was refused is not kept, and the run's own config is as it was.
        assert resumed_config(store, [], mine).llm == replace(raised, max_tokens=900)
        assert store.config_yaml == to_yaml(config)


ENDPOINT = "http://elsewhere:1/v1"


def test_a_key_goes_to_no_endpoint_that_only_the_run_folder_names(tmp_path: Path) -> None:
    llm = OpenAIConfig(base_url=ENDPOINT, model="m", max_tokens=1)
    with RunStore.create(tmp_path / "run", to_yaml(RunConfig(task="cartpole", llm=llm))) as store:
        said = (
            f"{store.folder}: its config has llm.base_url={ENDPOINT}, which a run folder may not decide: give "
            f"llm.base_url={ENDPOINT} again if you trust it"
        )
        for environment in ({}, {"OPENAI_BASE_URL": LOCAL}, {"ANTHROPIC_BASE_URL": ENDPOINT}):
            with pytest.raises(ConfigError) as caught:
                resumed_config(store, [], environment)
            assert str(caught.value) == said
        for given, environment in (([f"llm.base_url={ENDPOINT}"], {}), ([], {"OPENAI_BASE_URL": ENDPOINT})):
            assert resumed_config(store, given, environment).llm == llm
        # What an earlier resume gave lies in the folder too.
        with pytest.raises(ConfigError, match=r"give llm\.base_url=http://elsewhere:1/v1 again"):
            resumed_config(store, [], {})
        assert resumed_config(store, ["llm.base_url=null"], {}).llm == replace(llm, base_url=None)
        assert resumed_config(store, [], {}).llm == replace(llm, base_url=None)
    own = replace(llm, base_url="https://api.openai.com/v1", fallback="anthropic/m", fallback_base_url=ENDPOINT)
    with RunStore.create(tmp_path / "second", to_yaml(RunConfig(task="cartpole", llm=own))) as store:
        with pytest.raises(ConfigError, match=r"its config has llm\.fallback_base_url=http://elsewhere:1/v1, which"):
            resumed_config(store, [], {"OPENAI_BASE_URL": ENDPOINT})
        assert resumed_config(store, [], {"ANTHROPIC_BASE_URL": ENDPOINT}).llm == own


def test_a_run_folder_takes_no_confinement_away(tmp_path: Path) -> None:
    unsafe = RunConfig(task="cartpole", sandbox=SandboxMode.unsafe, llm=ProgramSearchConfig())
    with RunStore.create(tmp_path / "run", to_yaml(unsafe)) as store:
        said = "give sandbox=unsafe again if you trust it, or sandbox=enforced to confine generated code"
        for _ in range(2):
            with pytest.raises(ConfigError, match=said):
                resumed_config(store, [])
            assert resumed_config(store, ["sandbox=unsafe"]).sandbox is SandboxMode.unsafe
        assert resumed_config(store, ["sandbox=enforced"]).sandbox is SandboxMode.enforced
        assert resumed_config(store, []).sandbox is SandboxMode.enforced


def test_durations() -> None:
    assert [duration(s) for s in (40, 720, 12_600)] == ["40 s", "12 min", "3.5 h"]
