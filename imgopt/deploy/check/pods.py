"""Pods of Kubernetes as workloads: Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob,
Pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from imgopt.deploy.check.nodes import Node
from imgopt.deploy.check.quantities import in_bytes, quantity
from imgopt.deploy.check.workload import (
    NOTHING,
    Amounts,
    Container,
    Hook,
    Mount,
    Port,
    Probe,
    Rights,
    Rollout,
    Variable,
    Workload,
)

TEMPLATES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"),
        ("spec", "template"),
    ),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
"""Where each kind has its pod."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("Deployment", "DaemonSet", "ReplicaSet"), ("apps", "extensions")),
    "StatefulSet": ("apps",),
    "ReplicationController": ("",),
    "Pod": ("",),
    "Job": ("batch",),
    "CronJob": ("batch",),
}
_VOLUMES = {
    "emptyDir": "emptyDir",
    "persistentVolumeClaim": "claim",
    "ephemeral": "claim",
    "hostPath": "hostPath",
    "configMap": "configMap",
    "secret": "secret",
    "projected": "secret",
    "downwardAPI": "secret",
}


@dataclass(frozen=True, slots=True)
class _Volume:
    kind: str
    source: str
    most: int | None = None


def workload(node: Node) -> Workload:
    """An object of one of these kinds."""
    kind, metadata, spec = node["kind"].text, node["metadata"], node["spec"]
    template = node.find(*TEMPLATES[kind])
    pod = template["spec"]
    made = Workload(
        kind,
        metadata["name"].text or metadata["generateName"].text,
        node["kind"],
        namespace=metadata["namespace"].text,
        labels=template.find("metadata", "labels").texts(),
        annotations=template.find("metadata", "annotations").texts(),
        selector=spec["selector"],
        replicas=spec["replicas"],
        rollout=_rollout(spec),
        grace=_or(pod["terminationGracePeriodSeconds"], 30.0),
        grace_node=pod["terminationGracePeriodSeconds"],
        spread=_spread(pod),
        host=tuple(pod[key] for key in ("hostNetwork", "hostPID", "hostIPC") if pod[key].flag),
        token=pod["automountServiceAccountToken"].flag,
        pod=pod,
    )
    asked, node_of = _architectures(pod)
    containers = tuple(_containers(pod, dict(_volumes(pod, spec))))
    return replace(made, containers=containers, architectures=asked, architecture_node=node_of)


def _or(node: Node, otherwise: float) -> float:
    found = node.number
    return otherwise if found is None else found


def _rollout(spec: Node) -> Rollout:
    node = spec["strategy"] if spec["strategy"].there else spec["updateStrategy"]
    rolling = node["rollingUpdate"]
    kind = node["type"].text or "RollingUpdate"
    return Rollout(kind, rolling["maxUnavailable"], rolling["maxSurge"], node)


def _spread(pod: Node) -> bool:
    affinity = pod.find("affinity", "podAntiAffinity")
    return affinity.there or bool(pod["topologySpreadConstraints"].items)


def _architectures(pod: Node) -> tuple[tuple[str, ...], Node]:
    chosen = pod["nodeSelector"]
    for label in ("kubernetes.io/arch", "beta.kubernetes.io/arch"):
        if chosen[label].text:
            return (chosen[label].text,), chosen[label]
    required = pod.find(
        "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"
    )
    terms = required["nodeSelectorTerms"].items
    for match in terms[0]["matchExpressions"].items if len(terms) == 1 else ():
        if match["key"].text == "kubernetes.io/arch" and match["operator"].text == "In":
            return match["values"].words or (), match["values"]
    return (), NOTHING


def _volumes(pod: Node, spec: Node) -> Iterator[tuple[str, _Volume]]:
    for claim in spec["volumeClaimTemplates"].items:
        yield claim.find("metadata", "name").text, _Volume("claim", "")
    for item in pod["volumes"].items:
        key = next((key for key in _VOLUMES if item[key].there or key in item.table), "")
        of = item[key] if key else NOTHING
        named = next(
            (of[k].text for k in ("path", "claimName", "secretName", "name") if of[k].text), ""
        )
        kind = _VOLUMES.get(key, "other")
        yield item["name"].text, _Volume(kind, named, in_bytes(of["sizeLimit"]))


def _containers(pod: Node, volumes: Mapping[str, _Volume]) -> Iterator[Container]:
    for item in pod["initContainers"].items:
        goes_on = item["restartPolicy"].text == "Always"
        yield replace(_container(item, pod, volumes), kind="sidecar" if goes_on else "init")
    for item in pod["containers"].items:
        yield _container(item, pod, volumes)


def _container(node: Node, pod: Node, volumes: Mapping[str, _Volume]) -> Container:
    life = node["lifecycle"]
    return Container(
        node["name"].text,
        node["name"] if node["name"].there else node,
        image=node["image"].text,
        image_node=node["image"],
        command=node["command"].words or None,
        command_node=node["command"],
        arguments=node["args"].words or None,
        arguments_node=node["args"],
        working_dir=node["workingDir"].text,
        ports=tuple(_port(item) for item in node["ports"].items),
        environment=dict(_variables(node)),
        whole_sources=tuple(_whole_sources(node)),
        probes=dict(_probes(node)),
        pre_stop=_hook(life["preStop"]),
        post_start=_hook(life["postStart"]),
        requests=_amounts(node.find("resources", "requests")),
        limits=_amounts(node.find("resources", "limits")),
        gpus=_gpus(node["resources"]),
        rights=_rights(node["securityContext"], pod["securityContext"]),
        mounts=tuple(_mounts(node, volumes)),
        pull_policy=node["imagePullPolicy"].text,
        pull_node=node["imagePullPolicy"],
        stop_signal=life["stopSignal"].text,
    )


