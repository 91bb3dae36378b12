"""Messages survive the way, and other bytes are a WireError."""

import json

import pytest
import torch

from eureka.reward.trace.wire import WireError, pack, unpack

TENSORS = {
    "a": torch.arange(6.0).reshape(2, 3).T,
    "b": torch.tensor([True, False]),
    "c": torch.tensor(7),
    "d": torch.empty(0, 3),
}


def test_round_trip():
    parcel = unpack(pack({"x": [1, None, "\u00e9"]}, TENSORS))
    assert parcel.body == {"x": [1, None, "\u00e9"]}
    assert parcel.tensors.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert parcel.tensors[name].dtype == value.dtype
        assert torch.equal(parcel.tensors[name], value)


def message(header, values=b""):
    data = json.dumps(header).encode()
    return len(data).to_bytes(8, "big") + data + values


BROKEN = {
    "empty": b"",
    "short": b"\0\0",
    "not json": (3).to_bytes(8, "big") + b"{{{",
    "not text": (3).to_bytes(8, "big") + b"\xff\xfe\xfd",
    "deep": (200_000).to_bytes(8, "big") + b"[" * 200_000,
    "length too large": (2**63).to_bytes(8, "big") + b'{"body":{},"tensors":[]}',
    "no object": message([]),
    "missing": message({"body": {}}),
    "body a list": message({"body": [], "tensors": []}),
    "tensors an object": message({"body": {}, "tensors": {}}),
    "entry": message({"body": {}, "tensors": ["a"]}),
    "entry short": message({"body": {}, "tensors": [["a", "float32"]]}),
    "dtype": message({"body": {}, "tensors": [["a", "object", [1]]]}),
    "dtype a list": message({"body": {}, "tensors": [["a", [], [1]]]}),
    "shape": message({"body": {}, "tensors": [["a", "float32", [-1]]]}),
    "shape of text": message({"body": {}, "tensors": [["a", "float32", ["1"]]]}),
    "shape deep": message({"body": {}, "tensors": [["a", "float32", [1] * 9]]}),
    "incomplete": message({"body": {}, "tensors": [["a", "float32", [2]]]}, b"1234"),
    "huge": message({"body": {}, "tensors": [["a", "float32", [2**30, 2**30, 2**30]]]}),
    "left over": message({"body": {}, "tensors": []}, b"1"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken(case):
    with pytest.raises(WireError):
        unpack(BROKEN[case])
