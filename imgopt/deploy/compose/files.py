"""The three Compose files: new, or what lies there with what the run showed put into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imgopt.deploy.compose import trees
from imgopt.deploy.draft import Draft, figures_of, is_ours, merged
from imgopt.deploy.in_place import child, nodes_of, text_of
from imgopt.deploy.model import Plan
from imgopt.deploy.yaml_tree import Noted, Tree, value_of
from imgopt.errors import InputError, Location
from imgopt.results.deploy import DeployFile, DeployFiles, Figure, Refused, Remark

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

BASES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")


def compose_files(plan: Plan, existing: Mapping[str, str], context: str = "") -> DeployFiles:
    """`existing` are texts by name; `context` is the build's folder as the files would say it.
    Raises InputError for what cannot be read."""
    base = next((name for name in BASES if name in existing), BASES[0])
    text = existing.get(base)
    own: frozenset[str] = frozenset()
    depends: dict[str, Tree] = {}
    there: frozenset[str] = frozenset()
    if text is not None:
        services = _services(base, text)
        plan, own = _as_there(plan, base, services)
        depends, there = _depends(plan, services), frozenset(services)
    is_new = text is None or is_ours(text)
    drafts = _drafts(plan, base, own, context, depends, is_new=is_new)
    files: list[DeployFile] = []
    refused = [
        Refused(what=f"a service {name}", reason="its image is not in these facts")
        for name in plan.facts.companions
        if name not in there
    ]
    remarks = list(plan.remarks)
    for draft in drafts:
        before = existing.get(draft.path)
        if before is None:
            files.append(draft.new())
            continue
        file, _, left = merged(draft, draft.path, before)
        files.append(file)
        refused += [Refused(what=f"{draft.path}: {one}", reason="left as it is") for one in left]
    if not context and not plan.ends:
        message = "no build context is known: development follows no sources"
        remarks.append(Remark(level="note", message=message, fix="--context FOLDER"))
    return DeployFiles(
        target="compose",
        name=plan.name,
        image=plan.image,
        measured=plan.source,
        files=files,
        figures=_figures(plan, drafts),
        remarks=remarks,
        refused=refused,
    )


def _drafts(
    plan: Plan,
    base: str,
    own: frozenset[str],
    context: str,
    depends: dict[str, Tree],
    *,
    is_new: bool,
) -> list[Draft]:
    stem, _, kind = base.rpartition(".")
    override, production = f"{stem}.override.{kind}", f"{stem}.production.{kind}"
    tree = trees.base(plan) if is_new else _beside(plan, own, depends)
    found = [Draft(base, "what holds everywhere", tree, plan.head if is_new else "")]
    development = trees.development(plan, context, () if is_new else own)
    if development:
        found.append(Draft(override, "for development: `docker compose up`", development))
    does = f"for production: `docker compose -f {base} -f {production} up -d --wait`"
    found.append(Draft(production, does, trees.production(plan, () if is_new else own)))
    return found


def _beside(plan: Plan, own: frozenset[str], depends: dict[str, Tree]) -> dict[str, Tree]:
    """For a base that somebody wrote: what the run showed, and nothing that is another's word."""
    found = {**trees.measured(plan), **trees.settings(plan)}
    if "healthcheck" in own:
        found.pop("healthcheck", None)
    if depends:
        found["depends_on"] = Noted(depends, "measured: the run needed them")
    return {"services": {plan.name: found}} if found else {}


def _depends(plan: Plan, services: Mapping[str, Node]) -> dict[str, Tree]:
    """Those of the run's companions that the service does not name yet, and how it waits."""
    own = child(services[plan.name], "depends_on")
    named: set[str] = set()
    if own is not None and _is_list(own):
        named = {str(getattr(one, "value", "")) for one in own.value}
    elif own is not None and _is_mapping(own):
        named = {str(key.value) for key, _ in own.value}
    return {
        name: {
            "condition": "service_healthy"
            if child(services[name], "healthcheck") is not None
            else "service_started"
        }
        for name in plan.facts.companions
        if name in services and name not in named and name != plan.name
    }


def _services(base: str, text: str) -> dict[str, Node]:
    root = next(iter(nodes_of(text, Path(base))), None)
    services = child(root, "services")
    if services is None or not _is_mapping(services) or not services.value:
        raise InputError(
            "has no services",
            location=Location(base),
            hint="another folder, or a Compose file with the service in it",
        )
    return {str(key.value): value for key, value in services.value}


def _as_there(plan: Plan, base: str, services: Mapping[str, Node]) -> tuple[Plan, frozenset[str]]:
    """The plan under the service's own name, and the keys that its author wrote."""
    name = _service(plan, services, base)
    service = services[name]
    keys = (str(key.value) for key, _ in service.value) if _is_mapping(service) else ()
    return replace(plan, name=name), frozenset(keys)


def _service(plan: Plan, services: Mapping[str, Node], base: str) -> str:
    """By its name, its image, or because it is the only one that is built."""
    if plan.name in services and (plan.options.name or len(services) == 1):
        return plan.name
    same = [name for name, one in services.items() if text_of(one, "image") == plan.image]
    built = [name for name, one in services.items() if child(one, "build") is not None]
    for found in (same, [plan.name] if plan.name in services else [], built, list(services)):
        if len(found) == 1:
            return found[0]
    raise InputError(
        f"which service is {plan.image}?",
        location=Location(base),
        hint=f"--name says it: {', '.join(services) or 'it has no services'}",
    )


def _is_mapping(node: Node) -> bool:
    return getattr(node, "id", "") == "mapping"


def _is_list(node: Node | None) -> bool:
    return getattr(node, "id", "") == "sequence"


def _figures(plan: Plan, drafts: list[Draft]) -> list[Figure]:
    found: dict[tuple[str, str], Figure] = {}
    for draft in drafts:
        services = value_of(draft.tree).get("services", {})
        for figure in figures_of(services.get(plan.name, {})):
            found.setdefault((figure.name, figure.value), figure)
    return sorted(found.values(), key=lambda one: not one.measured)
