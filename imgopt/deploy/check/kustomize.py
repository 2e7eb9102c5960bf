"""A Kustomization as the objects that it makes: resources, patches, images, replicas, generators.

What is not resolved here (addresses, Helm charts, transformers of others) is told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from imgopt.deploy.check.given import Inputs
from imgopt.deploy.check.nodes import Node
from imgopt.deploy.check.objects import Objects, is_object, read_objects
from imgopt.deploy.check.patching import json_patched, merged
from imgopt.deploy.check.pods import TEMPLATES
from imgopt.deploy.check.yaml_nodes import documents
from imgopt.errors import InputError, Location

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_DEEPEST = 20
_UNRESOLVED = ("helmCharts", "helmChartInflationGenerator", "generators", "transformers", "vars",
               "replacements", "configurations")  # fmt: skip
_GENERATED = (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret"))


def taken_by(path: Path) -> set[Path]:
    """Files and folders that a Kustomization names; nothing for one that cannot be read."""
    try:
        node = documents(path.read_text(encoding="utf-8-sig"), str(path))[0]
    except (OSError, InputError, UnicodeDecodeError, IndexError):
        return set()
    named = [i.text for k in ("resources", "bases", "components") for i in node[k].items]
    named += [i["path"].text for k in ("patches", "patchesJson6902") for i in node[k].items]
    named += [i.text for i in node["patchesStrategicMerge"].items]
    return {(path.parent / name).resolve() for name in named if name and "\n" not in name}


def built(inputs: Inputs, path: Path) -> Objects:
    """Raises InputError."""
    generated: set[str] = set()
    objects = read_objects(_resources(inputs, path, generated, 0))
    objects.generated |= generated
    return objects


def _resources(inputs: Inputs, path: Path, generated: set[str], depth: int) -> list[Node]:
    if depth > _DEEPEST:
        raise InputError("Kustomizations in a circle", location=Location(str(path)))
    node = next(iter(documents(inputs.text(path), str(path))), Node(None, str(path)))
    found: list[Node] = []
    for key in ("resources", "bases"):
        for item in node[key].items:
            found += _named(inputs, path, item, generated, depth)
    for item in node["components"].items:
        inner = _kustomization(_place(path, item))
        if inner is not None:
            found = _changed(inputs, inner, found, generated)
        else:
            _not_resolved(inputs, item, f"the component {item.text}")
    return _changed(inputs, path, found, generated)


def _changed(inputs: Inputs, path: Path, found: list[Node], generated: set[str]) -> list[Node]:
    """The objects with what one Kustomization does to them."""
    node = next(iter(documents(inputs.text(path), str(path))), Node(None, str(path)))
    for key in _UNRESOLVED:
        if node[key].there:
            _not_resolved(inputs, node[key], key)
    for patch, target in _patches(inputs, path, node):
        found = [_patched(one, patch, target) for one in found]
    found = [one for one in found if one.find("$patch").text != "delete"]
    found = [_with_images(one, node["images"].items) for one in found]
    found = [_with_replicas(one, node["replicas"].items) for one in found]
    hashed = node.find("generatorOptions", "disableNameSuffixHash").flag is not True
    for key, kind in _GENERATED:
        for item in node[key].items:
            if hashed and item.find("options", "disableNameSuffixHash").flag is not True:
                generated.add(item["name"].text)
            found += [_made(kind, item)] if item["behavior"].text != "merge" else []
    return [_with_names(one, node) for one in found]


def _named(inputs: Inputs, path: Path, item: Node, generated: set[str], depth: int) -> list[Node]:
    place = _place(path, item)
    if "://" in item.text or item.text.startswith("git@") or "?ref=" in item.text:
        _not_resolved(inputs, item, f"{item.text}: it is fetched from elsewhere")
        return []
    inner = _kustomization(place)
    if inner is not None:
        return _resources(inputs, inner, generated, depth + 1)
    if not place.is_file():
        _not_resolved(inputs, item, f"{item.text} is not there")
        return []
    return [one for one in documents(inputs.text(place), str(place)) if is_object(one)]


def _place(path: Path, item: Node) -> Path:
    return Path(os.path.normpath(path.parent / item.text))


def _kustomization(folder: Path) -> Path | None:
    return next((folder / name for name in KUSTOMIZATIONS if (folder / name).is_file()), None)


def _not_resolved(inputs: Inputs, node: Node, what: str) -> None:
    inputs.tell(
        what,
        "not resolved here: what it adds or changes is not seen",
        Location(node.file, node.line),
        "kustomize build FOLDER | imgopt deploy check -",
    )


def _patches(inputs: Inputs, path: Path, node: Node) -> Iterator[tuple[Node, Node]]:
    """Each patch with the target that it names; a target without a value is the patch's own."""
    for item in node["patchesStrategicMerge"].items:
        for patch in _texts(inputs, path, item):
            yield patch, Node()
    for key in ("patches", "patchesJson6902"):
        for item in node[key].items:
            source = item["path"] if item["path"].there else item["patch"]
            for patch in _texts(inputs, path, source):
                yield patch, item["target"]


