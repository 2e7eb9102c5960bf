"""A value that fits a JSON schema: the same one every time, for the original and for a candidate.

It is made here and not by a library: those that make bodies draw them at random, and are larger
than imgopt itself (hypothesis-jsonschema, jsf with faker). What a schema gives as an example counts
first, then its default, its first allowed value, then the plainest value of its type and format.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from imgopt.requests.request import FORM, JSON

_DEEPEST = 6
_FORMATS = {
    "date-time": "2024-01-02T03:04:05Z",
    "date": "2024-01-02",
    "time": "03:04:05Z",
    "duration": "PT1H",
    "email": "someone@example.org",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "http://localhost/",
    "url": "http://localhost/",
    "uri-reference": "/",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "byte": "aW1nb3B0",
    "binary": "imgopt",
    "password": "Passw0rd-imgopt",
}
_NAMED = {
    "email": "someone@example.org",
    "mail": "someone@example.org",
    "password": "Passw0rd-imgopt",
    "url": "http://localhost/",
    "date": "2024-01-02",
    "phone": "+15550100",
    "colour": "#336699",
    "color": "#336699",
    "lang": "en",
    "language": "en",
    "currency": "EUR",
    "country": "DE",
}
_PATTERNED = (
    *("imgopt", "a", "A", "1", "12", "123", "1234", "12345", "123456", "1234567890", "abc"),
    *("ABC", "abc123", "ABC123", "AB-123", "a-b", "a_b", "EUR", "DE", "en", "en-US", "1.0.0"),
    *("2024-01-02", "03:04", "#336699", "+15550100", "someone@example.org", "http://localhost/"),
    *("00000000-0000-4000-8000-000000000001", "0123456789abcdef", "/", "192.0.2.1", ""),
)
Schema = Mapping[str, Any]
BOUNDARY = "imgopt-part"


def resolved(value: Any, document: Any) -> Any:
    """What a `$ref` of the same document leads to; {} for one that leads nowhere."""
    for _ in range(_DEEPEST):
        if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
            return value
        found: Any = document
        for step in value["$ref"].removeprefix("#").strip("/").split("/"):
            key = step.replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, dict) else None
        value = found if found is not None else {}
    return {}


def table(value: Any) -> dict[str, Any]:
    """The value where it is a table; a stranger's description may have anything there."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """The value where it is a list."""
    return value if isinstance(value, list) else []


def _count(value: Any, usual: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else usual


def _size(value: Any) -> int | float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def example(schema: Any, document: Any = None, name: str = "", depth: int = 0) -> Any:
    """A value for the schema; `document` is what its references lead into, `name` the property that
    it is for."""
    schema = resolved(schema, document)
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    for given in _given(schema):
        return given
    for several in ("oneOf", "anyOf"):
        choices = [resolved(one, document) for one in listed(schema.get(several))]
        real = [one for one in choices if isinstance(one, dict) and one.get("type") != "null"]
        if real:
            return example(_joined([{**schema, several: None}, real[0]]), document, name, depth)
    if listed(schema.get("allOf")):
        parts = [resolved(one, document) for one in schema["allOf"]]
        return example(_joined([{**schema, "allOf": None}, *parts]), document, name, depth)
    return _typed(schema, document, name, depth)


def _given(schema: Schema) -> Iterator[Any]:
    if "const" in schema:
        yield schema["const"]
    if "example" in schema:
        yield schema["example"]
    examples = schema.get("examples")
    if isinstance(examples, list) and examples:
        yield examples[0]
    if schema.get("default") is not None:
        yield schema["default"]
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        yield schema["enum"][0]


def _joined(parts: list[Any]) -> dict[str, Any]:
    """Schemas that hold together, as one."""
    whole: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items() if isinstance(part, dict) else ():
            if key == "properties":
                whole[key] = {**table(whole.get(key)), **table(value)}
            elif key == "required":
                whole[key] = [*listed(whole.get(key)), *listed(value)]
            elif value is not None:
                whole[key] = value
    return whole


def _typed(schema: Schema, document: Any, name: str, depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), None)
    if kind == "object" or (kind is None and "properties" in schema):
        return _object(schema, document, depth)
    if kind == "array" or (kind is None and "items" in schema):
        count = max(1, min(_count(schema.get("minItems"), 1), 5))
        items = listed(schema.get("prefixItems")) or [table(schema.get("items"))] * count
        return [example(item, document, name, depth + 1) for item in items]
    if kind in ("integer", "number"):
        return _number(schema, whole=kind == "integer")
    if kind == "boolean":
        return True
    return None if kind == "null" else _text(schema, name)


