"""Updates and numbers: what is there while a version comes, a node goes, or the load changes."""

from __future__ import annotations

import math
from collections.abc import Iterator

from imgopt.deploy.check.examples import SERVICE, deployment
from imgopt.deploy.check.nodes import Node
from imgopt.deploy.check.objects import Service
from imgopt.deploy.check.rule import Case, Found, Rule
from imgopt.deploy.check.situation import Situation
from imgopt.deploy.check.workload import SERVED, Workload

_MOST = 50
"""Workloads that are looked at for what a selector may have meant."""
_ROLLING = "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy"


def rollout_gap(situation: Situation) -> Iterator[Found]:
    for one in situation.workloads:
        if one.kind != "Deployment" or not situation.served(one) or one.replicas.varies:
            continue
        count = 1 if one.count is None else one.count
        rollout = one.rollout
        if rollout.kind == "Recreate" and not _keeps_data(one) and count:
            said = f"strategy Recreate ends all {count} pods before the new ones start"
            node = rollout.node["type"]
        elif _share(rollout.unavailable, count) >= count > 0:
            said = f"maxUnavailable {rollout.unavailable.text} of {count} replicas"
            node = rollout.unavailable
        else:
            continue
        yield Found(
            node,
            one.title,
            "a rolling update may leave no pod that answers",
            said,
            "maxUnavailable 0 and maxSurge 1: the old pod goes when the new one is ready",
        )


def _keeps_data(one: Workload) -> bool:
    """Whether two pods at once could meet on a volume."""
    return any(mount.kind in ("claim", "hostPath") for c in one.containers for mount in c.mounts)


def _share(node: Node, count: int) -> int:
    """Pods that may be away, as the controller rounds it (down)."""
    text = node.text
    if text.endswith("%") and text[:-1].isdigit():
        return math.floor(int(text[:-1]) * count / 100)
    return node.whole or 0


def spread(situation: Situation) -> Iterator[Found]:
    for one in situation.workloads:
        if one.kind not in ("Deployment", "StatefulSet") or one.spread or (one.count or 0) < 2:
            continue
        if situation.served(one):
            yield Found(
                one.replicas,
                one.title,
                f"all {one.count} pods may come to run on the same node",
                "neither topologySpreadConstraints nor podAntiAffinity",
                "topologySpreadConstraints over kubernetes.io/hostname and topology.kubernetes.io/"
                "zone, whenUnsatisfiable: ScheduleAnyway",
            )


def scaled_twice(situation: Situation) -> Iterator[Found]:
    for one in situation.workloads:
        scalers = situation.scalers_of(one)
        if scalers and one.replicas.there:
            yield Found(
                one.replicas,
                one.title,
                "replicas are set here and by an autoscaler",
                f"{scalers[0].kind}/{scalers[0].name} sets them; each apply of this file sets them"
                f" back to {one.replicas.text}",
                "leave replicas out",
            )


def selector(situation: Situation) -> Iterator[Found]:
    for one in situation.workloads:
        wanted = one.selector["matchLabels"].texts()
        if one.kind in SERVED and wanted and not wanted.items() <= one.labels.items():
            missing = ", ".join(f"{k}: {v}" for k, v in wanted.items() if one.labels.get(k) != v)
            yield Found(
                one.selector["matchLabels"],
                one.title,
                "the selector does not match the labels of its own pods",
                f"the template has no label {missing}: the API server refuses it",
                "the same labels in spec.template.metadata.labels",
            )


def selects_nothing(situation: Situation) -> Iterator[Found]:
    for service in situation.objects.services:
        if not service.selector or id(service) in situation.selecting:
            continue
        for one in _related(situation, service):
            same = {k for k, v in service.selector.items() if one.labels.get(k) == v}
            other = {k: v for k, v in service.selector.items() if one.labels.get(k) != v}
            of_another = set(other) & set(one.labels)
            meant = service.name == one.name or (same and not of_another)
            if meant:
                listed = ", ".join(f"{key}: {value}" for key, value in other.items())
                yield Found(
                    service.selector_node,
                    f"Service/{service.name}",
                    "the Service selects no pod",
                    f"the pods of {one.title} have no label {listed}",
                    "a selector of labels that the pods have",
                )
                break