def _texts(inputs: Inputs, path: Path, item: Node) -> Iterator[Node]:
    """A patch in the file, or the file that it names."""
    if "\n" in item.text:
        for one in documents(item.text, item.file):
            yield _moved(one, item.line)
        return
    place = _place(path, item)
    if place.is_file():
        yield from documents(inputs.text(place), str(place))
    else:
        _not_resolved(inputs, item, f"the patch {item.text} is not there")


def _moved(node: Node, line: int) -> Node:
    """Its lines as they are in the file that it stands in."""
    value = node.value
    if isinstance(value, dict):
        value = {key: _moved(one, line) for key, one in value.items()}
    elif isinstance(value, list):
        value = [_moved(one, line) for one in value]
    return replace(node, value=value, line=node.line + line)


def _patched(one: Node, patch: Node, target: Node) -> Node:
    operations = patch.items
    if not _is_for(one, target if target.there else patch):
        return one
    if operations:
        for operation in operations:
            one = json_patched(one, operation)
        return one
    if patch["$patch"].text == "delete":
        return patch
    named = _set(patch, ("metadata", "name"), one.find("metadata", "name"))
    return merged(one, _set(named, ("kind",), one["kind"]))


def _is_for(one: Node, wanted: Node) -> bool:
    kind, name = wanted["kind"].text, wanted["name"].text or wanted.find("metadata", "name").text
    own = one.find("metadata", "name").text
    labels = wanted["labelSelector"].text
    if labels:
        pairs = dict(p.strip().partition("=")[::2] for p in labels.split(","))
        if not pairs.items() <= one.find("metadata", "labels").texts().items():
            return False
    return (not kind or kind == one["kind"].text) and (not name or name in (own, ".*"))


def _with_images(one: Node, images: list[Node]) -> Node:
    kind = one["kind"].text
    if not images or kind not in TEMPLATES:
        return one
    path = (*TEMPLATES[kind], "spec")
    for key in ("containers", "initContainers"):
        containers = one.find(*path, key)
        if containers.items:
            changed = [_with_image(item, images) for item in containers.items]
            one = _set(one, (*path, key), replace(containers, value=changed))
    return one


def _with_image(container: Node, images: list[Node]) -> Node:
    node = container["image"]
    name, _, digest = node.text.partition("@")
    slash = name.rfind("/") + 1
    bare = name[:slash] + name[slash:].partition(":")[0]
    for image in images:
        if image["name"].text == bare:
            new = image["newName"].text or bare
            tag = image["newTag"].text or name[len(bare) + 1 :]
            pin = image["digest"].text or ("" if image["newTag"].text else digest)
            text = f"{new}@{pin}" if pin else f"{new}:{tag}" if tag else new
            changed = {**container.table, "image": Node(text, node.file, node.line)}
            return replace(container, value=changed)
    return container


def _with_replicas(one: Node, replicas: list[Node]) -> Node:
    for item in replicas:
        if item["name"].text == one.find("metadata", "name").text and one["kind"].text in TEMPLATES:
            one = _set(one, ("spec", "replicas"), item["count"])
    return one


def _made(kind: str, item: Node) -> Node:
    data: dict[str, Node] = {}
    for literal in item["literals"].items:
        key, _, text = literal.text.partition("=")
        data[key] = Node(text, literal.file, literal.line)
    said = {"apiVersion": "v1", "kind": kind}
    value = {name: Node(text, item.file, item.line) for name, text in said.items()}
    value["metadata"] = Node({"name": item["name"]}, item.file, item.line)
    value["stringData" if kind == "Secret" else "data"] = Node(data, item.file, item.line)
    return Node(value, item.file, item.line)


def _with_names(one: Node, node: Node) -> Node:
    """With the namespace and labels of all. Prefixes are left out: references would have to follow
    them, and no rule asks for them."""
    if node["namespace"].text:
        one = _set(one, ("metadata", "namespace"), node["namespace"])
    for name, value in node["commonLabels"].table.items():
        one = _labelled(one, name, value, everywhere=True)
    for item in node["labels"].items:
        for name, value in item["pairs"].table.items():
            deep = item["includeSelectors"].flag or item["includeTemplates"].flag
            one = _labelled(one, name, value, everywhere=bool(deep))
    return one


def _labelled(one: Node, name: str, value: Node, *, everywhere: bool) -> Node:
    kind = one["kind"].text
    if not everywhere:
        return one
    if TEMPLATES.get(kind):
        one = _set(one, (*TEMPLATES[kind], "metadata", "labels", name), value)
    if kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        return _set(one, ("spec", "selector", "matchLabels", name), value)
    if kind == "PodDisruptionBudget":
        return _set(one, ("spec", "selector", "matchLabels", name), value)
    if kind == "Service" and one.find("spec", "selector").there:
        return _set(one, ("spec", "selector", name), value)
    return one


def _set(node: Node, keys: tuple[str, ...], value: Node) -> Node:
    if not keys:
        return value
    inner = node[keys[0]]
    return replace(node, value={**node.table, keys[0]: _set(inner, keys[1:], value)})
