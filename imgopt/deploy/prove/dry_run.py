"""Tier 2: the API server itself says what it would refuse, and what Pod Security warns of."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from imgopt.deploy.prove.cluster import Answer, Cluster
from imgopt.deploy.prove.objects import Object, is_cluster_wide, placed
from imgopt.results.deploy import DeployFinding

_WARNING = re.compile(r"^Warning: (?P<said>.+)$")
_HEAD = re.compile(r"^(?:error|Error)[^:]*: |^The request is invalid: |^patch: ")
_NO_KIND = re.compile(
    r"no matches for kind|resource mapping not found|could not find the requested"
)
_SECURITY = "would violate PodSecurity"
_FIELD = re.compile(r'unknown field "(?P<path>[^"]+)"|(?P<invalid>spec[\w.\[\]]*): ')


def dry_run(cluster: Cluster, namespace: str, objects: Sequence[Object]) -> list[DeployFinding]:
    """Strict, on the server; nothing is kept."""
    found: list[DeployFinding] = []
    for one in objects:
        where = one if is_cluster_wide(one) else placed(one, namespace)
        answer = cluster.kubectl(
            *("apply", "--server-side", "--dry-run=server", "--validate=strict"),
            *("--field-manager=imgopt", "--force-conflicts", "-f", "-"),
            text=json.dumps(where.value),
        )
        found += answered(one, answer, namespace)
    return found


def answered(one: Object, answer: Answer, namespace: str) -> list[DeployFinding]:
    """What the server's words are for a user: one finding for each warning and each error."""
    lines = [line.strip().replace(namespace, "NAMESPACE") for line in answer.err.splitlines()]
    warnings = [match["said"] for line in lines if (match := _WARNING.match(line))]
    found = [_finding(one, "warning", said) for said in warnings]
    if not answer.ok:
        errors = [line for line in lines if line and not _WARNING.match(line)]
        found.append(_refused(one, " ".join(errors)))
    return found


def _refused(one: Object, said: str) -> DeployFinding:
    if _NO_KIND.search(said):
        return DeployFinding(
            id="dry-run",
            level="note",
            message=f"the server knows no {one.kind} of {one.version}",
            file=one.file,
            line=one.line("kind"),
            object=one.label,
            fix="install its definition (CRD) into the cluster that is asked",
        )
    return _finding(one, "error", _HEAD.sub("", said))


def _finding(one: Object, level: str, said: str) -> DeployFinding:
    is_security = _SECURITY in said
    match = _FIELD.search(said)
    path = (match["path"] or match["invalid"]) if match else ""
    return DeployFinding(
        id="pod-security" if is_security else "dry-run",
        level="error" if level == "error" else "warning",
        message=said,
        file=one.file,
        line=one.line(*keys_of(path)),
        object=one.label,
        evidence="the API server's strict dry run",
    )


def keys_of(path: str) -> tuple[str | int, ...]:
    """spec.containers[0].image -> ("spec", "containers", 0, "image")."""
    words = re.findall(r"[^.\[\]]+", path)
    return tuple(int(word) if word.isdigit() else word for word in words)
