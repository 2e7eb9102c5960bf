"""Kubernetes objects that stand around pods: services, routes, autoscalers, budgets; and which
kinds are known at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from imgopt.deploy.check.names import names
from imgopt.deploy.check.nodes import Node
from imgopt.deploy.check.pods import GROUPS, workload
from imgopt.deploy.check.workload import NOTHING, Workload


@dataclass(frozen=True, slots=True)
class Ported:
    """A port of a Service, and where it leads to: a number, or the name of a container's port."""

    node: Node
    target: Node
    transport: str = "tcp"

    @property
    def measures(self) -> bool:
        """Whether only a collector of figures asks it."""
        return "metrics" in self.node["name"].text or "metrics" in self.target.text


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    namespace: str
    node: Node
    selector: Mapping[str, str] = field(default_factory=dict)
    selector_node: Node = NOTHING
    ports: tuple[Ported, ...] = ()
    affinity: Node = NOTHING
    early: bool = False
    """It leads to pods that are not ready, too."""


@dataclass(frozen=True, slots=True)
class Scaler:
    """Something that sets the replicas of another object."""

    kind: str
    name: str
    namespace: str
    node: Node
    target_kind: str
    target: str
    target_node: Node
    least: Node = NOTHING
    most: Node = NOTHING


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget."""

    name: str
    namespace: str
    node: Node
    selector: Mapping[str, str]
    least: Node = NOTHING
    unavailable: Node = NOTHING


@dataclass
class Objects:
    """What some documents say."""

    workloads: list[Workload] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    scalers: list[Scaler] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)
    routes: list[Node] = field(default_factory=list)
    """Ingresses and HTTPRoutes, as they are."""
    configs: list[Node] = field(default_factory=list)
    all: list[Node] = field(default_factory=list)
    strange: list[Node] = field(default_factory=list)
    """Of kinds that are not known here."""
    generated: set[str] = field(default_factory=set)
    """Names of config maps and secrets that carry a hash of what they hold."""
    annotations: dict[int, Mapping[str, str]] = field(default_factory=dict)


def read_objects(documents: list[Node]) -> Objects:
    """Every object, those inside of lists included."""
    objects = Objects()
    queue = list(reversed(documents))
    while queue:
        node = queue.pop()
        if node["kind"].text.endswith("List") and node["items"].items:
            queue += list(reversed(node["items"].items))
        else:
            _take(objects, node)
    return objects


def group_of(node: Node) -> str:
    """ "apps" of `apps/v1`, "" of `v1`."""
    return node["apiVersion"].text.rpartition("/")[0]


def is_object(node: Node) -> bool:
    return bool(node["kind"].text and node["apiVersion"].text)


def _take(objects: Objects, node: Node) -> None:
    kind, group = node["kind"].text, group_of(node)
    objects.all.append(node)
    if kind in GROUPS and group in GROUPS[kind]:
        objects.workloads.append(workload(node))
    elif (kind, group) == ("Service", ""):
        objects.services.append(_service(node))
    elif kind == "HorizontalPodAutoscaler" or (kind, group) == ("ScaledObject", "keda.sh"):
        objects.scalers.append(_scaler(node))
    elif kind == "PodDisruptionBudget":
        objects.budgets.append(_budget(node))
    elif kind in ("Ingress", "HTTPRoute", "GRPCRoute"):
        objects.routes.append(node)
    elif (kind, group) in (("ConfigMap", ""), ("Secret", "")):
        objects.configs.append(node)
    elif kind not in names().quiet_kinds:
        objects.strange.append(node)


def _service(node: Node) -> Service:
    spec, metadata = node["spec"], node["metadata"]
    ports = []
    for item in spec["ports"].items:
        target = item["targetPort"] if item["targetPort"].there else item["port"]
        ports.append(Ported(item, target, (item["protocol"].text or "TCP").lower()))
    return Service(
        metadata["name"].text,
        metadata["namespace"].text,
        node["kind"],
        spec["selector"].texts(),
        spec["selector"],
        tuple(ports),
        spec["sessionAffinity"],
        bool(spec["publishNotReadyAddresses"].flag),
    )


def _scaler(node: Node) -> Scaler:
    spec, metadata = node["spec"], node["metadata"]
    target = spec["scaleTargetRef"]
    keda = node["kind"].text == "ScaledObject"
    return Scaler(
        node["kind"].text,
        metadata["name"].text,
        metadata["namespace"].text,
        node["kind"],
        target["kind"].text or ("Deployment" if keda else ""),
        target["name"].text,
        target["name"],
        spec["minReplicaCount" if keda else "minReplicas"],
        spec["maxReplicaCount" if keda else "maxReplicas"],
    )


def _budget(node: Node) -> Budget:
    spec, metadata = node["spec"], node["metadata"]
    return Budget(
        metadata["name"].text,
        metadata["namespace"].text,
        node["kind"],
        spec.find("selector", "matchLabels").texts(),
        spec["minAvailable"],
        spec["maxUnavailable"],
    )
