"""The files as they are applied in a trial's namespace, and what that changes, said."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imgopt.deploy.prove.objects import Object, containers_of, is_cluster_wide, placed
from imgopt.deploy.prove.target import wanted_names

_FIRST = (
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "PersistentVolumeClaim",
    "Role",
    "RoleBinding",
    "Service",
)
"""What others need is there before them."""
STANDS_IN = "imgopt-trial"
"""Value of every key of a Secret or ConfigMap that the files ask for and do not make."""


@dataclass(frozen=True)
class Prepared:
    objects: tuple[Mapping[str, Any], ...]
    said: tuple[str, ...] = ()
    left_out: tuple[Object, ...] = field(default=())


def prepared(
    objects: Sequence[Object], namespace: str, *, local: bool, known_kinds: frozenset[str]
) -> Prepared:
    """`known_kinds`: what the API server knows, as "group/version/Kind"; `local`: images are in
    the nodes already, and are pulled from nowhere."""
    left_out = [one for one in objects if is_cluster_wide(one)]
    unknown = [
        one
        for one in objects
        if one not in left_out and f"{one.version}/{one.kind}" not in known_kinds
    ]
    kept = [one for one in objects if one not in left_out and one not in unknown]
    made = [placed(one, namespace).value for one in kept]
    said = [f"{one.label}: in no namespace, not made" for one in left_out]
    said += [f"{one.label}: the cluster knows no such kind" for one in unknown]
    if local and sum(_pull_never(each) for each in made):
        said.append("images come from the engine of this machine, not from a registry")
    stand_ins = missing(kept)
    said += [
        f"{one['kind']}/{one['metadata']['name']}: not in the files, made up" for one in stand_ins
    ]
    made += [placed(Object(one), namespace).value for one in stand_ins]
    return Prepared(tuple(sorted(made, key=_rank)), tuple(said), (*left_out, *unknown))


def _rank(value: Mapping[str, Any]) -> int:
    kind = value.get("kind")
    return _FIRST.index(kind) if kind in _FIRST else len(_FIRST)


def _pull_never(value: Mapping[str, Any]) -> bool:
    changed = False
    for container in containers_of(Object(value)):
        if container.get("imagePullPolicy") != "IfNotPresent" and isinstance(container, dict):
            container["imagePullPolicy"] = "IfNotPresent"
            changed = True
    return changed


def missing(objects: Sequence[Object]) -> list[dict[str, Any]]:
    """A ConfigMap or Secret for each that is asked for and not made by the files."""
    there = {(one.kind, one.name) for one in objects}
    keys: dict[tuple[str, str], set[str]] = {}
    for one in objects:
        for kind, name, key in wanted_names(one):
            if (kind, name) not in there:
                keys.setdefault((kind, name), set()).update({key} - {""})
    return [_stand_in(kind, name, found) for (kind, name), found in sorted(keys.items())]


def _stand_in(kind: str, name: str, keys: set[str]) -> dict[str, Any]:
    data = dict.fromkeys(sorted(keys), STANDS_IN)
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name},
        ("stringData" if kind == "Secret" else "data"): data,
    }


def as_list(objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [copy.deepcopy(dict(one)) for one in objects],
    }
