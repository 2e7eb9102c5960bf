"""How many pods: an autoscaler by what the options say, and what a namespace may use in all."""

from __future__ import annotations

import re
from math import ceil

from imgopt.deploy.kubernetes.objects import thing
from imgopt.deploy.kubernetes.pod import millis, size
from imgopt.deploy.kubernetes.values import Values, rule
from imgopt.deploy.model import MIB, Plan, Said
from imgopt.deploy.yaml_tree import Noted, Tree
from imgopt.errors import InputError

LEAST, MOST = 2, 10
TARGET = 70
"""Percent of the processor request."""


def autoscaler(plan: Plan, values: Values) -> dict[str, Tree]:
    """A HorizontalPodAutoscaler by processor time, else a ScaledObject (KEDA)."""
    if plan.options.scale == "cpu":
        return _by_processor(plan, values)
    target = {"name": values.named(plan.name)}
    spec = {
        "scaleTargetRef": target,
        "minReplicaCount": _least(plan, values),
        "maxReplicaCount": values.put("maxReplicas", MOST),
        "cooldownPeriod": rule(300, "load comes in waves"),
        "triggers": [_trigger(plan, values)],
    }
    return thing("keda.sh/v1alpha1", "ScaledObject", values.named(plan.name), spec)


def _least(plan: Plan, values: Values) -> Tree:
    if plan.options.scale == "queue":
        return values.put("minReplicas", rule(1, "an empty queue needs no second one"))
    return values.put("minReplicas", rule(LEAST, "one serves while the other is moved"))


def _by_processor(plan: Plan, values: Values) -> dict[str, Tree]:
    target = {"type": "Utilization", "averageUtilization": TARGET}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    start = _start(plan)
    spec = {
        "scaleTargetRef": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": values.named(plan.name),
        },
        "minReplicas": _least(plan, values),
        "maxReplicas": values.put("maxReplicas", MOST),
        "metrics": rule([metric], f"{TARGET} % of the request ({millis(plan.cpu_request.value)})"),
        "behavior": {
            "scaleDown": {
                "stabilizationWindowSeconds": Noted(
                    min(3600, max(300, start.value * 10)), start.note
                )
            }
        },
    }
    return thing("autoscaling/v2", "HorizontalPodAutoscaler", values.named(plan.name), spec)


def _start(plan: Plan) -> Said[int]:
    window = plan.probes["startup"] if plan.probes else None
    seconds = window.period * window.failures if window else 30
    return Said(seconds, f"10 x the start's window ({seconds} s), at least 300 s")


def _trigger(plan: Plan, values: Values) -> dict[str, Tree]:
    if plan.options.scale == "queue":
        return _queue(plan, values)
    address = values.put("prometheus", "http://prometheus-server.monitoring:80")
    own = f'sum(rate(http_requests_total{{app="{plan.name}"}}[2m]))'
    query = plan.options.query if plan.options.scale == "prometheus" else own
    if not query:
        raise InputError("--scale prometheus needs a query", hint="--query 'sum(rate(...[2m]))'")
    threshold = (
        rule("10", "what one pod takes of it: not known from a run")
        if plan.options.scale == "prometheus"
        else _threshold(plan)
    )
    metadata = {
        "serverAddress": address,
        "query": values.put("query", query),
        "threshold": values.put("threshold", threshold),
    }
    return {"type": "prometheus", "metadata": metadata}


_QUEUE = re.compile(r"REDIS|AMQP|RABBIT|QUEUE|BROKER", re.IGNORECASE)


def _queue(plan: Plan, values: Values) -> dict[str, Tree]:
    """The queue that one of the container's own variables names. Raises InputError."""
    named = next((one.name for one in plan.variables if _QUEUE.search(one.name)), None)
    if named is None:
        raise InputError(
            "--scale queue: no variable of the run names a queue",
            hint="--env QUEUE_URL=amqp://host says which one the program asks",
        )
    length = rule("20", "messages that one pod may have before it")
    queue = values.put("queue", plan.name)
    if "redis" in named.lower():
        metadata = {"addressFromEnv": named, "listName": queue, "listLength": length}
        return {"type": "redis", "metadata": metadata}
    metadata = {"hostFromEnv": named, "queueName": queue, "mode": "QueueLength", "value": length}
    return {"type": "rabbitmq", "metadata": metadata}


def _threshold(plan: Plan) -> Tree:
    """Requests a second that one pod takes: half of what the bounded load got answered."""
    load = plan.facts.load
    if load is None or not load.per_second:
        return rule("10", "requests/s were not measured")
    value = max(1, ceil(load.per_second * 0.5))
    return Noted(str(value), f"measured: {load.per_second:.0f} requests/s x 0.5")


def namespace(plan: Plan, suffix: str) -> dict[str, Tree]:
    """Pod Security at its strictest: what is written here keeps to it."""
    name = f"{plan.options.namespace or plan.name}{suffix}"
    level = {
        f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")
    }
    return thing("v1", "Namespace", name, None, labels=level)


def quota(plan: Plan) -> dict[str, Tree]:
    """Room for the most pods, and for those that an update starts beside them."""
    most = (MOST if plan.options.scale != "none" else 3) + 1
    memory = plan.memory_limit.value
    hard: dict[str, Tree] = {
        "requests.cpu": millis(plan.cpu_request.value * most),
        "requests.memory": size(plan.memory_request.value * most),
        "limits.memory": size(memory * most),
        "pods": str(most),
    }
    if plan.gpu is not None:
        hard["requests.nvidia.com/gpu"] = str(most)
    spec = {"hard": rule(hard, f"{most - 1} pods, and one more while an update goes on")}
    return thing("v1", "ResourceQuota", plan.name, spec)


def limit_range(plan: Plan) -> dict[str, Tree]:
    """No default limit of processor time: it slows what it does not have to."""
    memory = size(max(64 * MIB, plan.memory_limit.value))
    limits = {
        "type": "Container",
        "default": {"memory": memory},
        "defaultRequest": {"cpu": "50m", "memory": size(64 * MIB)},
    }
    return thing("v1", "LimitRange", plan.name, {"limits": [limits]})
