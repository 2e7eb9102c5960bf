"""Kubernetes objects as files say them, each value with its line."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imgopt.errors import InputError, Location

Keys = tuple[str | int, ...]
_ENDINGS = (".yaml", ".yml", ".json")
CUSTOMIZED = ("kustomization.yaml", "kustomization.yml", "Kustomization")
CLUSTER_WIDE = frozenset(
    (
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "GatewayClass",
        "IngressClass",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    )
)
"""Kinds that are in no namespace: a trial in one of its own never makes them."""


@dataclass(frozen=True)
class Object:
    value: Mapping[str, Any]
    file: str = ""
    lines: Mapping[Keys, int] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return str(self.value.get("kind") or "")

    @property
    def version(self) -> str:
        return str(self.value.get("apiVersion") or "")

    @property
    def name(self) -> str:
        metadata = self.value.get("metadata")
        return str(metadata.get("name") or "") if isinstance(metadata, Mapping) else ""

    @property
    def label(self) -> str:
        return f"{self.kind}/{self.name}"

    def line(self, *keys: str | int) -> int | None:
        """Of a key, or of the nearest one around it."""
        for end in range(len(keys), -1, -1):
            if keys[:end] in self.lines:
                return self.lines[keys[:end]]
        return None

    def at(self, *keys: str | int) -> Any:
        """What stands there; None where nothing does."""
        value: Any = self.value
        for key in keys:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def files_of(given: Sequence[Path]) -> list[Path]:
    """The files themselves, and those of folders. Raises InputError for what is not there."""
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(
                one
                for one in path.rglob("*")
                if one.suffix in _ENDINGS and one.name not in CUSTOMIZED
            )
            if not inside:
                raise InputError("no YAML file in this folder", location=Location(str(path)))
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise InputError("no such file or folder", location=Location(str(path)))
    return list(dict.fromkeys(found))


def read_objects(paths: Sequence[Path]) -> list[Object]:
    """All documents of all files, lists taken apart."""
    found: list[Object] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise InputError(f"cannot be read: {reason}", location=Location(str(path))) from None
        found += objects_in(text, str(path))
    return found


def objects_in(text: str, file: str = "") -> list[Object]:
    """Raises InputError with file and line for what is no YAML, or no object of Kubernetes."""
    _refuse_templates(text, file)
    found: list[Object] = []
    for value, lines in _documents(text, file):
        if value is None:
            continue
        if not (isinstance(value, dict) and value.get("kind") and value.get("apiVersion")):
            raise InputError(
                "no object of Kubernetes: it has no apiVersion and kind",
                location=Location(file, lines.get((), 1)),
                hint="give files that `kubectl apply` takes",
            )
        whole = Object(value, file, lines)
        found += _items(whole) if whole.kind == "List" else [whole]
    return found


def _items(whole: Object) -> Iterator[Object]:
    for number, item in enumerate(whole.value.get("items") or ()):
        head: Keys = ("items", number)
        lines = {key[2:]: line for key, line in whole.lines.items() if key[:2] == head}
        yield Object(item, whole.file, lines)


def _refuse_templates(text: str, file: str) -> None:
    for number, line in enumerate(text.splitlines(), 1):
        if "{{" in line.partition(" #")[0] and not line.lstrip().startswith("#"):
            raise InputError(
                "a template, whose values nobody has filled in",
                location=Location(file, number),
                hint="render it first: helm template CHART > rendered.yaml",
            )


def _documents(text: str, file: str) -> Iterator[tuple[Any, dict[Keys, int]]]:
    import yaml

    loader = yaml.SafeLoader(text)
    try:
        while loader.check_node():
            lines: dict[Keys, int] = {}
            yield _plain(loader, loader.get_node(), (), lines, set()), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        place = Location(file, mark.line + 1 if mark is not None else None)
        raise InputError(f"not valid YAML: {said}", location=place) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"not valid YAML: {error}", location=Location(file)) from None
    finally:
        loader.dispose()


def _plain(loader: Any, node: Any, keys: Keys, lines: dict[Keys, int], around: set[int]) -> Any:
    import yaml

    lines.setdefault(keys, node.start_mark.line + 1)
    if id(node) in around:
        raise ValueError("an alias that holds itself")
    around = around | {id(node)}
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        value = {}
        for key, inside in node.value:
            name = str(key.value)
            lines[(*keys, name)] = key.start_mark.line + 1
            value[name] = _plain(loader, inside, (*keys, name), lines, around)
        return value
    if isinstance(node, yaml.SequenceNode):
        items = enumerate(node.value)
        return [_plain(loader, inside, (*keys, n), lines, around) for n, inside in items]
    if node.tag == "tag:yaml.org,2002:timestamp":  # a text for Kubernetes
        return node.value
    return loader.construct_object(node)


def placed(one: Object, namespace: str) -> Object:
    """The same object in that namespace."""
    value = copy.deepcopy(dict(one.value))
    metadata = {**(value.get("metadata") or {}), "namespace": namespace}
    value["metadata"] = metadata
    for subject in value.get("subjects") or ():
        if isinstance(subject, dict) and "namespace" in subject:
            subject["namespace"] = namespace
    return Object(value, one.file, one.lines)


def is_cluster_wide(one: Object) -> bool:
    return one.kind in CLUSTER_WIDE


def pod_of(one: Object) -> tuple[Keys, Mapping[str, Any]] | None:
    """Where the object's pod stands, and what it says; None where it makes none."""
    for keys in (
        ("spec", "template", "spec"),
        ("spec", "jobTemplate", "spec", "template", "spec"),
    ):
        if isinstance(found := one.at(*keys), Mapping):
            return keys, found
    found = one.at("spec")
    return (("spec",), found) if one.kind == "Pod" and isinstance(found, Mapping) else None


def containers_of(one: Object) -> list[Mapping[str, Any]]:
    """Those that go on running and those that run before them."""
    found = pod_of(one)
    if found is None:
        return []
    lists = (found[1].get(name) or () for name in ("initContainers", "containers"))
    return [each for every in lists for each in every if isinstance(each, Mapping)]


def images_of(objects: Sequence[Object]) -> list[str]:
    named = (str(each.get("image") or "") for one in objects for each in containers_of(one))
    return list(dict.fromkeys(name for name in named if name))
