"""Reads files of `torch.save` from untrusted sources: plain tensors, no larger than the file."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Iterator
from typing import Any

import torch

MAX_BYTES = 256 << 20
_MOST_ENTRIES = 4_096
_MOST_PICKLE_BYTES = 4 << 20
"""Maximum size of the tensors' description, a pickle that torch's restricted reader reads."""
_MOST_DEPTH = 8


class TensorFileError(ValueError):
    """Bytes that are not a valid file of `torch.save`."""


def read_tensor_file(data: bytes) -> Any:
    """The content of a file of `torch.save`: numbers, texts, lists, mappings and tensors.

    Raises:
        TensorFileError: the bytes have another format, or would expand in memory: compressed parts, tensors that
            declare more numbers than stored, texts of the older formats.
    """
    if len(data) > MAX_BYTES:
        raise TensorFileError(f"it has {len(data):,} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
        if len(entries) > _MOST_ENTRIES or any(_is_more(entry, len(data)) for entry in entries):
            raise TensorFileError("it stands for more than it is")
        loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        for tensor in _tensors(loaded, _MOST_DEPTH):
            if tensor.layout != torch.strided or tensor.numel() * tensor.itemsize > tensor.untyped_storage().nbytes():
                raise TensorFileError("a tensor in it claims more numbers than it has")
    # For arbitrary bytes, zip and torch's unpickler raise various errors.
    except (
        RuntimeError,  # also RecursionError and NotImplementedError
        EOFError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        AssertionError,
        OverflowError,
        MemoryError,
        OSError,
        struct.error,
        zipfile.BadZipFile,
        pickle.UnpicklingError,
    ) as error:
        raise TensorFileError(str(error)[:200]) from error
    return loaded


def _is_more(entry: zipfile.ZipInfo, size: int) -> bool:
    is_plain = entry.compress_type == zipfile.ZIP_STORED and entry.file_size == entry.compress_size <= size
    return not is_plain or (entry.filename.endswith(".pkl") and entry.file_size > _MOST_PICKLE_BYTES)


def _tensors(value: Any, depth: int) -> Iterator[torch.Tensor]:
    if depth == 0:
        raise TensorFileError("it is nested too deeply")
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _tensors(key, depth - 1)
            yield from _tensors(inner, depth - 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _tensors(inner, depth - 1)
