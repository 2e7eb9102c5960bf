"""Tier 1: every object held against the schema of its kind, offline.

The schemas (`schemas.json.zst`) are what an API server with the definitions of Gateway API and KEDA
publishes under /openapi/v3, without descriptions; `make cluster-schemas` writes them anew. They are
structural: types, properties, required, enums, patterns, bounds; so the validator knows just those,
and says all that is wrong and on which line, not the first thing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from imgopt.deploy.prove.objects import Keys, Object
from imgopt.results.deploy import DeployFinding

_FILE = Path(__file__).with_name("schemas.json.zst")
_ANY = ("metadata", "apiVersion", "kind")
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict, Mapping),
}
_CLOSEST = 2


class Schemas(msgspec.Struct, frozen=True):
    """`kinds` is by "apps/v1/Deployment"; `$ref` of a schema is a name in `definitions`."""

    version: str
    kinds: dict[str, dict[str, Any]]
    definitions: dict[str, dict[str, Any]]

    def of(self, one: Object) -> dict[str, Any] | None:
        return self.kinds.get(f"{one.version}/{one.kind}")


@cache
def schemas() -> Schemas:
    import zstandard

    data = zstandard.ZstdDecompressor().decompress(_FILE.read_bytes(), max_output_size=1 << 26)
    return msgspec.json.decode(data, type=Schemas)


def findings(objects: Sequence[Object], known: Schemas) -> list[DeployFinding]:
    found: list[DeployFinding] = []
    for one in objects:
        schema = known.of(one)
        if schema is None:
            found.append(_unknown(one, known))
            continue
        for keys, message in problems(one.value, schema, known):
            line = one.line(*keys)
            found.append(
                DeployFinding(
                    id="schema",
                    level="error",
                    message=f"{written(keys)}: {message}",
                    file=one.file,
                    line=line,
                    object=one.label,
                    evidence=f"schemas of Kubernetes {known.version}",
                )
            )
    return found


def _unknown(one: Object, known: Schemas) -> DeployFinding:
    """A kind of somebody else's is no mistake; another version of a kind that we know is one."""
    versions = sorted(
        name.rpartition("/")[0] for name in known.kinds if name.endswith(f"/{one.kind}")
    )
    groups = {version.rpartition("/")[0] for version in versions}
    own = one.version.rpartition("/")[0]
    is_wrong = own in groups or (bool(versions) and "." not in own) or not own.count(".")
    return DeployFinding(
        id="schema",
        level="error" if is_wrong else "note",
        message=f"no schema of {one.kind} in {one.version} is known here",
        file=one.file,
        line=one.line("apiVersion"),
        object=one.label,
        evidence=f"schemas of Kubernetes {known.version}, Gateway API and KEDA",
        fix=f"Kubernetes {known.version} has {', '.join(versions)}" if versions else "",
    )


def problems(
    value: Any, schema: Mapping[str, Any], known: Schemas, keys: Keys = ()
) -> Iterator[tuple[Keys, str]]:
    """What is wrong below `keys`, each with its place. null is as if nothing stood there."""
    schema = _resolved(schema, known)
    if value is None or schema.get("x-kubernetes-embedded-resource"):
        return
    if wrong := _wrong_type(value, schema):
        yield keys, wrong
        return
    yield from ((keys, message) for message in _wrong_value(value, schema))
    if isinstance(value, Mapping):
        yield from _in_object(value, schema, known, keys)
    elif isinstance(value, (list, tuple)) and "items" in schema:
        for number, item in enumerate(value):
            if item is None:
                yield (*keys, number), "nothing stands here"
            yield from problems(item, schema["items"], known, (*keys, number))


def _resolved(schema: Mapping[str, Any], known: Schemas) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = known.definitions[schema["$ref"]]
    return schema


def _in_object(
    value: Mapping[str, Any], schema: Mapping[str, Any], known: Schemas, keys: Keys
) -> Iterator[tuple[Keys, str]]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    others = schema.get("additionalProperties")
    is_open = bool(schema.get("x-kubernetes-preserve-unknown-fields")) or not (properties or others)
    for name in schema.get("required", ()):
        if value.get(name) is None:
            yield keys, f"`{name}` is missing"
    for name, inside in value.items():
        place = (*keys, name)
        if name in properties:
            yield from problems(inside, properties[name], known, place)
        elif isinstance(others, Mapping):
            yield from problems(inside, others, known, place)
        elif not is_open and others is not True and not (keys == () and name in _ANY):
            yield place, f"unknown field{_meant(name, properties)}"


def _meant(name: str, properties: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, properties, n=_CLOSEST)
    return f"; {' or '.join(close)} is meant?" if close else ""


def _wrong_type(value: Any, schema: Mapping[str, Any]) -> str:
    wanted = schema.get("type")
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        is_right = isinstance(value, (int, str)) and not isinstance(value, bool)
        return "" if is_right else f"{_kind(value)}, where a number or a text belongs"
    if schema.get("format") == "quantity":
        is_right = isinstance(value, (int, float, str)) and not isinstance(value, bool)
        return "" if is_right else f"{_kind(value)}, where a quantity such as 256Mi belongs"
    if wanted in ("integer", "number"):
        is_right = isinstance(value, int if wanted == "integer" else (int, float))
        is_right = is_right and not isinstance(value, bool)
    else:
        is_right = isinstance(value, _TYPES.get(str(wanted), (object,)))
    return "" if is_right else f"{_kind(value)}, where {_NAMES[str(wanted)]} belongs"


_NAMES = {
    "string": "a text (in quotes)",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "integer": "a whole number",
    "number": "a number",
}


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f'the text "{value}"'
    return "a mapping" if isinstance(value, Mapping) else "a list"


def _wrong_value(value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    allowed = schema.get("enum")
    if allowed and value not in allowed:
        yield f'"{value}" is none of {", ".join(str(one) for one in allowed if one != "")}'
    if isinstance(value, str):
        if (pattern := schema.get("pattern")) and not _matches(pattern, value):
            yield f'"{value}" does not match {pattern}'
        yield from _beyond(len(value), schema, "minLength", "maxLength", "characters")
        if schema.get("format") == "quantity" and not _QUANTITY.fullmatch(value):
            yield f'"{value}" is no quantity such as 250m or 256Mi'
    elif isinstance(value, (list, tuple)):
        yield from _beyond(len(value), schema, "minItems", "maxItems", "items")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _beyond(value, schema, "minimum", "maximum", "")


_QUANTITY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?")
"""k8s.io/apimachinery/pkg/api/resource: the server's schema of a quantity is a plain text."""


def _matches(pattern: str, value: str) -> bool:
    """A pattern that Python cannot read (they are Go's) decides nothing."""
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True


def _beyond(
    size: float, schema: Mapping[str, Any], least: str, most: str, what: str
) -> Iterator[str]:
    unit = f" {what}" if what else ""
    if least in schema and size < schema[least]:
        yield f"{size}{unit}, at least {schema[least]} are wanted"
    if most in schema and size > schema[most]:
        yield f"{size}{unit}, at most {schema[most]} are allowed"


def written(keys: Keys) -> str:
    """A path as kubectl writes it: spec.containers[0].image."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.lstrip(".") or "the object"
