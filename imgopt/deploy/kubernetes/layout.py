"""Which files a plan makes: a Kustomize base with overlays for development and production."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from imgopt.deploy.draft import Draft
from imgopt.deploy.kubernetes import objects, scaling
from imgopt.deploy.kubernetes.values import Values, rule
from imgopt.deploy.model import Plan
from imgopt.deploy.yaml_tree import Noted, Tree

BASE, DEVELOPMENT, PRODUCTION = "base", "overlays/development", "overlays/production"

_ASIDE = "-development"


def files(plan: Plan) -> list[Draft]:
    """In the order in which one reads them."""
    base = list(_base(plan, Values()))
    production = list(_production(plan, Values()))
    every = [
        *base,
        Draft(f"{BASE}/kustomization.yaml", "what the base is made of", _base_list(plan, base)),
        *production,
        Draft(
            f"{PRODUCTION}/kustomization.yaml",
            "production: namespace, quota, scaling, route",
            _production_list(plan, production),
        ),
        _draft(DEVELOPMENT, "namespace", "its namespace", scaling.namespace(plan, _ASIDE)),
        Draft(
            f"{DEVELOPMENT}/kustomization.yaml",
            "development: one pod, no route",
            _development_list(plan),
        ),
    ]
    return _with_heads(plan, every)


def _base(plan: Plan, values: Values) -> Iterator[Draft]:
    if plan.ends:
        yield Draft(f"{BASE}/job.yaml", "the run", objects.job(plan, values))
    else:
        made = objects.deployment(plan, values)
        yield Draft(f"{BASE}/deployment.yaml", "the pods and their update", made)
    yield _draft(BASE, "service-account", "whom it runs as", objects.service_account(plan, values))
    if plan.port is not None:
        yield _draft(BASE, "service", "its name and port", objects.service(plan, values))
    yield _draft(BASE, "network-policy", "who may ask whom", objects.network_policy(plan, values))


def _production(plan: Plan, values: Values) -> Iterator[Draft]:
    space = scaling.namespace(plan, "")
    yield Draft(f"{PRODUCTION}/namespace.yaml", "the namespace, Pod Security restricted", space)
    yield _draft(PRODUCTION, "quota", "what all pods may use", scaling.quota(plan))
    yield _draft(PRODUCTION, "limit-range", "for pods without figures", scaling.limit_range(plan))
    if plan.ends:
        return
    if plan.options.scale != "none":
        yield _draft(PRODUCTION, "autoscaler", "how many pods", scaling.autoscaler(plan, values))
    budget = objects.disruption_budget(plan, values)
    yield _draft(PRODUCTION, "disruption-budget", "how many may be moved at once", budget)
    if plan.port is None or plan.speaks not in ("http", "grpc"):
        return
    if plan.options.ingress:
        yield _draft(PRODUCTION, "ingress", "the way in", objects.ingress(plan, values))
    else:
        yield _draft(PRODUCTION, "route", "the way in", objects.http_route(plan, values))


def _draft(folder: str, name: str, does: str, tree: Tree) -> Draft:
    return Draft(f"{folder}/{name}.yaml", does, tree)


def _with_heads(plan: Plan, drafts: list[Draft]) -> list[Draft]:
    """By its first line a file is known as ours."""
    return [replace(draft, head=plan.head) for draft in drafts]


def _kustomization(**more: Tree) -> dict[str, Tree]:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **more}


def _names(drafts: list[Draft]) -> list[Tree]:
    return [draft.path.rpartition("/")[2] for draft in drafts]


def _base_list(plan: Plan, drafts: list[Draft]) -> dict[str, Tree]:
    found = _kustomization(resources=_names(drafts))
    plain = [one for one in plan.variables if one.kind == "plain"]
    unknown = [one.name for one in plan.variables if one.kind == "unknown"]
    if plain or unknown:
        literals: Tree = [f"{one.name}={one.value}" for one in plain]
        if unknown:
            literals = rule(literals, f"the run was also given {', '.join(unknown)}")
        found["configMapGenerator"] = Noted(
            [{"name": f"{plan.name}-config", "literals": literals}],
            "rule: its name has a hash of what it says, so pods follow a change",
        )
    return found


def _production_list(plan: Plan, drafts: list[Draft]) -> dict[str, Tree]:
    found = _kustomization(
        namespace=plan.options.namespace or plan.name,
        resources=["../../base", *_names(drafts)],
    )
    if plan.options.scale == "none" and not plan.ends:
        count = objects.replicas_rule(plan)
        found["replicas"] = [{"name": plan.name, "count": count}]
    name, tag = split(plan.image)
    if tag:
        found["images"] = rule([{"name": name, **tag}], "what a release changes")
    return found


def _development_list(plan: Plan) -> dict[str, Tree]:
    found = _kustomization(
        namespace=f"{plan.options.namespace or plan.name}{_ASIDE}",
        resources=["../../base", "namespace.yaml"],
    )
    if not plan.ends:
        found["replicas"] = [{"name": plan.name, "count": 1}]
    return found


def split(image: str) -> tuple[str, dict[str, str]]:
    """Name, and newTag or digest as Kustomize calls them."""
    if "@" in image:
        name, _, digest = image.partition("@")
        return split(name)[0], {"digest": digest}
    folder, slash, last = image.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{folder}{slash}{name}", {"newTag": tag} if tag else {}
