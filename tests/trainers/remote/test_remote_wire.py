"""Messages between the interpreters: tensors and bytes come back as they were, and nonsense is refused."""

from __future__ import annotations

import io
import json

import pytest
import torch

from eureka.trainers.remote.inside.wire import MAX_BYTES, RemoteMessage, RemoteWireError, decode, encode


def read(content: bytes) -> RemoteMessage:
    stream = io.BytesIO(content)
    return decode(stream.readline, stream.read)


def test_a_message_comes_back_as_it_was() -> None:
    tensors = {
        "rows": torch.randn(3, 2),
        "flags": torch.tensor([True, False]),
        "numbers": torch.tensor([[1], [2]]),
        "none": torch.zeros(0, 4),
    }
    sent = RemoteMessage("update", {"update": 3, "name": "é\n"}, tensors, {"checkpoint": b"\x00\nabc", "empty": b""})
    got = read(encode(sent))
    assert (got.kind, got.data, got.blobs) == (sent.kind, sent.data, sent.blobs)
    assert all(torch.equal(got.tensors[name], value) for name, value in tensors.items())
    assert [value.dtype for value in got.tensors.values()] == [value.dtype for value in tensors.values()]


@pytest.mark.parametrize(
    "head",
    [
        b"Traceback (most recent call last):\n",
        b"",
        b"[]\n",
        json.dumps({"kind": 1, "data": {}, "tensors": [], "blobs": []}).encode() + b"\n",
        json.dumps({"kind": "x", "data": {}, "tensors": [["a", "object", [1]]], "blobs": []}).encode() + b"\n",
        json.dumps({"kind": "x", "data": {}, "tensors": [["a", "int64", [-1, -9]]], "blobs": []}).encode() + b"\n",
        json.dumps({"kind": "x", "data": {}, "tensors": [], "blobs": [["a", MAX_BYTES + 1]]}).encode() + b"\n",
    ],
)
def test_what_is_no_message_is_refused(head: bytes) -> None:
    with pytest.raises(RemoteWireError):
        read(head)
