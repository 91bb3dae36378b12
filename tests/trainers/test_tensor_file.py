"""Tensor files of strangers: what stands for more than it is is refused before it is there."""

from __future__ import annotations

import collections
import io
import os
import pickle
import zipfile
from typing import Any

import pytest
import torch

from eureka.core.errors import TrainingError
from eureka.trainers.population.policy import load_policy
from eureka.trainers.tensor_file import TensorFileError, read_tensor_file


def saved(value: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def compressed(data: bytes) -> bytes:
    """The same archive with every part deflated."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))
    return buffer.getvalue()


class Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch /tmp/eureka-evil",)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def test_what_was_saved_comes_back() -> None:
    value = {"a": torch.arange(6.0).view(2, 3), "b": [1, "x", None], "c": torch.zeros(0)}
    found = read_tensor_file(saved(value))
    assert torch.equal(found["a"], torch.arange(6.0).view(2, 3))
    assert found["b"] == [1, "x", None]


HOSTILE = {
    "code": saved(Evil()),
    "a pickle": pickle.dumps({"format": 1}),
    "the older format": saved({"a": torch.ones(3)}, _use_new_zipfile_serialization=False),
    "a bomb": compressed(saved({"a": torch.zeros(10_000_000)})),
    "a view of one number": saved({"a": torch.zeros(1).expand(1 << 40)}),
    "a view in a view": saved({"a": [({"b": torch.zeros(3, 1).expand(3, 1 << 30)},)]}),
    "sparse": saved(
        {"a": torch.sparse_coo_tensor(torch.tensor([[0]]), torch.tensor([1.0]), (1 << 40,), check_invariants=True)}
    ),
    "deep": saved(nested(100)),
    "very deep": b"PK" + b"(" * 100_000,
    "empty": b"",
    "no archive": b"PK\x03\x04" + bytes(100),
    "a long number": saved({"a": 1 << 100_000_000}),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_plain_tensor_file_is_refused(data: bytes) -> None:
    with pytest.raises(TensorFileError):
        read_tensor_file(data)
    with pytest.raises(TrainingError, match="not a policy"):
        load_policy(data)
    assert not os.path.exists("/tmp/eureka-evil")


def policy(**changes: Any) -> bytes:
    """4 observations, 3 units, 1 action: 15 + 4 + 1 numbers."""
    plain = {
        "format": 1,
        "sizes": [4, 3, 1],
        "activation": "elu",
        "extra": 1,
        "parameters": torch.zeros(20),
        "offset": torch.zeros(1, 4),
        "scale": torch.ones(1, 4),
    }
    return saved({**plain, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"sizes": [1 << 40, 3, 1]},
        {"sizes": [True, 3, 1]},
        {"sizes": [4, 3, -1]},
        {"sizes": collections.OrderedDict()},
        {"sizes": [4] * 100_000},
        {"extra": 1 << 62},
        {"activation": "exec"},
        {"parameters": torch.zeros(20, dtype=torch.float64)},
        {"parameters": torch.zeros(20, dtype=torch.complex64)},
        {"parameters": torch.zeros(20, requires_grad=True)},
        {"parameters": "x" * 20},
        {"offset": torch.zeros(4)},
        {"more": 1},
        {"format": 2},
        {"format": "1"},
    ],
)
def test_a_policy_is_what_its_network_has(changes: dict[str, Any]) -> None:
    assert load_policy(policy()).parameters.shape == (1, 20)
    with pytest.raises(TrainingError, match=r"not a policy|has format"):
        load_policy(policy(**changes))