def _related(situation: Situation, service: Service) -> Iterator[Workload]:
    """Workloads of its name, or with one of the labels that it asks for."""
    keys = (service.name, *(f"{key}={value}" for key, value in service.selector.items()))
    for key in keys:
        yield from situation.related.get((service.namespace, key), [])[:_MOST]


def budget(situation: Situation) -> Iterator[Found]:
    for one in situation.workloads:
        for found in situation.budgets_of(one):
            node = found.unavailable if found.unavailable.there else found.least
            if situation.scalers_of(one) or one.replicas.varies or not node.there or node.varies:
                continue
            count = 1 if one.count is None else one.count
            if count and not _may_go(found.least, found.unavailable, count):
                what = "maxUnavailable" if found.unavailable.there else "minAvailable"
                yield Found(
                    node,
                    f"PodDisruptionBudget/{found.name}",
                    "no pod may ever be moved from its node: emptying a node hangs",
                    f"{what} {node.text} with {count} replica{'s' if count > 1 else ''} of"
                    f" {one.title}",
                    "maxUnavailable 1, and two replicas or more",
                )


def _may_go(least: Node, unavailable: Node, count: int) -> int:
    """Pods that an eviction may take; percentages are rounded up by the controller."""
    node = unavailable if unavailable.there else least
    percent = node.text.endswith("%") and node.text[:-1].isdigit()
    amount = math.ceil(int(node.text[:-1]) * count / 100) if percent else node.whole or 0
    return amount if unavailable.there else count - amount


