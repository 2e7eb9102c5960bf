"""Writes imgopt/deploy/prove/schemas.json.zst: what Kubernetes, Gateway API and KEDA publish of
their objects, without descriptions, for `imgopt deploy prove` where nothing runs.

`make cluster-schemas`; the API's files of Kubernetes (Apache-2.0) lie in its own Go module.
"""

from __future__ import annotations

import json
from typing import Any

import yaml
import zstandard
from definitions import DEFINITIONS, KUBERNETES, files_of
from layout import HERE, VERSION, data_folder, say

TARGET = HERE.parent.parent / "imgopt" / "deploy" / "prove" / "schemas.json.zst"
_KEPT = frozenset(
    (
        "$ref",
        "type",
        "properties",
        "required",
        "items",
        "enum",
        "pattern",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "additionalProperties",
        "x-kubernetes-int-or-string",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-embedded-resource",
    )
)
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"format": "quantity"},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"x-kubernetes-int-or-string": True},
}

Json = dict[str, Any]


def main() -> None:
    data = data_folder()
    definitions: Json = {}
    kinds: Json = {}
    for path in files_of(data, (KUBERNETES,)):
        _published(json.loads(path.read_text()), definitions, kinds)
    for path in files_of(data, DEFINITIONS):
        for document in yaml.safe_load_all(path.read_text()):
            _defined(document or {}, kinds)
    whole = {"version": VERSION.rpartition(".")[0], "kinds": kinds, "definitions": {}}
    whole["definitions"] = _reached(kinds, definitions)
    text = json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()
    packed = zstandard.ZstdCompressor(level=19).compress(text)
    TARGET.write_bytes(packed)
    say(f"{TARGET}: {len(kinds)} kinds, {len(text) >> 10} KiB, packed {len(packed) >> 10} KiB")


def _published(api: Json, definitions: Json, kinds: Json) -> None:
    for name, schema in api.get("components", {}).get("schemas", {}).items():
        definitions[name] = _SPECIAL.get(name) or _plain(schema)
        meta = json.dumps(schema.get("properties", {}).get("metadata", {}))
        if _META in meta:
            for one in schema.get("x-kubernetes-group-version-kind", ()):
                version = "/".join(part for part in (one["group"], one["version"]) if part)
                kinds[f"{version}/{one['kind']}"] = {"$ref": name}


def _defined(definition: Json, kinds: Json) -> None:
    if definition.get("kind") != "CustomResourceDefinition":
        return
    spec = definition["spec"]
    for version in spec["versions"]:
        schema = _plain(version["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"$ref": _META}
        kinds[f"{spec['group']}/{version['name']}/{spec['names']['kind']}"] = schema


def _plain(schema: Any) -> Any:
    """What the validator knows, and nothing else. One reference with a remark is a reference."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    for wrapped in schema.get("allOf", ()):
        if set(wrapped) == {"$ref"}:
            return _reference(wrapped["$ref"])
    if "$ref" in schema:
        return _reference(schema["$ref"])
    plain = {}
    for key, value in schema.items():
        if key == "properties":
            plain[key] = {name: _plain(inside) for name, inside in value.items()}
        elif key in ("items", "additionalProperties"):
            plain[key] = _plain(value)
        elif key in _KEPT:
            plain[key] = value
    if plain.get("x-kubernetes-int-or-string"):
        plain.pop("pattern", None)
        plain.pop("type", None)
    return plain


def _reference(path: str) -> Json:
    return {"$ref": path.rpartition("/")[2]}


def _reached(start: Json, definitions: Json) -> Json:
    found: Json = {}
    left = _names(start)
    while left:
        name = left.pop()
        if name not in found:
            found[name] = definitions[name]
            left |= _names(found[name])
    return found


def _names(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {name for one in schema for name in _names(one)}
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
    return own | {name for value in schema.values() for name in _names(value)}


if __name__ == "__main__":
    main()
