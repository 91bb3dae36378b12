"""States as bytes and as files: what was kept comes back bit for bit, and what is broken is nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from eureka.core.errors import TrainingError
from eureka.trainers.population.checkpoints import (
    StateError,
    StateHeader,
    fingerprint,
    pack,
    read_header,
    read_state,
    unpack,
    write_state,
)
from eureka.trainers.population.group import GroupJob

MakeJob = Callable[..., GroupJob]


def test_a_state_comes_back_bit_for_bit() -> None:
    state = {
        "jobs": [["g01-c01", 3]],
        "wall_s": 0.1 + 0.2,
        "groups": {
            "noise": torch.arange(7, dtype=torch.uint8),
            "mean": torch.tensor([[1.5, float("nan"), float("inf")]], dtype=torch.float64),
            "done": torch.tensor([True, False]),
            "none": torch.zeros(0, 3),
            "turned": torch.arange(6.0).reshape(2, 3).T,
        },
        "records": [{"metric": [float("nan"), 1e-300], "steps": [128], "components": {"sum": torch.tensor(2)}}],
    }
    found = unpack(pack(state))
    assert found["jobs"] == state["jobs"]
    assert found["wall_s"] == state["wall_s"]
    for name, tensor in state["groups"].items():  # type: ignore[attr-defined]
        assert found["groups"][name].dtype == tensor.dtype
        torch.testing.assert_close(found["groups"][name], tensor, rtol=0, atol=0, equal_nan=True)
    assert found["records"][0]["components"]["sum"] == 2
    assert found["records"][0]["steps"] == [128]
    assert str(found["records"][0]["metric"]) == "[nan, 1e-300]"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]\n",
        b"[" * 100_000,
        b'{"a": {"tensor": "float32", "shape": [4]}}\n' + bytes(15),
        b'{"a": {"tensor": "float32", "shape": [1099511627776, 1099511627776]}}\n' + bytes(16),
        b'{"a": {"tensor": "float32", "shape": [-1]}}\n' + bytes(16),
        b'{"a": {"tensor": "float32", "shape": ["4"]}}\n' + bytes(16),
        b'{"a": {"tensor": "float32", "shape": 4}}\n' + bytes(16),
        b'{"a": {"tensor": "object", "shape": [1]}}\n' + bytes(16),
        b"\x80\x04\x95",
    ],
)
def test_what_is_no_state_is_said(data: bytes) -> None:
    with pytest.raises(StateError):
        unpack(data)


def test_a_file_says_whose_state_it_holds(tmp_path: Path, make_job: MakeJob) -> None:
    jobs = [make_job("g01-c01", 0), make_job("g01-c02", 1)]
    path = tmp_path / "kept" / "a.pt"
    write_state(path, jobs, b"{}\nvalues")
    assert read_header(path) == StateHeader((("g01-c01", 0), ("g01-c02", 1)), fingerprint(jobs))
    assert read_state(path) == b"{}\nvalues"


@pytest.mark.parametrize(
    "data", [b"", b"PK half a file", b'{"jobs": 3}\n', b'{"jobs": [[1, 2, 3]], "fingerprint": ""}\n', b"[" * 10_000_000]
)
def test_a_file_that_is_none_is_passed_over(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.pt").write_bytes(data)
    assert read_header(tmp_path / "a.pt") is None
    assert read_header(tmp_path / "none.pt") is None
    assert read_state(tmp_path / "none.pt") is None


def test_a_checkpoint_that_cannot_be_written_is_said(tmp_path: Path, make_job: MakeJob) -> None:
    (tmp_path / "taken.pt").mkdir()
    with pytest.raises(TrainingError, match=r"checkpoint cannot be written to .*; make room there and resume"):
        write_state(tmp_path / "taken.pt", [make_job("g01-c01", 0)], b"")
    assert not list(tmp_path.glob("*.partial"))
