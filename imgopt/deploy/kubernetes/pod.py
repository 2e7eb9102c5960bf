"""The pod: one container as the run showed that it can be run."""

from __future__ import annotations

import hashlib
import re
from math import ceil
from typing import Any

from imgopt.deploy import figures
from imgopt.deploy.kubernetes.values import Values, rule
from imgopt.deploy.model import MIB, Asked, Plan, Writable
from imgopt.deploy.quantities import read_quantity
from imgopt.deploy.yaml_tree import Noted, Tree


def labels(plan: Plan, values: Values) -> dict[str, Tree]:
    """What selects the pods; never changes."""
    return dict(plan.selector) or {"app.kubernetes.io/name": values.named(plan.name)}


def template(plan: Plan, values: Values) -> dict[str, Tree]:
    """metadata and spec of a pod, for a Deployment or a Job."""
    metadata: dict[str, Tree] = {"labels": labels(plan, values)}
    annotations = _annotations(plan, values)
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": _spec(plan, values)}


def _annotations(plan: Plan, values: Values) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    if values.is_chart:
        # In quotes: one of only digits would be a number, and no annotation.
        config = '{{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum | quote }}'
        found["checksum/config"] = values.raw(config)
    if plan.facts.metrics_path and plan.port is not None:
        found["prometheus.io/scrape"] = Noted("true", f"measured: {_metrics(plan)} answered")
        found["prometheus.io/path"] = plan.facts.metrics_path
        found["prometheus.io/port"] = str(plan.port)
    return found


def _metrics(plan: Plan) -> str:
    return f"{plan.facts.metrics_path} in Prometheus's text format"


def _spec(plan: Plan, values: Values) -> dict[str, Tree]:
    spec: dict[str, Tree] = {
        "serviceAccountName": values.named(plan.name),
        "automountServiceAccountToken": rule(False, "it asks no API server"),
        "terminationGracePeriodSeconds": values.put(
            "terminationGracePeriodSeconds", plan.grace.noted(holds=_at_least(plan.grace.value))
        ),
        "securityContext": _pod_security(plan, values),
    }
    if plan.ends:
        spec["restartPolicy"] = rule("Never", "a run that failed is kept to be read")
    else:
        spec["topologySpreadConstraints"] = _spread(plan, values)
    spec["containers"] = [_container(plan, values)]
    if plan.writable:
        spec["volumes"] = [_volume(one) for one in plan.writable]
    return spec


def _pod_security(plan: Plan, values: Values) -> dict[str, Tree]:
    found: dict[str, Tree] = {"runAsNonRoot": rule(True, "Pod Security restricted")}
    if plan.user is not None:
        uid, gid = plan.user.value
        found["runAsUser"] = values.put("runAsUser", plan.user.noted(uid))
        found["runAsGroup"] = values.put("runAsGroup", gid)
        if plan.writable:
            found["fsGroup"] = rule(gid, "owns the volumes below")
    if plan.port is not None and plan.port < 1024:
        found["sysctls"] = Noted(
            [{"name": "net.ipv4.ip_unprivileged_port_start", "value": str(plan.port)}],
            f"measured: it listens on {plan.port}, and its user is not root",
        )
    found["seccompProfile"] = {"type": "RuntimeDefault"}
    return found


def _spread(plan: Plan, values: Values) -> Noted:
    topologies = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    found = [
        {
            "maxSkew": 1,
            "topologyKey": topology,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": labels(plan, values)},
            "matchLabelKeys": ["pod-template-hash"],
        }
        for topology in topologies
    ]
    return rule(found, "one node or one zone that is lost takes as few pods as it can")


def _container(plan: Plan, values: Values) -> dict[str, Tree]:
    found: dict[str, Tree] = {
        "name": plan.container or plan.name,
        "image": _image(plan, values),
    }
    if plan.port is not None:
        found["ports"] = [{"name": port_name(plan), "containerPort": plan.port}]
    environment = _environment(plan)
    if environment:
        found["env"] = values.put("env", environment, 12)
    if values.is_chart or any(one.kind in ("plain", "unknown") for one in plan.variables):
        reference = {"name": values.named(plan.name, "-config")}
        found["envFrom"] = [{"configMapRef": reference}]
    found["resources"] = _resources(plan, values)
    for kind, asked in plan.probes.items():
        found[f"{kind}Probe"] = Noted(probe(asked), asked.note)
    if plan.port is not None:
        sleep = plan.drain.noted(holds=_at_least(1))
        found["lifecycle"] = {"preStop": {"sleep": {"seconds": values.put("drainSeconds", sleep)}}}
    found["securityContext"] = _security(plan)
    if plan.writable:
        found["volumeMounts"] = [
            {"name": volume_name(one), "mountPath": one.path} for one in plan.writable
        ]
    return found


