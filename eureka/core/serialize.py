"""Strict conversion of dataclasses to JSON text and back: reading returns an equal value or fails.

pydantic checks the data against the types of the fields. Only fields with a default may be missing, so that files
written before a field existed can be read; unknown fields are refused. No value is converted, except that an int is
accepted for a float. Floats keep every bit; NaN and the infinities are written as the strings "NaN", "Infinity" and
"-Infinity", so that the text is standard JSON. Bytes are written as base64. Tuples are written as arrays; text may hold
surrogates.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails, SchemaValidator

T = TypeVar("T")

_UNKNOWN = "unexpected_keyword_argument"
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class DecodeError(ValueError):
    """Data that is not a value of the expected type; the message names the offending part, such as `ppo.hidden[0]`."""


def dumps(value: Any) -> str:
    """JSON text of a dataclass instance, or of another value that JSON can hold. (Needs the standard library only.)

    Raises:
        TypeError: a value of a type that cannot be written.
    """
    try:
        return json.dumps(value, default=_plain, allow_nan=False, separators=(",", ":"))
    except ValueError:  # NaN or an infinity
        data = json.loads(json.dumps(value, default=_plain), parse_constant=str)
        return json.dumps(data, separators=(",", ":"))


def loads(cls: type[T], text: str) -> T:
    """Read `dumps`'s text back as an instance of the dataclass `cls`.

    Raises:
        DecodeError: the text is not JSON, lacks a field that has no default, has an unknown one, or has a value of
            another type or out of its range.
    """
    try:
        return _checked(cls, _parse(text), as_written=True)
    except DecodeError as error:
        raise DecodeError(f"{cls.__name__}: {error}") from error


def read_data(cls: type[T], data: Any) -> T:
    """An instance of the dataclass `cls` from hand-written data, such as parsed YAML.

    Raises:
        DecodeError: as for `loads`; here numbers are finite.
    """
    return _checked(cls, data, as_written=False)


def _checked(cls: type[T], data: Any, *, as_written: bool) -> T:
    from pydantic_core import ValidationError

    try:
        value: T = _validator(cls, as_written).validate_python(data)  # type: ignore[arg-type]  # a class is hashable
    except ValidationError as error:
        # Report unknown keys first: if a key is missing too, it is usually the same one misspelt.
        first = min(error.errors(include_url=False), key=lambda found: found["type"] != _UNKNOWN)
        raise DecodeError(_sentence(cls, first)) from error
    return value


def _plain(value: Any) -> Any:
    """A JSON value that stands for a value JSON cannot hold as it is."""
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"a value of type {type(value).__name__} cannot be written")


def _parse(text: str) -> Any:
    from pydantic_core import from_json

    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:  # text with surrogates, which the faster parser refuses, or invalid JSON
        pass
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # may also be a number with thousands of digits
        raise DecodeError(f"not JSON: {error}") from error


def _refuse_constant(name: str) -> None:
    raise DecodeError(f"not JSON: a bare {name}")


@functools.cache
def _validator(cls: type[Any], as_written: bool) -> SchemaValidator:
    from pydantic import TypeAdapter
    from pydantic_core import SchemaValidator

    return SchemaValidator(_strict(TypeAdapter(cls).core_schema, as_written))


def _strict(schema: Any, as_written: bool) -> Any:
    """A pydantic schema that converts nothing: by itself it would take "1" for an int.

    Args:
        as_written: whether to accept non-finite numbers and bytes in the form that `dumps` writes.
    """
    from pydantic_core import core_schema

    if isinstance(schema, list):
        return [_strict(part, as_written) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = ("default", "expected", "members", "metadata")
    schema = {key: part if key in kept else _strict(part, as_written) for key, part in schema.items()}
    match schema.get("type"):
        case "dataclass-args":
            return {**schema, "extra_behavior": "forbid"}
        case "bool" | "int" | "str":
            return {**schema, "strict": True}
        case "float":
            finite = {**schema, "strict": True, "allow_inf_nan": False}
            names = core_schema.literal_schema(list(_NON_FINITE))
            non_finite = core_schema.no_info_after_validator_function(_NON_FINITE.__getitem__, names)
            message = "Input should be a valid number"
            choices = core_schema.union_schema(
                [finite, non_finite], mode="left_to_right", custom_error_type="float", custom_error_message=message
            )
            return choices if as_written else finite
        case "bytes":
            decode = functools.partial(base64.b64decode, validate=True)
            return core_schema.no_info_after_validator_function(decode, core_schema.str_schema(strict=True))
    return schema


def _sentence(cls: type[Any], error: ErrorDetails) -> str:
    """One sentence that says what is wrong, where, and what is allowed."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).removeprefix(".")
    part = f"`{path}` " if path else ""
    match error["type"]:
        case "missing":
            return f"{part}is missing"
        case kind if kind == _UNKNOWN:
            return f"unknown key {part.rstrip()}; known keys: {', '.join(sorted(_keys(cls, error['loc'][:-1])))}"
        case "value_error":
            return f"{part.rstrip()}: {error['ctx']['error']}".removeprefix(": ")
    allowed = _ALLOWED.get(error["type"], error["msg"].removeprefix("Input should "))
    return f"{part}must {allowed}, not {repr(error['input'])[:80]}"


_ALLOWED = {
    "dataclass_type": "be a mapping of keys to values",
    "dict_type": "be a mapping of keys to values",
    "too_short": "hold more items",
    "tuple_type": "be a list",
}


def _keys(wanted: Any, path: tuple[int | str, ...]) -> list[str]:
    """The fields of the dataclass at `path` below the type `wanted`."""
    for part in path:
        inner = get_args(wanted)
        wanted = inner[isinstance(part, str)] if inner else get_type_hints(wanted)[str(part)]
        if type(None) in get_args(wanted):
            wanted = get_args(wanted)[0]
    return [field.name for field in dataclasses.fields(wanted)]
