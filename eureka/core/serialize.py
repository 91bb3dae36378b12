"""Typed dataclasses to JSON text and back, strictly: what was written is read back equal, or reading fails.

Only a field that has a default may be missing, so that what was written before there was such a field can be read.
Supported: dataclasses, `str`, `int`, `float`, `bool`, `None`, `bytes`, `StrEnum`, `Literal`, `tuple[...]`,
`Mapping[str, ...]` and unions with `None`. Floats keep every bit; NaN and the infinities are written as the strings
"NaN", "Infinity" and "-Infinity", so that the text is standard JSON. Bytes are written as base64.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from enum import StrEnum
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class DecodeError(ValueError):
    """JSON text that is not a value of the wanted type; the message starts with the path to the offending part."""


def dumps(value: Any) -> str:
    """JSON text of a dataclass instance or another supported value.

    Raises:
        TypeError: a value of a type that is not supported.
    """
    return json.dumps(_encode(value), allow_nan=False, separators=(",", ":"))


def loads(cls: type[T], text: str) -> T:
    """Read `dumps`'s text back as a `cls`.

    Raises:
        DecodeError: the text is not JSON, lacks a field that has no default, has an unknown one, or has a value of
            another type.
    """
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise DecodeError(f"not JSON: {error}") from error
    value: T = _decode(cls, data, cls.__name__)
    return value


def _refuse_constant(name: str) -> None:
    raise DecodeError(f"not JSON: a bare {name}")


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _encode(getattr(value, name)) for name in _field_types(type(value))}
    if isinstance(value, float):
        return value if math.isfinite(value) else _name_of_non_finite(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("only mappings with string keys can be written")
        return {key: _encode(item) for key, item in value.items()}
    raise TypeError(f"a value of type {type(value).__name__} cannot be written")


def _name_of_non_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _decode(wanted: Any, data: Any, path: str) -> Any:
    """`data` (from JSON) as a value of the type `wanted`; `path` names it in errors."""
    origin = get_origin(wanted)
    if dataclasses.is_dataclass(wanted) and isinstance(wanted, type):
        return _decode_dataclass(wanted, data, path)
    if origin in (Union, UnionType):
        return _decode_union(wanted, data, path)
    if origin is Literal:
        return _check(data in get_args(wanted), wanted, data, path)
    if origin is tuple:
        return _decode_tuple(get_args(wanted), data, path)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _check(isinstance(data, dict), wanted, data, path)
        item_type = get_args(wanted)[1]
        return {key: _decode(item_type, item, f"{path}[{key!r}]") for key, item in data.items()}
    return _decode_scalar(wanted, data, path)


def _decode_scalar(wanted: Any, data: Any, path: str) -> Any:
    if wanted is float:
        if isinstance(data, str):
            _check(data in _NON_FINITE, wanted, data, path)
            return _NON_FINITE[data]
        _check(isinstance(data, (int, float)) and not isinstance(data, bool), wanted, data, path)
        return float(data)
    if wanted is int:
        return _check(isinstance(data, int) and not isinstance(data, bool), wanted, data, path)
    if wanted is bool or wanted is str:
        return _check(isinstance(data, wanted), wanted, data, path)
    if wanted is None or wanted is type(None):
        return _check(data is None, wanted, data, path)
    if wanted is bytes:
        _check(isinstance(data, str), wanted, data, path)
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise DecodeError(f"{path}: not base64") from error
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        _check(data in list(wanted), wanted, data, path)
        return wanted(data)
    raise TypeError(f"{path}: a value of type {wanted!r} cannot be read")


def _decode_dataclass(cls: Any, data: Any, path: str) -> Any:
    _check(isinstance(data, dict), cls, data, path)
    types = _field_types(cls)
    for name in data:
        if name not in types:
            raise DecodeError(f"{path}: unknown field {name!r}")
    for field in dataclasses.fields(cls):
        has_default = not (field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING)
        if field.init and field.name not in data and not has_default:
            raise DecodeError(f"{path}: field {field.name!r} is missing")
    return cls(**{name: _decode(types[name], item, f"{path}.{name}") for name, item in data.items()})


@functools.cache
def _field_types(cls: type[Any]) -> Mapping[str, Any]:
    """Resolved types of the constructor's fields by name, in order."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.init}


def _decode_union(wanted: Any, data: Any, path: str) -> Any:
    """Unions with None: every other union would make reading a guess."""
    members = [member for member in get_args(wanted) if member is not type(None)]
    if len(members) != 1 or len(members) == len(get_args(wanted)):
        raise TypeError(f"{path}: only `X | None` can be read, not {wanted}")
    return None if data is None else _decode(members[0], data, path)


def _decode_tuple(items: tuple[Any, ...], data: Any, path: str) -> tuple[Any, ...]:
    _check(isinstance(data, list), tuple, data, path)
    # Curves are most of what a run stores: numbers that JSON has read as floats need no look at each.
    if items == (float, Ellipsis) and all(type(item) is float for item in data):
        return tuple(data)
    if len(items) == 2 and items[1] is Ellipsis:
        return tuple(_decode(items[0], item, f"{path}[{i}]") for i, item in enumerate(data))
    if len(items) != len(data):
        raise DecodeError(f"{path}: expected {len(items)} items, found {len(data)}")
    return tuple(_decode(items[i], item, f"{path}[{i}]") for i, item in enumerate(data))


def _check(holds: bool, wanted: Any, data: Any, path: str) -> Any:
    """`data` where `holds`, else the error for it."""
    if not holds:
        name = wanted.__name__ if isinstance(wanted, type) else str(wanted)
        raise DecodeError(f"{path}: expected {name}, found {str(data)[:80]!r}")
    return data
