"""Dataclasses to JSON text and back, strictly: what was written is read back equal, or reading fails.

pydantic checks what is read against the types of the fields. Only a field that has a default may be missing, so that
what was written before there was such a field can be read; unknown fields are refused. No value is converted: an int is
taken for a float, and nothing else for another type. Floats keep every bit; NaN and the infinities are written as the
strings "NaN", "Infinity" and "-Infinity", so that the text is standard JSON. Bytes are written as base64. Tuples are
written as arrays; text may hold surrogates.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails, SchemaValidator

T = TypeVar("T")

_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class DecodeError(ValueError):
    """JSON text that is not a value of the wanted type; the message starts with the path to the offending part."""


def dumps(value: Any) -> str:
    """JSON text of a dataclass instance, or of another value that JSON can hold. (Needs the standard library only.)

    Raises:
        TypeError: a value of a type that cannot be written.
    """
    try:
        return json.dumps(value, default=_plain, allow_nan=False, separators=(",", ":"))
    except ValueError:  # a number that is not finite
        data = json.loads(json.dumps(value, default=_plain), parse_constant=str)
        return json.dumps(data, separators=(",", ":"))


def loads(cls: type[T], text: str) -> T:
    """Read `dumps`'s text back as an instance of the dataclass `cls`.

    Raises:
        DecodeError: the text is not JSON, lacks a field that has no default, has an unknown one, or has a value of
            another type.
    """
    from pydantic_core import ValidationError

    try:
        value: T = _validator(cls).validate_python(_parse(text))  # type: ignore[arg-type]  # a class is hashable
    except ValidationError as error:
        raise DecodeError(_sentence(cls, error.errors(include_url=False)[0])) from error
    return value


def _plain(value: Any) -> Any:
    """What JSON can hold, of a value that it cannot hold as it is."""
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
    except ValueError:  # text with surrogates, which the quicker parser refuses, or no JSON at all
        pass
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DecodeError(f"not JSON: {error}") from error


def _refuse_constant(name: str) -> None:
    raise DecodeError(f"not JSON: a bare {name}")


@functools.cache
def _validator(cls: type[Any]) -> SchemaValidator:
    from pydantic import TypeAdapter
    from pydantic_core import SchemaValidator

    return SchemaValidator(_strict(TypeAdapter(cls).core_schema))


def _strict(schema: Any) -> Any:
    """A pydantic schema that takes what `dumps` writes and no more: by itself it would take "1" for an int."""
    from pydantic_core import core_schema

    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    as_they_are = ("default", "expected", "members", "metadata")
    schema = {key: part if key in as_they_are else _strict(part) for key, part in schema.items()}
    match schema.get("type"):
        case "dataclass-args":
            return {**schema, "extra_behavior": "forbid"}
        case "bool" | "int" | "str":
            return {**schema, "strict": True}
        case "float":
            names = core_schema.literal_schema(list(_NON_FINITE))
            return core_schema.union_schema(
                [
                    core_schema.float_schema(strict=True),
                    core_schema.no_info_after_validator_function(_NON_FINITE.__getitem__, names),
                ],
                mode="left_to_right",
                custom_error_type="float",
                custom_error_message="Input should be a valid number",
            )
        case "bytes":
            decode = functools.partial(base64.b64decode, validate=True)
            return core_schema.no_info_after_validator_function(decode, core_schema.str_schema(strict=True))
    return schema


def _sentence(cls: type[Any], error: ErrorDetails) -> str:
    path = cls.__name__ + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    match error["type"]:
        case "missing":
            return f"{path}: this field is missing"
        case "unexpected_keyword_argument":
            return f"{path}: unknown field"
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{path}: {message}, found {str(error['input'])[:80]!r}"
