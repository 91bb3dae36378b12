"""The JSON codec: everything that the store keeps comes back equal, and anything else is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import pytest

from eureka.core.ranges import Count, Share
from eureka.core.serialize import DecodeError, dumps, loads, read_data
from eureka.core.training import ComponentStatistics, TrainingResult
from eureka.core.types import (
    ComponentReflection,
    FieldSpec,
    Message,
    MetricProbe,
    Prompt,
    PromptFacts,
    Reflection,
    Rejected,
    Stage,
)

COMPONENT = ComponentReflection(
    name="speed",
    points=(0.1, 1 / 3),
    mean=0.2,
    minimum=-1e-300,
    maximum=5e300,
    std=0.5,
    variance_share=None,
    active_fraction=1.0,
    metric_correlation=-0.25,
)
REFLECTION = Reflection(
    candidate_id="g01-c01",
    source="def compute_reward(x):\n    return x, {'é\ud800': x}\n",
    steps=(10, 20),
    metric_points=(0.0, 1.0),
    metric_max=1.0,
    metric_final=1.0,
    episode_length_points=(3.0, 4.0),
    total_points=(0.5, 0.25),
    components=(COMPONENT,),
)
PROMPT = Prompt(
    messages=(Message("system", "a"), Message("user", 'b "quoted"\n')),
    facts=PromptFacts(
        task="ant",
        seed=3,
        generation=2,
        state=(
            FieldSpec("z", (), "float32", "m", "world", "height"),
            FieldSpec("v", (3,), "float32", "m/s", "b", "speed"),
        ),
        reflection=REFLECTION,
        rejected=(Rejected("g01-c02", Stage.TRACE, "loops", "line 3"),),
        probe=MetricProbe({"z": 0.5, "v[0]": -1.0}),
    ),
)


@dataclass(frozen=True)
class Everything:
    flag: bool
    number: int
    real: float
    text: str
    raw: bytes
    kind: Literal["a", "b"]
    stage: Stage
    pair: tuple[int, str]
    many: tuple[float, ...]
    maybe: int | None
    table: Mapping[str, tuple[int, ...]]


EVERYTHING = Everything(True, 1, 0.1, "x", b"\x00\xff", "a", Stage.TRAIN, (1, "y"), (0.5, 2.0), None, {"k": (1, 2)})


@pytest.mark.parametrize("value", [PROMPT, REFLECTION, COMPONENT, EVERYTHING])
def test_round_trip_is_equal(value: object) -> None:
    assert loads(type(value), dumps(value)) == value


def test_training_result_with_statistics_and_bytes() -> None:
    statistics = ComponentStatistics(
        mean=1.0, minimum=0.0, maximum=2.0, std=0.5, variance_share=1.0, active_fraction=0.5, metric_correlation=None
    )
    result = TrainingResult(
        candidate_id="g01-c01",
        seed=0,
        final_scores=(1.0, 3.0),
        steps=(1,),
        metric=(0.5,),
        episode_length=(9.0,),
        total=(1.0,),
        components={"a": (1.0,)},
        statistics={"a": statistics},
        checkpoint_scores=(2.0,),
        policy=b"\x80policy",
    )
    assert loads(TrainingResult, dumps(result)) == result


def test_non_finite_floats_are_standard_json() -> None:
    text = dumps((math.inf, -math.inf, math.nan))
    assert json.loads(text) == ["Infinity", "-Infinity", "NaN"]

    @dataclass(frozen=True)
    class Curve:
        points: tuple[float, ...]

    points = loads(Curve, '{"points":["Infinity","-Infinity","NaN",1]}').points
    assert points[:2] == (math.inf, -math.inf)
    assert math.isnan(points[2])
    assert isinstance(points[3], float)


def test_floats_keep_every_bit() -> None:
    values = (0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0)
    back = loads(Everything, dumps(Everything(**{**vars(EVERYTHING), "many": values}))).many
    assert [value.hex() for value in back] == [value.hex() for value in values]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("flag", 1, "Everything: `flag` must be a valid boolean, not 1"),
        ("number", True, "Everything: `number` must be a valid integer, not True"),
        ("number", 1.5, "Everything: `number` must be a valid integer"),
        ("real", "fast", "Everything: `real` must be a valid number, not 'fast'"),
        ("real", False, "Everything: `real` must be a valid number"),
        ("text", None, "Everything: `text` must be a valid string"),
        ("raw", "***", "Everything: `raw`: Only base64 data"),
        ("kind", "c", "Everything: `kind` must be 'a' or 'b', not 'c'"),
        ("stage", "cook", "Everything: `stage` must be 'extract'"),
        ("stage", ["train"], "Everything: `stage` must be 'extract'"),
        ("pair", [1], r"Everything: `pair\[1\]` is missing"),
        ("pair", ["x", "y"], r"Everything: `pair\[0\]` must be a valid integer"),
        ("many", 3.0, "Everything: `many` must be a list, not 3.0"),
        ("many", [1.0, None], r"Everything: `many\[1\]` must be a valid number"),
        ("maybe", "1", "Everything: `maybe` must be a valid integer"),
        ("table", [], "Everything: `table` must be a mapping of keys to values"),
        ("table", {"k": ["z"]}, r"Everything: `table.k\[0\]` must be a valid integer"),
    ],
)
def test_wrong_values_are_refused_with_their_path(field: str, value: object, message: str) -> None:
    data = {**json.loads(dumps(EVERYTHING)), field: value}
    with pytest.raises(DecodeError, match=message):
        loads(Everything, json.dumps(data))


def test_missing_and_unknown_fields_and_broken_text() -> None:
    data = json.loads(dumps(Message("user", "x")))
    with pytest.raises(DecodeError, match="Message: unknown key `extra`; known keys: content, role"):
        loads(Message, json.dumps({**data, "extra": 1}))
    with pytest.raises(DecodeError, match="Message: `content` is missing"):
        loads(Message, '{"role": "user"}')
    with pytest.raises(DecodeError, match="Message: must be a mapping of keys to values, not"):
        loads(Message, "[]")
    for text in ("{", '{"role": NaN}'):
        with pytest.raises(DecodeError, match="not JSON"):
            loads(Message, text)


def test_a_file_that_a_person_wrote_holds_finite_numbers_in_their_ranges() -> None:
    @dataclass(frozen=True)
    class Inner:
        share: Share = 0.5
        count: Count | None = None

    @dataclass(frozen=True)
    class Outer:
        inner: Inner | None = None
        many: tuple[Inner, ...] = ()

    globals().update(Inner=Inner)  # where the types are looked up
    try:
        assert read_data(Outer, {"inner": {"share": 1}, "many": [{}]}) == Outer(Inner(1.0), (Inner(),))
        for data, message in (
            ({"inner": {"share": 1.5}}, "`inner.share` must be less than or equal to 1, not 1.5"),
            ({"inner": {"share": math.nan}}, "`inner.share` must be a finite number, not nan"),
            ({"inner": {"share": "NaN"}}, "`inner.share` must be a valid number, not 'NaN'"),
            ({"many": [{"count": 0}]}, "`many[0].count` must be greater than 0, not 0"),
            ({"many": [{"counts": 1}]}, "unknown key `many[0].counts`; known keys: count, share"),
            ({"inner": {"counts": 1}}, "unknown key `inner.counts`; known keys: count, share"),
        ):
            with pytest.raises(DecodeError) as caught:
                read_data(Outer, data)
            assert str(caught.value) == message
    finally:
        del globals()["Inner"]


def test_deeply_nested_text_is_not_read() -> None:
    with pytest.raises(DecodeError, match="not JSON"):
        loads(Message, "[" * 100_000)


def test_only_what_json_can_hold_is_written() -> None:
    assert dumps(MappingProxyType({"a": (1, None)})) == '{"a":[1,null]}'
    with pytest.raises(TypeError, match="complex cannot be written"):
        dumps((1j,))
