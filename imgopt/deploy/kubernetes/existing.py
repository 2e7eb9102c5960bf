"""Objects that lie in the folder already: where each is, and what of a new tree may go into it.

Two handlers in one probe, a rolling update beside `Recreate`, a request above an author's limit: a
merge of two right files can be a wrong one. What would clash is left to the author, and said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgopt.deploy.in_place import child, nodes_of, text_of
from imgopt.deploy.model import Plan
from imgopt.deploy.quantities import read_quantity
from imgopt.deploy.yaml_tree import Noted, Tree, bare, value_of
from imgopt.errors import InputError, Location

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

_HANDLERS = ("httpGet", "tcpSocket", "exec", "grpc")
WORKLOADS = ("Deployment", "Job", "StatefulSet", "DaemonSet", "CronJob")
SECRETS_OF_OURS = "secretKeyRef"


@dataclass(frozen=True, slots=True)
class Object:
    """One document of a file."""

    path: str
    document: int
    kind: str
    name: str
    node: Node


def objects_of(texts: Mapping[str, str]) -> list[Object]:
    """Raises InputError with file and line for what is no YAML."""
    return [
        Object(path, number, kind, text_of(node, "metadata", "name"), node)
        for path, text in texts.items()
        for number, node in enumerate(nodes_of(text, Path(path)))
        if (kind := text_of(node, "kind"))
    ]


def workload(plan: Plan, found: list[Object], kind: str) -> Object | None:
    """The Deployment of this service: by its name, by its image, or the only one. Raises InputError
    where one cannot tell."""
    same = [one for one in found if one.kind == kind]
    named = [one for one in same if one.name == plan.name]
    image = plan.image.partition("@")[0].rpartition(":")[0] or plan.image
    runs = [one for one in same if any(text_of(c, "image").startswith(image) for c in _all(one))]
    for group in (named, runs, [] if plan.options.name else same):
        if len(group) == 1:
            return group[0]
    if same and not plan.options.name:
        places = ", ".join(f"{one.name} ({one.path})" for one in same)
        hint = f"--name says it: {places}"
        raise InputError(
            f"which {kind} is {plan.image}?", location=Location(same[0].path), hint=hint
        )
    return None


def as_there(plan: Plan, there: Object) -> Plan:
    """The plan with the names that the author gave. Raises InputError."""
    selector = child(there.node, "spec", "selector", "matchLabels")
    labels = {str(k.value): str(v.value) for k, v in selector.value} if selector is not None else {}
    return replace(
        plan, name=there.name or plan.name, selector=labels, container=_container(plan, there)
    )


def _container(plan: Plan, there: Object) -> str:
    containers = list(_all(there))
    image = plan.image.partition("@")[0].rpartition(":")[0] or plan.image
    for group in (
        [one for one in containers if text_of(one, "image").startswith(image)],
        [one for one in containers if text_of(one, "name") == plan.name],
        containers,
    ):
        if len(group) == 1:
            return text_of(group[0], "name")
    raise InputError(
        f"which container of {there.name} is {plan.image}?",
        location=Location(there.path),
        hint="--image as the file names it says it",
    )


def _all(there: Object) -> Iterator[Node]:
    yield from _items(child(there.node, "spec", "template", "spec", "containers"))


def _items(node: Node | None) -> list[Node]:
    return list(node.value) if getattr(node, "id", "") == "sequence" and node is not None else []


def pruned(tree: dict[str, Tree], there: Object, *, ours: bool) -> tuple[Tree, list[str]]:
    """A workload's tree without what would clash; what was left out, with the reason."""
    left: list[str] = []
    tree = _copied(tree)
    spec = tree["spec"]
    kind = text_of(there.node, "spec", "strategy", "type")
    if kind not in ("", "RollingUpdate"):
        spec.pop("strategy", None)
        left.append(f"strategy: it is {kind}")
    if not ours:
        tree["metadata"].pop("labels", None)
        spec.pop("revisionHistoryLimit", None)
    pod = spec["template"]["spec"]
    own_pod = child(there.node, "spec", "template", "spec")
    if not ours:
        pod.pop("serviceAccountName", None)
    container = pod["containers"][0]
    own = next((one for one in _all(there) if text_of(one, "name") == container["name"]), own_pod)
    assert own is not None and own_pod is not None
    left += _probes(container, own)
    left += _limits(container, own)
    left += _folders(pod, container, own_pod, own)
    if not ours:
        _environment(container)
        container.pop("image")
    return tree, left


def _copied(tree: Tree) -> Any:
    """Mappings and lists of its own, with the comments."""
    if isinstance(tree, Noted):
        return replace(tree, value=_copied(tree.value))
    if isinstance(tree, Mapping):
        return {key: _copied(one) for key, one in tree.items()}
    return [_copied(one) for one in tree] if isinstance(tree, (list, tuple)) else tree


def _probes(container: dict[str, Tree], own: Node) -> Iterator[str]:
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        theirs = child(own, name)
        if theirs is None or name not in container:
            continue
        handler = next((one for one in _HANDLERS if child(theirs, one) is not None), "")
        if handler not in value_of(container[name]):
            del container[name]
            yield f"{name}: the file asks in another way ({handler or 'none'})"
    lifecycle = child(own, "lifecycle", "preStop")
    if lifecycle is not None and child(lifecycle, "sleep") is None and "lifecycle" in container:
        del container["lifecycle"]
        yield "lifecycle.preStop: the file has one of its own"


def _limits(container: dict[str, Tree], own: Node) -> Iterator[str]:
    requests = container["resources"]["requests"]
    for name in list(requests):
        theirs = text_of(own, "resources", "limits", name)
        ours, limit = read_quantity(str(bare(requests[name]))), read_quantity(str(theirs))
        if theirs and ours is not None and limit is not None and ours > limit:
            if name == "memory":
                continue  # its limit is below what was measured, and is raised
            del requests[name]
            yield f"resources.requests.{name}: above the file's own limit {theirs}"


def _folders(
    pod: dict[str, Tree], container: dict[str, Tree], own_pod: Node, own: Node
) -> Iterator[str]:
    """A folder that the author mounts already stays the author's."""
    mounted = {text_of(one, "mountPath"): text_of(one, "name") for one in _mounts(own)}
    names = {text_of(one, "name") for one in _items(child(own_pod, "volumes"))}
    clash = set()
    for mount in container.get("volumeMounts", ()):
        there = mounted.get(mount["mountPath"])
        if (there is not None and there != mount["name"]) or (
            there is None and mount["name"] in names
        ):
            clash.add(mount["name"])
            yield f"volumeMounts.{mount['mountPath']}: the file has a volume of its own"
    if clash:
        kept = [one for one in container["volumeMounts"] if one["name"] not in clash]
        volumes = [one for one in pod["volumes"] if value_of(one)["name"] not in clash]
        container["volumeMounts"], pod["volumes"] = kept, volumes
        if not kept:
            del container["volumeMounts"], pod["volumes"]


def _mounts(own: Node) -> list[Node]:
    return _items(child(own, "volumeMounts"))


def _environment(container: dict[str, Tree]) -> None:
    """What the run was given the author gives in a way of his own."""
    container.pop("envFrom", None)
    settings = [one for one in container.pop("env", ()) if "value" in value_of(one)]
    if settings:
        container["env"] = settings