def _object(schema: Schema, document: Any, depth: int) -> dict[str, Any]:
    needed = [str(name) for name in listed(schema.get("required"))]
    made: dict[str, Any] = {}
    for key, inner in table(schema.get("properties")).items():
        own = resolved(inner, document)
        read_only = isinstance(own, dict) and own.get("readOnly") is True
        if not read_only and (depth < _DEEPEST - 2 or key in needed):
            made[key] = example(own, document, key, depth + 1)
    more = schema.get("additionalProperties")
    if not made and isinstance(more, dict):
        made["key"] = example(more, document, "key", depth + 1)
    return made


def _number(schema: Schema, *, whole: bool) -> int | float:
    least, most = _size(schema.get("minimum")), _size(schema.get("maximum"))
    above, below = _size(schema.get("exclusiveMinimum")), _size(schema.get("exclusiveMaximum"))
    step = abs(_size(schema.get("multipleOf")) or (1 if whole else 0))
    number: int | float = 1
    if above is not None:
        number = max(number, above + (step or 0.5))
    elif least is not None:
        number = max(number, least + (step if schema.get("exclusiveMinimum") is True else 0))
    if below is not None and number >= below:
        number = below - (step or 0.5)
    elif most is not None and number > most:
        number = most
    if step and number % step:
        number = (number // step + 1) * step
    return int(number) if whole else number


def _text(schema: Schema, name: str) -> str:
    kind = schema.get("format")
    text = _FORMATS.get(str(kind)) or _named(name)
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        text = next((one for one in (text, *_PATTERNED) if _matches(pattern, one)), text)
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and len(text) < least <= 10_000:
        text += "x" * (least - len(text))
    return text[:most] if isinstance(most, int) and most >= 0 else text


def _named(name: str) -> str:
    words = re.split(r"[_\-. ]|(?<=[a-z])(?=[A-Z])", name)
    return next((_NAMED[word.lower()] for word in words if word.lower() in _NAMED), "imgopt")


_COUNTED = re.compile(
    r"(?:count|amount|quantity|number|num|total|age|size|price|year|month|day|page|limit|offset"
    r"|rating|score|width|height|weight|id)",
    re.IGNORECASE,
)


def plain_value(name: str) -> str | int:
    """A value for a field of which only the name is known."""
    words = re.split(r"[_\-. ]|(?<=[a-z])(?=[A-Z])", name)
    return 1 if _COUNTED.fullmatch(words[-1]) else _named(name)


def _matches(pattern: str, text: str) -> bool:
    try:
        return len(pattern) < 200 and re.search(pattern, text) is not None
    except (re.error, RecursionError):
        return False


def encoded(value: Any, kind: str, files: frozenset[str] = frozenset()) -> tuple[str, bytes]:
    """Content type and bytes of a body of this media type; `files` are the fields that are sent as
    files, where it is a multipart form."""
    if kind.startswith("multipart/"):
        return f"multipart/form-data; boundary={BOUNDARY}", _multipart(value, files)
    if kind == FORM:
        return kind, urlencode(_pairs(value)).encode()
    if "json" in kind:
        return kind, json.dumps(value).encode()
    if "xml" in kind:
        return kind, b'<?xml version="1.0"?><imgopt/>'
    return kind or JSON, (value if isinstance(value, str) else json.dumps(value)).encode()


def _pairs(value: Any) -> list[tuple[str, str]]:
    items = value.items() if isinstance(value, dict) else ()
    return [
        (str(key), one if isinstance(one, str) else json.dumps(one))
        for key, several in items
        for one in (several if isinstance(several, list) else [several])
    ]


_FILES = (
    (
        re.compile(r"image|photo|picture|avatar|logo|icon|thumb|cover|banner", re.IGNORECASE),
        ("imgopt.png", "image/png"),
        base64.b64decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5Erk"
            "Jggg=="
        ),
    ),
    (re.compile(r"csv|table|sheet", re.IGNORECASE), ("imgopt.csv", "text/csv"), b"a,b\n1,2\n"),
    (re.compile(r"json", re.IGNORECASE), ("imgopt.json", JSON), b"{}"),
    (re.compile(""), ("imgopt.txt", "text/plain"), b"imgopt\n"),
)
"""What is sent as a file, by the name of its field: a picture of one pixel, a table of one line."""


def _multipart(value: Any, files: frozenset[str]) -> bytes:
    """RFC 7578. The boundary is the same every time, as is the rest."""
    made = b""
    for name, text in _pairs(value):
        head = f'Content-Disposition: form-data; name="{quote(name, safe=" []")}"'
        data = text.encode()
        if name in files:
            found = next((one for one in _FILES if one[0].search(name)), _FILES[-1])
            head += f'; filename="{found[1][0]}"\r\nContent-Type: {found[1][1]}'
            data = found[2]
        made += f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + data + b"\r\n"
    return made + f"--{BOUNDARY}--\r\n".encode()
