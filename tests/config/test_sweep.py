"""`-m`: Hydra's lists, in Hydra's order."""

from __future__ import annotations

import pytest

from eureka.config import sweep
from eureka.core.errors import ConfigError


def overrides(*texts: str) -> list[tuple[str, ...]]:
    return [job.overrides for job in sweep(texts)]


def test_the_product_of_every_list_the_last_varying_fastest() -> None:
    assert overrides("task=cartpole,ant", "budget=quick", "seed=range(1,3)") == [
        ("task=cartpole", "budget=quick", "seed=1"),
        ("task=cartpole", "budget=quick", "seed=2"),
        ("task=ant", "budget=quick", "seed=1"),
        ("task=ant", "budget=quick", "seed=2"),
    ]
    assert [job.varied for job in sweep(["task=ant", "seed=choice(3, 5)"])] == [("seed=3",), ("seed=5",)]
    (only,) = sweep(["task=ant"])
    assert (only.overrides, only.varied) == (("task=ant",), ())


def test_a_comma_in_quotes_is_no_list() -> None:
    assert overrides("search.hint='keep level, go fast'") == [("search.hint='keep level, go fast'",)]
    assert overrides("search.hint='a, b',c") == [("search.hint='a, b'",), ("search.hint=c",)]


def test_what_hydra_cannot_parse_is_taken_as_it_is() -> None:
    assert overrides("output=here (2)", "seed") == [("output=here (2)", "seed")]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("llm.model=llama3:8b,qwen2.5-coder:7b", ["llama3:8b", "qwen2.5-coder:7b"]),
        ("search.hint=keep level, go fast", ["keep level", "go fast"]),
        ("search.hint=don't fall,go (very, very) fast", ["don't fall", "go (very, very) fast"]),
        ("search.hint=保持平衡,schnell & weit; 50%", ["保持平衡", "schnell & weit; 50%"]),
        ("search.hint='a, b',it's [1, 2],c", ["'a, b'", "it's [1, 2]", "c"]),
        ("output=C:\\runs\\a,C:\\runs\\b", ["C:\\runs\\a", "C:\\runs\\b"]),
        ("llm.model=org/name@v1.0,~other", ["org/name@v1.0", "~other"]),
        ("train.init=null,a b.pt", ["null", "a b.pt"]),
    ],
)
def test_a_choice_is_what_was_typed(text: str, values: list[str]) -> None:
    key = text.partition("=")[0]
    assert overrides(text) == [(f"{key}={value}",) for value in values]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("search.hint=fast, (level", r"`search.hint=fast, \(level`: this list cannot be read; write search.hint=A,B"),
        ("task=glob(*)", r"only lists, choice\(...\) and range\(...\) are known here, as in task=A,B"),
        ("seed=interval(0, 1)", r"only lists, choice\(...\) and range\(...\) are known here"),
    ],
)
def test_what_is_no_list(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        sweep([text])
