"""The results that imgopt writes: one msgspec model per kind, `imgopt/<kind>/<number>`.

Every output format is rendered from these. Sizes are integers in bytes, times are floats in
seconds, and `None` means "not measured", with the reason beside it. A field keeps its meaning for
as long as the schema number stays.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from imgopt.errors import InputError, Location

R = TypeVar("R", bound="Result")


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A part of a result."""


class Result(Value, frozen=True, kw_only=True):
    """A whole result: subclasses set `schema` to their own default, for instance
    "imgopt/analysis/1"."""

    schema: str


class _Head(msgspec.Struct):
    """Enough of a result to know what it is; the rest is skipped, not built."""

    schema: str | None = None


def to_json(result: Result) -> str:
    """Stable JSON: the same result gives the same bytes. Text that is no UTF-8 is written with
    `\\xff` escapes."""
    try:
        data = msgspec.json.encode(result)
    except UnicodeEncodeError:
        data = msgspec.json.encode(_encodable(msgspec.to_builtins(result)))
    return msgspec.json.format(data, indent=2).decode() + "\n"


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, (list, tuple)) else value


def schema_of(text: str | bytes, file: str = "result") -> str:
    """The `schema` of a saved result. Raises InputError for what is not one."""
    try:
        schema = msgspec.json.decode(text, type=_Head).schema
    except msgspec.ValidationError:  # JSON, but no object, or its schema is no text
        schema = None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"not valid JSON: {error}",
            location=Location(file),
            hint="is the file complete? write it again",
        ) from None
    if schema is None or not schema.startswith("imgopt/"):
        raise InputError(
            'not a result of imgopt: no "schema": "imgopt/..."',
            location=Location(file),
            hint="give a file that imgopt wrote with --format json or --output json:FILE",
        )
    return schema


def from_json(text: str | bytes, kind: type[R], file: str = "result") -> R:
    """Reads a saved result of one kind. Raises InputError for another kind, a newer schema or
    damage."""
    schema = schema_of(text, file)
    wanted = str(kind.__struct_defaults__[0])
    if schema != wanted:
        raise InputError(
            f"schema {schema}, but {wanted} is needed here",
            location=Location(file),
            hint="a newer imgopt wrote it: update imgopt"
            if _is_newer(schema, wanted)
            else "give a result of that kind",
        )
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise InputError(
            f"damaged result: {error}", location=Location(file), hint="write it again"
        ) from None


def _is_newer(schema: str, wanted: str) -> bool:
    (name, _, number), (wanted_name, _, wanted_number) = (
        schema.rpartition("/"),
        wanted.rpartition("/"),
    )
    return name == wanted_name and number.isdigit() and int(number) > int(wanted_number)
