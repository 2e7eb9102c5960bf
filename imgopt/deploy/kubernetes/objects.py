"""The objects beside the pod, each from a plan."""

from __future__ import annotations

from imgopt.deploy.kubernetes.pod import labels, port_name, template
from imgopt.deploy.kubernetes.values import Values, rule
from imgopt.deploy.model import Plan
from imgopt.deploy.yaml_tree import Noted, Tree


def thing(version: str, kind: str, name: Tree, spec: Tree, **more: Tree) -> dict[str, Tree]:
    """An object; `more` is metadata."""
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, **more},
        **({"spec": spec} if spec is not None else {}),
    }


def deployment(plan: Plan, values: Values) -> dict[str, Tree]:
    """No `replicas`: the autoscaler, or the overlay, says how many."""
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    spec = {
        "revisionHistoryLimit": 5,
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": rule(rolling, "a new pod is ready before an old one goes"),
        },
        "selector": {"matchLabels": labels(plan, values)},
        "template": template(plan, values),
    }
    if values.is_chart and plan.options.scale == "none":
        spec = {"replicas": values.put("replicas", replicas_rule(plan)), **spec}
    name = values.named(plan.name)
    return thing("apps/v1", "Deployment", name, spec, labels=labels(plan, values))


def replicas_rule(plan: Plan) -> Noted:
    del plan
    return rule(3, "one is updated, one is lost with its node, one serves")


def job(plan: Plan, values: Values) -> dict[str, Tree]:
    """For a program that ends."""
    assert plan.longest_run is not None
    spec = {
        "backoffLimit": 2,
        "activeDeadlineSeconds": values.put("deadlineSeconds", plan.longest_run.noted()),
        "ttlSecondsAfterFinished": rule(86_400, "its log is there for a day"),
        "template": template(plan, values),
    }
    return thing("batch/v1", "Job", values.named(plan.name), spec, labels=labels(plan, values))


def service_account(plan: Plan, values: Values) -> dict[str, Tree]:
    found = thing("v1", "ServiceAccount", values.named(plan.name), None)
    return {**found, "automountServiceAccountToken": False}


def service(plan: Plan, values: Values) -> dict[str, Tree]:
    port: dict[str, Tree] = {"name": port_name(plan), "port": 80, "targetPort": plan.port}
    if plan.speaks == "grpc":
        port["appProtocol"] = "kubernetes.io/h2c"
    spec = {"selector": labels(plan, values), "ports": [port]}
    return thing("v1", "Service", values.named(plan.name), spec, labels=labels(plan, values))


def network_policy(plan: Plan, values: Values) -> dict[str, Tree]:
    """In only what it serves; out everything where it asks for hosts, else names alone."""
    own = [{"ports": [{"protocol": "TCP", "port": plan.port}]}] if plan.port is not None else []
    names = {"ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}
    asked = [*plan.facts.companions, *plan.facts.asked_hosts]
    told = bool(asked or plan.facts.given_environment)
    outward: Tree = (
        Noted([{}], f"measured: it asks {', '.join(asked[:6]) or 'hosts of its settings'}")
        if told
        else Noted([names], "measured: it asked no host in its run; names alone")
    )
    spec = {
        "podSelector": {"matchLabels": labels(plan, values)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": own,
        "egress": outward,
    }
    return thing("networking.k8s.io/v1", "NetworkPolicy", values.named(plan.name), spec)


def disruption_budget(plan: Plan, values: Values) -> dict[str, Tree]:
    spec = {
        "maxUnavailable": rule(1, "a node that is drained takes one pod at a time"),
        "selector": {"matchLabels": labels(plan, values)},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return thing("policy/v1", "PodDisruptionBudget", values.named(plan.name), spec)


def config_map(plan: Plan, values: Values) -> dict[str, Tree]:
    data = {one.name: one.value for one in plan.variables if one.kind == "plain"}
    found = thing("v1", "ConfigMap", values.named(plan.name, "-config"), None)
    return {**found, "data": values.put("config", data, 2)}


def http_route(plan: Plan, values: Values) -> dict[str, Tree]:
    """Timeouts from the longest answer: a gateway's default would cut what is longer."""
    limit = plan.request_timeout
    stays_open = plan.facts.streams or plan.facts.websockets
    whole = values.put("requestTimeout", limit.noted(f"{limit.value}s"))
    timeouts: dict[str, Tree] = {"request": whole}
    if stays_open:
        timeouts = {
            "request": rule("0s", "a stream ends when it ends"),
            "backendRequest": whole,
        }
    backend = {"name": values.named(plan.name), "port": 80}
    spec: dict[str, Tree] = {
        "parentRefs": [{"name": values.put("gateway", rule("gateway", "the cluster's own name"))}],
        "hostnames": [values.put("host", plan.options.host or "app.example.com")],
        "rules": [{"timeouts": timeouts, "backendRefs": [backend]}],
    }
    if plan.speaks == "grpc":
        return thing(
            "gateway.networking.k8s.io/v1", "GRPCRoute", values.named(plan.name), _grpc(spec)
        )
    return thing("gateway.networking.k8s.io/v1", "HTTPRoute", values.named(plan.name), spec)


def _grpc(spec: dict[str, Tree]) -> dict[str, Tree]:
    return {**spec, "rules": [{"backendRefs": spec["rules"][0]["backendRefs"]}]}


def ingress(plan: Plan, values: Values) -> dict[str, Tree]:
    """Asked for by --ingress; its timeouts are the controller's own annotations."""
    seconds = str(plan.request_timeout.value)
    backend = {"service": {"name": values.named(plan.name), "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rules = [{"host": plan.options.host or "app.example.com", "http": {"paths": [path]}}]
    annotations = {
        "nginx.ingress.kubernetes.io/proxy-read-timeout": Noted(seconds, plan.request_timeout.note),
        "nginx.ingress.kubernetes.io/proxy-send-timeout": seconds,
    }
    if plan.facts.streams:
        annotations["nginx.ingress.kubernetes.io/proxy-buffering"] = "off"
    return thing(
        "networking.k8s.io/v1",
        "Ingress",
        values.named(plan.name),
        {"ingressClassName": "nginx", "rules": rules},
        annotations=annotations,
    )