def _image(plan: Plan, values: Values) -> Tree:
    if not values.is_chart:
        return plan.image
    return values.put("image", plan.image)


def port_name(plan: Plan) -> str:
    return plan.speaks if plan.speaks in ("http", "grpc") else "main"


def _environment(plan: Plan) -> list[Tree]:
    found: list[Tree] = [
        Noted(
            {"name": one.name, "value": one.value.replace("$(", "$$(")}, f"measured: {one.origin}"
        )
        for one in plan.variables
        if one.kind == "setting"
    ]
    for one in plan.secrets:
        key = {"name": f"{plan.name}-secrets", "key": one.name}
        found.append({"name": one.name, "valueFrom": {"secretKeyRef": key}})
    return found


def _resources(plan: Plan, values: Values) -> dict[str, Tree]:
    requests: dict[str, Tree] = {
        "cpu": values.put("resources.requests.cpu", plan.cpu_request.noted(cores(plan))),
        "memory": values.put(
            "resources.requests.memory", plan.memory_request.noted(size(plan.memory_request.value))
        ),
        "ephemeral-storage": size(plan.storage.value),
    }
    limits: dict[str, Tree] = {}
    if plan.cpu_limit is not None:
        cpu = plan.cpu_limit.noted(millis(plan.cpu_limit.value))
        limits["cpu"] = values.put("resources.limits.cpu", cpu)
    limits["memory"] = values.put(
        "resources.limits.memory",
        plan.memory_limit.noted(
            size(plan.memory_limit.value), _at_least(figures.least_memory(plan.facts))
        ),
    )
    limits["ephemeral-storage"] = plan.storage.noted(size(plan.storage.value))
    if plan.gpu is not None:
        limits["nvidia.com/gpu"] = plan.gpu.noted()
    return {"requests": requests, "limits": limits}


def _security(plan: Plan) -> dict[str, Tree]:
    dropped: dict[str, Tree] = {"drop": ["ALL"]}
    if plan.capabilities.value:
        dropped["add"] = list(plan.capabilities.value)
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": plan.read_only.noted(),
        "capabilities": Noted(dropped, plan.capabilities.note),
    }


def _volume(one: Writable) -> Noted:
    kept = "; lost with the pod: a claim keeps it" if one.kept else ""
    volume = {"name": volume_name(one), "emptyDir": {"sizeLimit": size(one.size.value)}}
    return Noted(volume, f"{one.size.note}{kept}")


def volume_name(one: Writable) -> str:
    """A label; of what has none, or a long one, its digest."""
    text = re.sub(r"[^a-z0-9]+", "-", one.path.lower()).strip("-")
    digest = hashlib.sha256(one.path.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    plain = re.fullmatch(r"/[a-z0-9]+(?:/[a-z0-9]+)*", one.path)
    return text if plain and len(text) <= 50 else f"{text[:40].strip('-')}-{digest}".strip("-")


def probe(asked: Asked) -> dict[str, Tree]:
    """A probe's own fields; what is not said is Kubernetes's default."""
    how: dict[str, dict[str, Tree]] = {
        "http": {"httpGet": {"path": asked.path, "port": asked.port}},
        "grpc": {"grpc": {"port": asked.port}},
        "tcp": {"tcpSocket": {"port": asked.port}},
        "exec": {"exec": {"command": list(asked.words)}},
    }
    return {
        **how[asked.how],
        "periodSeconds": asked.period,
        "failureThreshold": asked.failures,
        "timeoutSeconds": asked.timeout,
    }


def size(count: int) -> str:
    return f"{ceil(count / MIB)}Mi"


def cores(plan: Plan) -> str:
    return millis(plan.cpu_request.value)


def millis(value: float) -> str:
    return f"{round(value * 1000)}m"


def _at_least(least: float) -> Any:
    """Whether an author's own figure may stay; what cannot be read stays."""

    def holds(value: Any) -> bool:
        own = read_quantity(str(value))
        return own is None or own >= least

    return holds
