"""What a trial is about: the Deployment behind a Service, and what the files say around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imgopt.deploy.prove.objects import Object, containers_of, pod_of
from imgopt.deploy.quantities import quantity_bytes


@dataclass(frozen=True)
class Target:
    deployment: Object
    service: Object
    port: int
    """Of the Service."""
    budget: Object | None = None
    scaler: Object | None = None

    @property
    def name(self) -> str:
        return self.deployment.name

    @property
    def replicas(self) -> int:
        """As written; an autoscaler begins with its least."""
        if self.scaler is not None and self.deployment.at("spec", "replicas") is None:
            least = self.scaler.at("spec", "minReplicas") or self.scaler.at(
                "spec", "minReplicaCount"
            )
            return least if isinstance(least, int) else 1
        found = self.deployment.at("spec", "replicas")
        return found if isinstance(found, int) else 1

    @property
    def selector(self) -> str:
        return ",".join(f"{key}={value}" for key, value in sorted(self.labels.items()))

    @property
    def labels(self) -> Mapping[str, str]:
        found = self.deployment.at("spec", "selector", "matchLabels")
        return found if isinstance(found, Mapping) else {}

    @property
    def container(self) -> Mapping[str, Any]:
        """The one that a user means: the first of those that go on running."""
        found = pod_of(self.deployment)
        containers = found[1].get("containers") if found else None
        return containers[0] if isinstance(containers, list) and containers else {}

    @property
    def path(self) -> str | None:
        """Where its own readiness (else start, else liveness) is asked; None where by no HTTP."""
        for probe in ("readinessProbe", "startupProbe", "livenessProbe"):
            asked = (self.container.get(probe) or {}).get("httpGet")
            if isinstance(asked, Mapping):
                return str(asked.get("path") or "/")
        return None

    @property
    def memory_limit(self) -> int | None:
        limits = (self.container.get("resources") or {}).get("limits") or {}
        return quantity_bytes(limits.get("memory"))


def targets(objects: Sequence[Object]) -> list[Target]:
    """Every Deployment that a Service with a port selects."""
    services = [one for one in objects if one.kind == "Service" and one.at("spec", "selector")]
    found = []
    for one in objects:
        if one.kind != "Deployment":
            continue
        service = next((each for each in services if _selects(each, one)), None)
        port = service.at("spec", "ports", 0, "port") if service else None
        if service is not None and isinstance(port, int):
            found.append(Target(one, service, port, _budget(objects, one), _scaler(objects, one)))
    return found


def _pod_labels(one: Object) -> Mapping[str, Any]:
    found = one.at("spec", "template", "metadata", "labels")
    return found if isinstance(found, Mapping) else {}


def _selects(service: Object, one: Object) -> bool:
    selector = service.at("spec", "selector")
    return isinstance(selector, Mapping) and selector.items() <= _pod_labels(one).items()


def _budget(objects: Iterable[Object], one: Object) -> Object | None:
    for each in objects:
        if each.kind == "PodDisruptionBudget":
            wanted = each.at("spec", "selector", "matchLabels")
            if isinstance(wanted, Mapping) and wanted.items() <= _pod_labels(one).items():
                return each
    return None


def _scaler(objects: Iterable[Object], one: Object) -> Object | None:
    for each in objects:
        if each.kind in ("HorizontalPodAutoscaler", "ScaledObject"):
            aimed = each.at("spec", "scaleTargetRef") or {}
            if (aimed.get("kind", "Deployment"), aimed.get("name")) == (one.kind, one.name):
                return each
    return None


def wanted_names(one: Object) -> set[tuple[str, str, str]]:
    """(kind, name, key) of each ConfigMap and Secret without which its pod does not start; the key
    is "" where the whole is wanted."""
    found: set[tuple[str, str, str]] = set()
    kinds = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
    whole = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
    for container in containers_of(one):
        for variable in container.get("env") or ():
            for ref, kind in kinds.items():
                asked = (variable.get("valueFrom") or {}).get(ref)
                if asked and not asked.get("optional"):
                    found.add((kind, str(asked.get("name")), str(asked.get("key"))))
        for source in container.get("envFrom") or ():
            for ref, kind in whole.items():
                asked = source.get(ref)
                if asked and not asked.get("optional"):
                    found.add((kind, str(asked.get("name")), ""))
    pod = pod_of(one)
    for volume in (pod[1].get("volumes") or ()) if pod else ():
        found |= _of_volume(volume)
    return found


def _of_volume(volume: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
    found = set()
    for source in sources:
        for key, kind, name in (
            ("configMap", "ConfigMap", "name"),
            ("secret", "Secret", "secretName"),
        ):
            asked = source.get(key)
            if asked and not asked.get("optional"):
                called = str(asked.get(name) or asked.get("name"))
                keys = [str(item.get("key")) for item in asked.get("items") or ()]
                found |= {(kind, called, each) for each in keys or [""]}
    return found
