"""A chart: the same objects, their figures in values.yaml with where they are from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import structs

from imgopt.deploy.draft import Draft, is_ours, merged
from imgopt.deploy.kubernetes import layout, objects, scaling
from imgopt.deploy.kubernetes.files import figures, remarks
from imgopt.deploy.kubernetes.layout import split
from imgopt.deploy.kubernetes.values import Values
from imgopt.deploy.model import Plan
from imgopt.deploy.yaml_tree import Tree, rendered
from imgopt.errors import InputError, Location
from imgopt.results.deploy import DeployFile, DeployFiles, Refused

VERSION = "0.1.0"
_ANEW = "it differs from what would be written; remove it to have it written anew"


def chart_files(plan: Plan, texts: Mapping[str, str]) -> DeployFiles:
    """`texts` are the YAML files of the folder. Raises InputError where another chart is there."""
    if "Chart.yaml" in texts and not is_ours(texts["Chart.yaml"]):
        raise InputError(
            "is a chart that was not written here",
            location=Location("Chart.yaml"),
            hint="another --out, and take over what you want",
        )
    values = Values(is_chart=True)
    templates = [
        DeployFile(
            path=f"templates/{name}.yaml",
            text=values.finished(rendered(tree)),
            does=does,
        )
        for name, does, tree in _objects(plan, values)
    ]
    drafts = [
        Draft("Chart.yaml", "what the chart is", _chart(plan), plan.head),
        Draft("values.yaml", "every figure, and where it is from", values.tree, plan.head),
    ]
    files, refused = _beside(drafts, templates, texts)
    return DeployFiles(
        target="helm",
        name=plan.name,
        image=plan.image,
        measured=plan.source,
        files=files,
        figures=figures(layout.files(plan)),
        remarks=[*plan.remarks, *remarks(plan)],
        refused=refused,
    )


def _beside(
    drafts: list[Draft], templates: list[DeployFile], texts: Mapping[str, str]
) -> tuple[list[DeployFile], list[Refused]]:
    """Values are changed in place; a template that somebody changed stays."""
    files: list[DeployFile] = []
    refused: list[Refused] = []
    for draft in drafts:
        before = texts.get(draft.path)
        if before is None:
            files.append(draft.new())
            continue
        file, _, left = merged(draft, draft.path, before)
        files.append(file)
        refused += [Refused(what=f"{draft.path}: {one}", reason="left as it is") for one in left]
    for file in templates:
        before = texts.get(file.path, file.text)
        if before != file.text:
            refused.append(Refused(what=file.path, reason=_ANEW))
        else:
            files.append(structs.replace(file, before=texts.get(file.path)))
    return files, refused


def _chart(plan: Plan) -> dict[str, Tree]:
    tag = split(plan.image)[1]
    return {
        "apiVersion": "v2",
        "name": plan.name,
        "description": f"{plan.name} as a run of its image showed that it can be run",
        "type": "application",
        "version": VERSION,
        "appVersion": next(iter(tag.values()), VERSION),
    }


def _objects(plan: Plan, values: Values) -> Iterator[tuple[str, str, Tree]]:
    if plan.ends:
        yield "job", "the run", objects.job(plan, values)
    else:
        yield "deployment", "the pods and their update", objects.deployment(plan, values)
    yield "configmap", "settings", objects.config_map(plan, values)
    yield "service-account", "whom it runs as", objects.service_account(plan, values)
    yield "network-policy", "who may ask whom", objects.network_policy(plan, values)
    if plan.ends:
        return
    if plan.port is not None:
        yield "service", "its name and port", objects.service(plan, values)
    if plan.options.scale != "none":
        yield "autoscaler", "how many pods", scaling.autoscaler(plan, values)
    yield "disruption-budget", "how many at once", objects.disruption_budget(plan, values)
    if plan.port is not None and plan.speaks in ("http", "grpc"):
        way = objects.ingress if plan.options.ingress else objects.http_route
        yield "route", "the way in", way(plan, values)