def _port(item: Node) -> Port:
    transport = (item["protocol"].text or "TCP").lower()
    return Port(item["containerPort"].whole, item["name"].text, item["containerPort"], transport)


def _variables(node: Node) -> Iterator[tuple[str, Variable]]:
    for item in node["env"].items:
        name, source = item["name"].text, item["valueFrom"]
        secret, config = source["secretKeyRef"], source["configMapKeyRef"]
        if secret.there:
            made = Variable(name, item["name"], "secret", secret["name"].text)
        elif config.there:
            made = Variable(name, item["name"], "config", config["name"].text)
        elif source.there:
            made = Variable(name, item["name"], "field")
        else:
            made = Variable(name, item["value"], "value" if item["value"].there else "")
        yield name, made


def _whole_sources(node: Node) -> Iterator[Variable]:
    for item in node["envFrom"].items:
        for key, origin in (("configMapRef", "config"), ("secretRef", "secret")):
            if item[key].there:
                yield Variable(item["prefix"].text, item[key], origin, item[key]["name"].text)


def _probes(node: Node) -> Iterator[tuple[str, Probe]]:
    for kind in ("startup", "readiness", "liveness"):
        item = node[f"{kind}Probe"]
        if item.table:
            yield kind, _probe(kind, item)


def _probe(kind: str, node: Node) -> Probe:
    made = Probe(
        kind,
        node,
        delay=_or(node["initialDelaySeconds"], 0.0),
        period=_or(node["periodSeconds"], 10.0) or 10.0,
        timeout=_or(node["timeoutSeconds"], 1.0) or 1.0,
        failures=node["failureThreshold"].whole or 3,
    )
    http, words = node["httpGet"], node.find("exec", "command").words
    if http.there:
        path, host = http["path"].text, http["host"].text
        return replace(made, handler="http", path=path, host=host, port=http["port"])
    if words is not None:
        return replace(made, handler="exec", words=words)
    for key, handler in (("tcpSocket", "tcp"), ("grpc", "grpc")):
        if node[key].there:
            named = node[key]["service"].text
            return replace(made, handler=handler, port=node[key]["port"], path=named)
    return made


def _hook(node: Node) -> Hook | None:
    if not node.table:
        return None
    words = node.find("exec", "command").words or ()
    sleep = node.find("sleep", "seconds").number
    return Hook(node, words, sleep if sleep is not None else slept(words))


def slept(words: tuple[str, ...]) -> float | None:
    """Seconds of `sleep 5`, `sh -c "sleep 5"`; None for anything else."""
    plain = words[2] if len(words) == 3 and words[1] == "-c" else " ".join(words)
    parts = plain.replace(";", " ").split()
    if len(parts) != 2 or parts[0].rpartition("/")[2] != "sleep":
        return None
    try:
        return float(parts[1].removesuffix("s"))
    except ValueError:
        return None


def _amounts(node: Node) -> Amounts:
    named = [node[key] for key in ("memory", "cpu", "ephemeral-storage")]
    memory, processors, storage = (quantity(one) for one in named)
    return Amounts(
        int(memory) if memory is not None else None,
        processors,
        int(storage) if storage is not None else None,
        node["memory"] if node["memory"].there else node,
        any(one.varies for one in (node, *named)),
        named[2],
    )


def _gpus(resources: Node) -> Node:
    for part in (resources["limits"], resources["requests"]):
        for key, value in part.table.items():
            if key.startswith(("nvidia.com/", "amd.com/", "gpu.intel.com/")):
                return value
    return NOTHING


def _rights(own: Node, pod: Node) -> Rights:
    def of(key: str) -> Node:
        return own[key] if own[key].there else pod[key]

    user, non_root, added = of("runAsUser"), of("runAsNonRoot"), own["capabilities"]
    return Rights(
        user=user.whole,
        group=of("runAsGroup").whole,
        user_text=user.text,
        user_node=user,
        non_root=non_root.flag,
        non_root_node=non_root,
        read_only=bool(own["readOnlyRootFilesystem"].flag),
        read_only_node=own["readOnlyRootFilesystem"],
        privileged=bool(own["privileged"].flag),
        escalation=own["allowPrivilegeEscalation"].flag,
        dropped=added["drop"].words or (),
        added=added["add"].words or (),
        seccomp=of("seccompProfile")["type"].text,
        node=own["privileged"] if own["privileged"].there else own,
    )


def _mounts(node: Node, volumes: Mapping[str, _Volume]) -> Iterator[Mount]:
    for item in node["volumeMounts"].items:
        name = item["name"].text
        volume = volumes.get(name, _Volume("other", ""))
        part = bool(item["subPath"].text or item["subPathExpr"].text)
        yield Mount(
            item["mountPath"].text,
            volume.kind,
            item["mountPath"],
            volume.source,
            bool(item["readOnly"].flag) or volume.kind in ("configMap", "secret"),
            part,
            volume.most,
            name,
        )