_STRATEGY = "replicas: {}\nstrategy:\n  rollingUpdate:\n    maxUnavailable: {}{}\n"
ROLLOUT_GAP = Rule(
    id="D22",
    name="rollout-gap",
    level="warning",
    title="A rolling update may leave no pod",
    why="The old pods go before the new ones are ready, and nothing answers in between.",
    reference=_ROLLING,
    look=rollout_gap,
    good=(
        Case("none may be away", deployment(spec=_STRATEGY.format(1, 0, ""), more=SERVICE)),
        Case(
            "a quarter of one is none",
            deployment(spec=_STRATEGY.format(1, "25%", ""), more=SERVICE),
        ),
        Case("one of three", deployment(spec=_STRATEGY.format(3, 1, ""), more=SERVICE)),
        Case(
            "two pods must not meet on a volume",
            deployment(
                "volumeMounts:\n  - name: data\n    mountPath: /data\n",
                pod="volumes:\n  - name: data\n    persistentVolumeClaim:\n      claimName: d\n",
                spec="strategy:\n  type: Recreate\n",
                more=SERVICE,
            ),
        ),
    ),
    bad=(
        Case("the only one", deployment(spec=_STRATEGY.format(1, 1, "  # <-"), more=SERVICE)),
        Case("all", deployment(spec=_STRATEGY.format(3, "100%", "  # <-"), more=SERVICE)),
        Case(
            "none before the new ones",
            deployment(spec="strategy:\n  type: Recreate  # <-\n", more=SERVICE),
        ),
    ),
)
_SPREAD = (
    "topologySpreadConstraints:\n  - maxSkew: 1\n    topologyKey: kubernetes.io/hostname\n"
    "    whenUnsatisfiable: ScheduleAnyway\n"
)
SPREAD = Rule(
    id="D23",
    name="spread",
    level="note",
    title="Nothing keeps the pods apart",
    why="Replicas are for the day on which a node fails. The scheduler spreads by itself only where"
    " it costs nothing.",
    reference="https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/",
    look=spread,
    good=(
        Case("over nodes", deployment(pod=_SPREAD, more=SERVICE)),
        Case("one pod has nobody to be apart from", deployment(spec="", more=SERVICE)),
    ),
    bad=(Case("two pods", deployment(spec="replicas: 2  # <-\n", more=SERVICE)),),
)
_SCALER = """\
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: web
spec:
  minReplicas: 2
  maxReplicas: 8
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: web
"""
_KEDA = """\
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: web
spec:
  scaleTargetRef:
    name: web
"""
SCALED_TWICE = Rule(
    id="D24",
    name="scaled-twice",
    level="warning",
    title="Replicas are set by the file and by an autoscaler",
    why="Each deployment throws away what the autoscaler found, in the middle of the load.",
    reference="https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/"
    "#migrating-deployments-and-statefulsets-to-horizontal-autoscaling",
    look=scaled_twice,
    good=(
        Case("the autoscaler alone", deployment(spec="", more=_SCALER)),
        Case(
            "of another one",
            deployment(more=_SCALER.replace("    name: web", "    name: queue")),
        ),
    ),
    bad=(
        Case("both", deployment(spec="replicas: 2  # <-\n", more=_SCALER)),
        Case("by KEDA", deployment(spec="replicas: 2  # <-\n", more=_KEDA)),
    ),
)
SELECTOR = Rule(
    id="D25",
    name="selector",
    level="error",
    title="A selector misses its own pods",
    why="The API server refuses the object.",
    reference="https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector",
    look=selector,
    good=(Case("the same labels", deployment()),),
    bad=(
        Case(
            "another label",
            deployment().replace(
                "matchLabels:\n      app: web", "matchLabels:  # <-\n      app: x"
            ),
        ),
    ),
)
SELECTS_NOTHING = Rule(
    id="D26",
    name="selects-nothing",
    level="warning",
    title="A Service selects no pod",
    why="It is accepted, and every request to it fails.",
    reference="https://kubernetes.io/docs/concepts/services-networking/service/",
    look=selects_nothing,
    good=(
        Case("it selects", deployment(more=SERVICE)),
        Case("of pods that are elsewhere", SERVICE.replace("app: web", "app: other")),
        Case(
            "of another part of the same application",
            deployment(
                more=SERVICE.replace("app: web", "app: web\n    part: db").replace(
                    "web\nspec", "db\nspec"
                )
            ).replace(
                "        app: web\n    spec", "        app: web\n        part: front\n    spec"
            ),
        ),
        Case(
            "of something else beside it",
            deployment(more=SERVICE.replace("app: web", "component: db").replace("web", "db")),
        ),
    ),
    bad=(
        Case(
            "one label too many",
            deployment(more=SERVICE.replace("selector:\n", "selector:  # <-\n    tier: front\n")),
        ),
        Case(
            "a name that was changed in one place",
            deployment(
                more=SERVICE.replace("selector:\n    app: web", "selector:  # <-\n    app: w")
            ),
        ),
    ),
)
_BUDGET = """\
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: web
spec:
  {}
  selector:
    matchLabels:
      app: web
"""
BUDGET = Rule(
    id="D27",
    name="budget",
    level="warning",
    title="A budget lets no pod go",
    why="Whoever empties a node, for an update of the cluster, waits for ever.",
    reference="https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
    look=budget,
    good=(
        Case("one may go", deployment(more=_BUDGET.format("maxUnavailable: 1"))),
        Case("one of two has to stay", deployment(more=_BUDGET.format("minAvailable: 1"))),
        Case(
            "an autoscaler says how many there are",
            deployment(spec="", more=_BUDGET.format("minAvailable: 1") + _SCALER),
        ),
    ),
    bad=(
        Case("both have to stay", deployment(more=_BUDGET.format("minAvailable: 2  # <-"))),
        Case(
            "the only one has to stay",
            deployment(spec="", more=_BUDGET.format("minAvailable: 50%  # <-")),
        ),
    ),
)
RULES = (
    ROLLOUT_GAP,
    SPREAD,
    SCALED_TWICE,
    SELECTOR,
    SELECTS_NOTHING,
    BUDGET,
)
